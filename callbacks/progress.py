"""Progress in the terminal: where the run is, how it does, how long it still takes."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

import keras

from callbacks.run_position import RunPosition

SECONDS_BETWEEN_UPDATES = 0.2
CLEAR_LINE = "\r\x1b[K"


class Progress(keras.callbacks.Callback):
    """One line an epoch that stays; on a terminal also one line that moves within the epoch.

    The moving line is written at most every `SECONDS_BETWEEN_UPDATES`, and never where the
    output is a file or a pipe. Times left reckon with the mean time of a step and the last time
    of a validation in this fit; the first step, which includes tracing, does not count. The time
    left for the run supposes that later stages are as fast as this one.

    Args:
        position: where the fit begins.
        heading: what stands before each line, such as "stage 2/3 tail".
        last_epoch: epochs of the run that are complete when the stage ends.
        total_epochs: epochs of the whole run, at least `last_epoch`.
        metric: name of the metric that is shown beside the loss, without "val_", or None.
        stream: where to write; standard output by default.
        more: names of other values that are shown, of training alone.
    """

    def __init__(
        self,
        position: RunPosition,
        heading: str,
        last_epoch: int,
        total_epochs: int,
        metric: str | None = None,
        stream: TextIO | None = None,
        more: Sequence[str] = (),
    ):
        super().__init__()
        self.position = position
        self.more = tuple(more)
        self.heading = heading
        self.last_epoch = last_epoch
        self.total_epochs = total_epochs
        self.metric = metric
        self.stream = stream or sys.stdout
        self.moves = self.stream.isatty()
        self._epoch = position.first_epoch
        self._done = position.first_batch
        self._step_seconds, self._timed_steps = 0.0, 0
        self._validation_seconds = 0.0
        self._step_started: float | None = None
        self._validation_started: float | None = None
        self._next_update = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._done = self.position.batches_done(epoch, -1)
        first_of_fit = epoch == self.position.first_epoch
        self._step_started = None if first_of_fit else time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        self._done = self.position.batches_done(self._epoch, batch)
        if self._step_started is not None:
            self._step_seconds += now - self._step_started
            self._timed_steps += 1
        self._step_started = now
        if self.moves and now >= self._next_update:
            self._next_update = now + SECONDS_BETWEEN_UPDATES
            self._move(f"step {self._done}/{self.position.steps_per_epoch}", logs or {})

    def on_test_begin(self, logs=None):
        self._validation_started = time.monotonic()
        if self.moves:
            self._move("validating", {})

    def on_test_end(self, logs=None):
        if self._validation_started is not None:
            self._validation_seconds = time.monotonic() - self._validation_started

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self._done = self.position.steps_per_epoch
        parts = [self._place(), *self._values(logs)]
        if "examples_per_second" in logs:
            parts.append(f"{format_number(logs['examples_per_second'])} examples/s")
        if "seconds" in logs:
            parts.append(format_seconds(logs["seconds"]))
        left = self._seconds_left(self.total_epochs)
        if left is not None and epoch + 1 < self.total_epochs:
            parts.append(f"run {format_seconds(left)} left")
        self._write("  ".join(parts) + "\n")

    def on_train_end(self, logs=None):
        if self.moves:
            self._write("")

    def _place(self) -> str:
        width = len(str(self.total_epochs))
        return f"{self.heading}  epoch {self._epoch + 1:>{width}}/{self.total_epochs}"

    def _values(self, logs: dict[str, float]) -> list[str]:
        """Loss and main metric, of training and, where there is one, of validation; the rest."""
        names = ["loss", self.metric, "val_loss", self.metric and f"val_{self.metric}", *self.more]
        return [
            f"{name} {format_number(logs[name])}" for name in dict.fromkeys(names) if name in logs
        ]

    def _move(self, activity: str, logs: dict[str, float]) -> None:
        """Rewrites the moving line."""
        parts = [self._place(), activity, *self._values(logs)]
        if self._timed_steps:
            speed = self.position.batch_size * self._timed_steps / max(self._step_seconds, 1e-9)
            stage, run = (self._seconds_left(n) for n in (self.last_epoch, self.total_epochs))
            parts.append(f"{format_number(speed)} examples/s")
            parts.append(f"stage {format_seconds(stage)} left")
            if self.total_epochs > self.last_epoch:
                parts.append(f"run {format_seconds(run)} left")
        # A line that wraps cannot be cleared again.
        self._write("  ".join(parts)[: shutil.get_terminal_size().columns - 1])

    def _seconds_left(self, epochs: int) -> float | None:
        """Seconds until `epochs` epochs of the run are complete; None before a step was timed."""
        if not self._timed_steps:
            return None
        epochs_left = epochs - self._epoch
        steps_left = epochs_left * self.position.steps_per_epoch - self._done
        validations_left = epochs_left - (self._done == self.position.steps_per_epoch)
        return (
            steps_left * self._step_seconds / self._timed_steps
            + validations_left * self._validation_seconds
        )

    def _write(self, text: str) -> None:
        self.stream.write(CLEAR_LINE + text if self.moves else text)
        self.stream.flush()


def format_number(value: float) -> str:
    """A number in at most four significant digits, without an exponent where it is avoidable."""
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.2e}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def format_seconds(seconds: float) -> str:
    """A time span as people say it: `0.8 s`, `25 s`, `3:05 min`, `2:10 h`."""
    whole = max(0, round(seconds))
    if whole < 10:
        return f"{max(0.0, seconds):.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
