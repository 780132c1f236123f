"""Adds time, speed and learning rates to the logs of an epoch."""

from __future__ import annotations

import time

import keras

from callbacks.learning_rates import learning_rates, optimizer_groups
from callbacks.run_position import RunPosition


class EpochFacts(keras.callbacks.Callback):
    """Puts `seconds`, `examples_per_second` and the learning rates into the logs of each epoch.

    Keras hands one dictionary of logs to all callbacks in turn, so what is added here reaches the
    history, TensorBoard, the table of metrics and the terminal alike. It must stand before them
    in the list of callbacks.

    - `seconds`: training and validation of the epoch; after resuming in the middle of an epoch,
      with the seconds spent on it before.
    - `examples_per_second`: training alone. The first batch of a fit is left out, because it
      includes the tracing of the training step.
    - `learning_rate` or `learning_rate_NAME`: at the end of the epoch, before any callback
      changes it.

    Args:
        position: where the fit begins.
    """

    def __init__(self, position: RunPosition):
        super().__init__()
        self.position = position
        self._epoch = position.first_epoch
        self._epoch_started: float | None = None
        self._seconds_before = 0.0
        self._speed_start: tuple[float, int] | None = None
        self._speed_end: tuple[float, int] | None = None

    def on_train_begin(self, logs=None):
        optimizer_groups(self.model.optimizer)  # a fault of the names shows before any training
        self._epoch_started = None
        self._seconds_before = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._epoch_started = time.monotonic()
        self._speed_start = None
        if epoch > self.position.first_epoch:
            self._speed_start = (self._epoch_started, 0)
        self._speed_end = self._speed_start

    def on_train_batch_end(self, batch, logs=None):
        done = self.position.batches_done(self._epoch, batch)
        self._speed_end = (time.monotonic(), self.position.examples(done))
        if self._speed_start is None:
            self._speed_start = self._speed_end

    def on_epoch_end(self, epoch, logs=None):
        if logs is None:
            return
        logs["seconds"] = self._seconds()
        speed = self._examples_per_second()
        if speed is not None:
            logs["examples_per_second"] = speed
        logs.update(learning_rates(self.model.optimizer))
        self._epoch_started = None
        self._seconds_before = 0.0

    def _seconds(self) -> float:
        """Seconds spent on the present epoch so far; 0 between epochs."""
        if self._epoch_started is None:
            return self._seconds_before
        return self._seconds_before + time.monotonic() - self._epoch_started

    def _examples_per_second(self) -> float | None:
        if self._speed_start is None or self._speed_end is None:
            return None
        seconds = self._speed_end[0] - self._speed_start[0]
        examples = self._speed_end[1] - self._speed_start[1]
        return examples / seconds if seconds > 0 and examples > 0 else None

    def get_state(self) -> dict[str, float]:
        """Seconds already spent on the present epoch."""
        return {"seconds": self._seconds()}

    def set_state(self, state: dict[str, float]) -> None:
        """Takes up `get_state` of a run that was stopped."""
        self._seconds_before = state["seconds"]
