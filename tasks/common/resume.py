"""The full state of a run in one file, written so that a kill at any moment leaves a good one.

Keras's own `BackupAndRestore` keeps neither the callbacks' state nor the order of the data. Here
order is a function of (seed, epoch, index), so a position is enough for it; all the rest (weights,
optimizer, metrics in the middle of an epoch, callbacks) is in the file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from callbacks.replaced_file import replacing
from callbacks.state import collect_state
from callbacks.state import restore_state as set_states
from keras_models.model_file import DAMAGE, first_line
from tasks.common.errors import Interrupted, UserError
from tasks.common.run_folder import RunFolder


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a run stands: the next thing to do is step `step` of epoch `epoch` in stage `stage`.

    Attributes:
        stage: index of the stage; the number of stages when training is over.
        epoch: epochs of the whole run that are complete.
        step: steps of the present epoch that are complete.
        batch_size: examples a step.
        data: fingerprint of the examples; a resumed run must see the same.
        seconds: training time of each stage so far, by its name.
    """

    stage: int
    epoch: int
    step: int
    batch_size: int
    data: str
    seconds: dict[str, float]


def save_state(
    folder: RunFolder,
    position: Position,
    variables: Sequence[keras.Variable],
    callbacks: dict[str, Any],
) -> None:
    """Replaces the state file; a kill meanwhile leaves the previous one.

    Args:
        folder: the run.
        position: where the run stands.
        variables: what training changes; none once training is over and only its results are to
            come.
        callbacks: what `callbacks.state.collect_state` gave.
    """
    document = json.dumps({"position": dataclasses.asdict(position), "callbacks": callbacks})
    arrays = {
        f"{number:05d}": keras.ops.convert_to_numpy(variable)
        for number, variable in enumerate(variables)
    }
    with replacing(folder.state) as temporary:
        np.savez(temporary, document=np.array(document), **arrays)


def read_position(folder: RunFolder) -> Position:
    """Where the run in `folder` stands.

    Raises:
        UserError: there is no state, or the file is damaged.
    """
    if not folder.state.is_file():
        raise UserError(
            f"{folder.path} has no state to resume from ({folder.state} is missing): "
            "it stopped before its first step; start it again under a new --run-name."
        )
    with _opened(folder) as archive:
        return Position(**json.loads(str(archive["document"]))["position"])


def restore_state(
    folder: RunFolder, variables: Sequence[keras.Variable], first_part: bool = False
) -> dict[str, Any]:
    """Puts the saved values into the variables they came from; gives the callbacks' state.

    Args:
        folder: the run.
        variables: as they were given to `save_state`.
        first_part: whether these are only the first of them.

    Raises:
        UserError: the file is damaged or belongs to another model.
    """
    with _opened(folder) as archive:
        names = sorted(name for name in archive.files if name != "document")
        if first_part:
            names = names[: len(variables)]
        if len(names) != len(variables):
            raise UserError(
                f"{folder.state} holds {len(names)} arrays, the model has {len(variables)}: "
                "it was written by another model or another version of this project."
            )
        for name, variable in zip(names, variables, strict=True):
            value = archive[name]
            if value.shape != tuple(variable.shape):
                raise UserError(
                    f"{folder.state} holds shape {value.shape} for {variable.path} of shape "
                    f"{tuple(variable.shape)}: it was written by another model."
                )
            variable.assign(value)
        return json.loads(str(archive["document"]))["callbacks"]


@contextlib.contextmanager
def _opened(folder: RunFolder) -> Iterator[Any]:
    """The state file, opened without pickle; what a damaged one causes becomes a sentence."""
    try:
        with np.load(folder.state, allow_pickle=False) as archive:
            yield archive
    except (*DAMAGE, KeyError, TypeError, AttributeError, MemoryError) as error:
        raise UserError(
            f"The state file {folder.state} is damaged ({first_line(error)}); start a new run."
        ) from error


def network_variables(network: keras.Model) -> list[keras.Variable]:
    """Weights and the states of random generators: what is left of a stage when it has ended."""
    kept = {id(variable) for metric in network.metrics for variable in metric.variables}
    return [variable for variable in network.variables if id(variable) not in kept]


def training_variables(network: keras.Model, trained: keras.Model) -> list[keras.Variable]:
    """All that training changes, in an order that depends on the network and the stage alone.

    Weights and the states of random generators, also those that only what is trained has, such as
    the discriminator of a generator; the optimizer's slots, and the running sums of the metrics,
    which count when a run stops in the middle of an epoch.

    Args:
        network: the whole of it.
        trained: what `fit` trains, compiled and built: the network, its tail, or what holds it.
    """
    metrics = [variable for metric in trained.metrics for variable in metric.variables]
    unique = {id(variable): variable for variable in network_variables(network)}
    unique |= {id(variable): variable for variable in network_variables(trained)}
    unique |= {id(variable): variable for variable in trained.optimizer.variables}
    unique |= {id(variable): variable for variable in metrics}
    return list(unique.values())


class ResumePoint(keras.callbacks.Callback):
    """Saves the state while `fit` runs, and puts back one that was saved in the middle of it.

    Stands last in the list, so that what it saves is what the others have become, and what it
    restores is not reset again by their `on_train_begin`. At the end of an epoch nothing is
    saved before the next one begins: moving averages have been swapped out again by then.
    """

    def __init__(
        self,
        folder: RunFolder,
        position: Position,
        stage_name: str,
        steps_per_epoch: int,
        companions: Sequence[keras.callbacks.Callback],
        network: keras.Model,
        before_saving: Callable[[], None],
        resumed: bool,
        stop_requested: Callable[[], bool],
        seconds_between: float,
    ) -> None:
        """A callback for one call of `fit`.

        Args:
            folder: the run.
            position: where this call of `fit` starts.
            stage_name: the stage it trains.
            steps_per_epoch: batches in a whole epoch.
            companions: the other callbacks, whose state is kept.
            network: the whole network, of which `fit` may train a part.
            before_saving: called before each saving, for what has to be on disk by then.
            resumed: whether the saved state is to be put back first.
            stop_requested: asked after every step; when true the state is saved and `Interrupted`
                is raised.
            seconds_between: the state is saved at most this often.
        """
        super().__init__()
        self._folder = folder
        self._position = position
        self._stage_name = stage_name
        self._steps_per_epoch = steps_per_epoch
        self._companions = companions
        self._network = network
        self._before_saving = before_saving
        self._resumed = resumed
        self._stop_requested = stop_requested
        self._seconds_between = seconds_between
        self._first_epoch = position.epoch
        self._epoch = position.epoch
        self._metric_values: list[np.ndarray] = []
        self._started = self._saved_at = time.monotonic()

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self._resumed:
            variables = training_variables(self._network, self.model)
            set_states(self._companions, restore_state(self._folder, variables))
            # `fit` sets the metrics back before the first epoch; they belong to its first half.
            self._metric_values = [value.numpy() for value in self._metric_variables()]
        self._started = self._saved_at = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch
        if self._metric_values:
            for variable, value in zip(self._metric_variables(), self._metric_values, strict=True):
                variable.assign(value)
            self._metric_values = []
        elif epoch > self._first_epoch:
            self._save_if_due(epoch, 0)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        step = batch + 1
        if self._epoch == self._first_epoch:
            step += self._position.step
        if step >= self._steps_per_epoch:
            # The epoch is complete but for its validation: the next one saves. A resumed epoch
            # is shorter than Keras knows; ending the loop here leaves the next epochs whole.
            if self._epoch == self._first_epoch and self._position.step:
                self.model.stop_training = True
        elif not self.model.stop_training:
            self._save_if_due(self._epoch, step)

    def _save_if_due(self, epoch: int, step: int) -> None:
        stop = self._stop_requested()
        if stop or time.monotonic() - self._saved_at >= self._seconds_between:
            self._save(epoch, step)
            self._saved_at = time.monotonic()
        if stop:
            raise Interrupted

    def _save(self, epoch: int, step: int) -> None:
        self._before_saving()
        position = dataclasses.replace(
            self._position, epoch=epoch, step=step, seconds=self.seconds()
        )
        variables = training_variables(self._network, self.model)
        save_state(self._folder, position, variables, collect_state(self._companions))

    def seconds(self) -> dict[str, float]:
        """Training seconds by stage, this one included up to now."""
        before = self._position.seconds.get(self._stage_name, 0.0)
        spent = time.monotonic() - self._started
        return {**self._position.seconds, self._stage_name: before + spent}

    def _metric_variables(self) -> list[keras.Variable]:
        return [variable for metric in self.model.metrics for variable in metric.variables]


class WholeEpochsAgain(keras.callbacks.Callback):
    """Lets `fit` go on after the shortened first epoch of a resumed run.

    `ResumePoint` ends that epoch's loop by `stop_training`; this callback stands first in the
    list and takes the word back before any other callback (early stopping, say) gives its own.
    """

    def __init__(self, first_epoch: int, first_step: int) -> None:
        """Does nothing unless `first_step` is positive."""
        super().__init__()
        self._shortened_epoch = first_epoch if first_step else None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == self._shortened_epoch:
            self.model.stop_training = False
            self._shortened_epoch = None
