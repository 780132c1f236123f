"""Stops a training whose loss is no longer a finite number."""

from __future__ import annotations

import math

import keras

from callbacks.run_position import RunPosition


class StopIfNotFinite(keras.callbacks.Callback):
    """Stops training at the first batch whose loss is NaN or infinite, and remembers where.

    Every value of the logs whose name contains "loss" is looked at: after each batch, and the
    validation losses after each epoch. Keras has turned them into Python floats by then, so the
    look costs no wait for the device. Keras reports the mean loss of the epoch so far, which is
    not finite from the first such batch on.

    Attributes:
        step: batches of the run trained when the loss was first not finite, counted from 1, or
            None while all is well.
        epoch: the epoch of that step, counted from 1, or None.
        name: the name of the loss, such as "loss" or "val_loss", or None.
        value: what it was: nan, inf or -inf, or None.

    Args:
        position: where the fit begins.
    """

    def __init__(self, position: RunPosition):
        super().__init__()
        self.position = position
        self.step: int | None = None
        self.epoch: int | None = None
        self.name: str | None = None
        self.value: float | None = None
        self._present_epoch = position.first_epoch
        self._last_batch = -1

    @property
    def found(self) -> bool:
        """Whether a loss was not finite."""
        return self.step is not None

    def on_epoch_begin(self, epoch, logs=None):
        self._present_epoch = epoch
        self._last_batch = -1

    def on_train_batch_end(self, batch, logs=None):
        self._last_batch = batch
        self._check(logs or {})

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs or {})

    def _check(self, logs: dict[str, float]) -> None:
        for name, value in logs.items():
            if "loss" in name and not math.isfinite(value):
                self.model.stop_training = True
                if not self.found:
                    self.step = self.position.step(self._present_epoch, self._last_batch)
                    self.epoch = self._present_epoch + 1
                    self.name, self.value = name, value
                return
