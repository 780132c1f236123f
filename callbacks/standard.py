"""The callbacks that every task gets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import keras
import numpy as np

from callbacks.csv_history import CsvHistory
from callbacks.epoch_facts import EpochFacts
from callbacks.input_pictures import InputPictures
from callbacks.not_finite import StopIfNotFinite
from callbacks.prediction_pictures import PredictionPictures
from callbacks.progress import Progress
from callbacks.run_position import RunPosition
from callbacks.tensorboard_scalars import TensorBoardScalars
from callbacks.tracing import Tracing

# Reducing on a plateau by Keras's default of ten loses most of a short run's learning at once;
# a half is what the documentation's own example is near to.
PLATEAU_FACTOR = 0.5


@dataclasses.dataclass(frozen=True)
class Monitoring:
    """How one call of `model.fit`, a stage of a run or what is left of it, is watched.

    Attributes:
        folder: the run folder, which must exist. `metrics.csv` and `tensorboard/` go there.
        position: where in the run the fit begins, and the size of an epoch.
        stage: name of the stage, such as "head".
        stage_number: its number, counted from 1.
        stage_count: stages in the run.
        last_epoch: epochs of the run that are complete when the stage ends: `epochs` of the fit.
        total_epochs: epochs of the whole run.
        monitor: the value that selects the best epoch, such as "val_accuracy".
        mode: "max" if more of it is better, else "min".
        patience: epochs without improvement of `monitor` after which the stage ends, or None.
        minimum_improvement: a smaller change of `monitor` is no improvement.
        plateau_patience: epochs without improvement after which the learning rate is multiplied
            by `plateau_factor`, or None. Needs an optimizer without a schedule.
        plateau_factor: in (0, 1).
        use_ema: whether the optimizer keeps moving averages of the weights
            (`use_ema=True`); they are then in the model for validation and from the end of an
            epoch to the beginning of the next.
        profile: whether to record a profile of a few batches for TensorBoard.
        example_batch: pictures of a training batch as the model gets them, range [0, 255], shape
            (n, height, width, 1 or 3), shown once; None for other data and after resuming in a
            stage. A dozen is enough.
        example_captions: a text for each of them, or None.
        draw_predictions: draws the predictions for some validation pictures; see
            `callbacks.prediction_pictures.classification_pictures`. None: no such picture.
        predictions_every: least number of epochs from one drawing to the next.
        also_shown: values of training that the terminal shows beside loss and monitored value,
            such as the parts of a loss.
        stream: where the progress and the time of tracing are written; standard output by default.
    """

    folder: Path
    position: RunPosition
    stage: str
    last_epoch: int
    total_epochs: int
    monitor: str
    mode: str
    stage_number: int = 1
    stage_count: int = 1
    patience: int | None = None
    minimum_improvement: float = 0.0
    plateau_patience: int | None = None
    plateau_factor: float = PLATEAU_FACTOR
    use_ema: bool = False
    profile: bool = False
    example_batch: np.ndarray | None = None
    example_captions: tuple[str, ...] | None = None
    draw_predictions: Callable[[keras.Model], np.ndarray] | None = None
    predictions_every: int = 1
    also_shown: tuple[str, ...] = ()
    stream: TextIO | None = None

    def __post_init__(self):
        if self.mode not in ("min", "max"):
            raise ValueError(f"`mode` must be 'min' or 'max'. Received: mode={self.mode!r}")
        if self.predictions_every < 1:
            raise ValueError(
                "`predictions_every` must be at least 1. "
                f"Received: predictions_every={self.predictions_every}"
            )

    @property
    def tensorboard_folder(self) -> Path:
        """Where TensorBoard looks for this run."""
        return self.folder / "tensorboard"


def standard_callbacks(settings: Monitoring) -> list[keras.callbacks.Callback]:
    """The callbacks of one fit, in the order they must be called in.

    Weights are exchanged for their moving averages first, so that everything after sees what is
    validated. Facts are added to the logs before anything writes them. What changes the learning
    rate or ends the training comes last, so that a row holds the rate that its epoch used. A
    callback that stores the run to resume it belongs behind all of these.
    """
    folder, position = settings.tensorboard_folder, settings.position
    callbacks: list[keras.callbacks.Callback] = []
    if settings.use_ema:
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    callbacks += [
        EpochFacts(position),
        StopIfNotFinite(position),
        TensorBoardScalars(folder, settings.stage_number, settings.profile),
        CsvHistory(settings.folder / "metrics.csv", settings.stage),
        Tracing(settings.position, _heading(settings), settings.total_epochs, settings.stream),
        _progress(settings),
    ]
    if settings.example_batch is not None:
        callbacks.append(
            InputPictures(
                folder, settings.example_batch, settings.example_captions, position.first_epoch
            )
        )
    if settings.draw_predictions is not None:
        callbacks.append(
            PredictionPictures(folder, settings.draw_predictions, settings.predictions_every)
        )
    return callbacks + _deciding(settings)


def _heading(settings: Monitoring) -> str:
    """What stands before each line of the log."""
    if settings.stage_count == 1:
        return settings.stage
    return f"stage {settings.stage_number}/{settings.stage_count} {settings.stage}"


def _progress(settings: Monitoring) -> Progress:
    return Progress(
        settings.position,
        _heading(settings),
        settings.last_epoch,
        settings.total_epochs,
        settings.monitor.removeprefix("val_"),
        settings.stream,
        settings.also_shown,
    )


def _deciding(settings: Monitoring) -> list[keras.callbacks.Callback]:
    """What acts on the monitored value."""
    callbacks: list[keras.callbacks.Callback] = []
    watched = {
        "monitor": settings.monitor,
        "mode": settings.mode,
        "min_delta": settings.minimum_improvement,
    }
    if settings.plateau_patience is not None:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                patience=settings.plateau_patience, factor=settings.plateau_factor, **watched
            )
        )
    if settings.patience is not None:
        callbacks.append(keras.callbacks.EarlyStopping(patience=settings.patience, **watched))
    return callbacks
