"""Keeps the best model on disk, whole or not at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import keras

from callbacks.replaced_file import replacing


class BestModel(keras.callbacks.Callback):
    """Saves the model at the end of each epoch whose monitored value is the best of the run.

    Where two epochs are equal in it, the one with the smaller `val_loss` is better: on a small
    validation split many epochs have the same accuracy. Unlike `keras.callbacks.ModelCheckpoint`
    the file is written beside and moved into place, so a kill never leaves half a model, and the
    best value lasts from stage to stage.

    Attributes:
        best: the best monitored value so far, or None.
        best_epoch: its epoch, counted from 1, or None.

    Args:
        path: the `.keras` file.
        monitor: name of the value in the logs.
        mode: whether more of it is better ("max") or less ("min").
    """

    def __init__(self, path: Path, monitor: str, mode: Literal["max", "min"]):
        super().__init__()
        self._path = path
        self._monitor = monitor
        self._sign = 1.0 if mode == "max" else -1.0
        self.best: float | None = None
        self.best_loss = math.inf
        self.best_epoch: int | None = None

    def on_epoch_end(self, epoch, logs=None):
        value, loss = logs[self._monitor], logs.get("val_loss", math.inf)
        if not math.isfinite(value) or not self._improves(value, loss):
            return
        self.best, self.best_loss, self.best_epoch = value, loss, epoch + 1
        with replacing(self._path) as temporary:
            # A model without its optimizer: a third of the size, and loading it needs none of it.
            keras.Model(self.model.input, self.model.output, name=self.model.name).save(temporary)

    def _improves(self, value: float, loss: float) -> bool:
        if self.best is None:
            return True
        return (self._sign * value, -loss) > (self._sign * self.best, -self.best_loss)

    def get_state(self) -> dict[str, float | int | None]:
        """The best value so far and where it was."""
        return {"best": self.best, "best_loss": self.best_loss, "best_epoch": self.best_epoch}

    def set_state(self, state: dict[str, float | int | None]) -> None:
        """Takes up `get_state` of a run that was stopped."""
        self.best, self.best_loss = state["best"], state["best_loss"]
        self.best_epoch = state["best_epoch"]
