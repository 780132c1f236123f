"""Keeps the best model on disk, whole or not at all."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import keras
import numpy as np

from callbacks.replaced_file import replacing


class BestModel(keras.callbacks.Callback):
    """Saves the model of the epoch whose monitored value is the best of the run.

    Where two epochs are equal in it, the one with the smaller `val_loss` is better: on a small
    validation split many epochs have the same accuracy. Unlike `keras.callbacks.ModelCheckpoint`
    the file is written beside and moved into place, so a kill never leaves half a model, and the
    best value lasts from stage to stage. Where epochs are shorter than writing the file takes,
    most writing is spared: see `seconds_between`.

    Attributes:
        best: the best monitored value so far, or None.
        best_epoch: its epoch, counted from 1, or None.
        companions: networks that learn together with the one that is selected, by the `.keras`
            files into which they are written as they were in its best epoch; their folder must
            exist. To be set before `fit`, all its time.

    Args:
        path: the `.keras` file.
        monitor: name of the value in the logs.
        mode: whether more of it is better ("max") or less ("min").
        network: what is saved, where `fit` trains a part of it only; by default what is trained.
        seconds_between: the file is written at most this often, and when `fit` ends; meanwhile the
            best weights wait in memory for `write`.
    """

    def __init__(
        self,
        path: Path,
        monitor: str,
        mode: Literal["max", "min"],
        network: keras.Model | None = None,
        seconds_between: float = 0.0,
    ):
        super().__init__()
        self._path = path
        self._network = network
        self._monitor = monitor
        self._sign = 1.0 if mode == "max" else -1.0
        self._seconds_between = seconds_between
        self._weights: dict[Path, list[np.ndarray]] | None = None
        self._waiting = False
        self._written_at = -math.inf
        self.best: float | None = None
        self.best_loss = math.inf
        self.best_epoch: int | None = None
        self.companions: Mapping[Path, keras.Model] = {}

    def on_train_begin(self, logs=None):
        self._written_at = time.monotonic() if self._seconds_between else -math.inf

    def on_epoch_end(self, epoch, logs=None):
        value, loss = logs[self._monitor], logs.get("val_loss", math.inf)
        if math.isfinite(value) and self._improves(value, loss):
            self.best, self.best_loss, self.best_epoch = value, loss, epoch + 1
            self._weights = {path: one.get_weights() for path, one in self._networks().items()}
            self._waiting = True
        if time.monotonic() - self._written_at >= self._seconds_between:
            self.write()

    def on_train_end(self, logs=None):
        self.write()

    def write(self) -> None:
        """Writes the best weights if they are not in the file yet; the model stays as it is.

        To be called before a state is saved that remembers the best value: that state would
        otherwise tell of a model that nobody has.
        """
        if not self._waiting:
            return
        for path, network in self._networks().items():
            _write(network, self._weights[path], path)
        self._waiting, self._written_at = False, time.monotonic()

    def put_back(self, network: keras.Model) -> bool:
        """Gives `network` the best weights; False where this process has not seen them."""
        if self._weights is None:
            return False
        network.set_weights(self._weights[self._path])
        return True

    def _networks(self) -> dict[Path, keras.Model]:
        """What is saved; the selected one last, so that where it is there, the others are."""
        return {**self.companions, self._path: self._network or self.model}

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


def _write(network: keras.Model, weights: list[np.ndarray], path: Path) -> None:
    """Saves the network with these weights; it keeps its own."""
    present = network.get_weights()
    network.set_weights(weights)
    try:
        with replacing(path) as temporary:
            # Without its optimizer: a third of the size, and loading it needs none of it.
            keras.Model(network.input, network.output, name=network.name).save(temporary)
    finally:
        network.set_weights(present)
