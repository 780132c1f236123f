"""What the start of a fit costs: its first step is traced and compiled, the later ones are not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

import keras

from callbacks.progress import CLEAR_LINE, format_seconds
from callbacks.run_position import RunPosition

# A training step may be traced in the first call and, where it makes variables, in the second.
TRACED_STEPS = 2


class Tracing(keras.callbacks.Callback):
    """Writes one line a fit: how long the first steps took, beside the later ones.

    The first step of a training and of its validation waits for tracing, and with XLA for
    compilation; what it takes beyond the mean of the later ones is called tracing. The line is
    written at the end of the first epoch with more than one step, otherwise at the end of the fit.

    A step that is traced again later costs as much once more, which usually means that batches
    differ in shape or type. The first such step gets a line, and the end of the fit their number
    where it was not the only one. Back ends that do not tell how often they traced get none.

    Args:
        position: where the fit begins.
        heading: what stands before each line, such as "stage 2/3 tail".
        total_epochs: epochs of the whole run.
        stream: where to write; standard output by default.
    """

    def __init__(
        self,
        position: RunPosition,
        heading: str,
        total_epochs: int,
        stream: TextIO | None = None,
    ):
        super().__init__()
        self.position = position
        self.heading = heading
        self.total_epochs = total_epochs
        self.stream = stream or sys.stdout
        self._forget()

    def _forget(self) -> None:
        self._epoch = self.position.first_epoch
        self._training, self._validation = _StepTimes(), _StepTimes()
        self._started: float | None = None
        self._validation_started: float | None = None
        self._traces: int | None = None
        self._traced_again = 0
        self._written = False

    def on_train_begin(self, logs=None):
        self._forget()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        self._started = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if self._started is None:
            return
        seconds = time.monotonic() - self._started
        before, self._traces = self._traces, count_traces(self.model.train_function)
        known = before is not None and self._traces is not None
        if known and self._training.count >= TRACED_STEPS and self._traces > before:
            self._say_traced_again(batch, seconds)
        else:
            self._training.add(seconds)

    def on_test_begin(self, logs=None):
        self._validation_started = None

    def on_test_batch_begin(self, batch, logs=None):
        # Its end is not asked for: Keras would then wait for the result of each step.
        self._end_validation_step()
        self._validation_started = time.monotonic()

    def on_test_end(self, logs=None):
        self._end_validation_step()

    def on_epoch_end(self, epoch, logs=None):
        if not self._written and self._training.count > 1:
            self._write_times()

    def on_train_end(self, logs=None):
        if not self._written and self._training.count:
            self._write_times()
        if self._traced_again > 1:
            self._write(f"training steps were traced again {self._traced_again} times")

    def _end_validation_step(self) -> None:
        if self._validation_started is not None:
            self._validation.add(time.monotonic() - self._validation_started)
            self._validation_started = None

    def _write_times(self) -> None:
        self._written = True
        parts = [
            f"{name} {times.text()}"
            for name, times in (
                ("first step", self._training),
                ("first validation step", self._validation),
            )
            if times.count
        ]
        beyond = [times.beyond() for times in (self._training, self._validation)]
        tracing = sum(seconds for seconds in beyond if seconds is not None)
        if self._training.count > 1:
            parts.insert(0, f"tracing {format_seconds(tracing)}")
        self._write("  ".join(parts))

    def _say_traced_again(self, batch: int, seconds: float) -> None:
        self._traced_again += 1
        if self._traced_again > 1:
            return
        place = f"epoch {self._epoch + 1}/{self.total_epochs}"
        step = self.position.batches_done(self._epoch, batch)
        self._write(
            f"{place}  step {step}/{self.position.steps_per_epoch} was traced again and took "
            f"{format_step(seconds)}; do the batches differ in shape or type?"
        )

    def _write(self, text: str) -> None:
        # A moving line of the progress may stand where this one goes.
        start = CLEAR_LINE if self.stream.isatty() else ""
        self.stream.write(f"{start}{self.heading}  {text}\n")
        self.stream.flush()


class _StepTimes:
    """The first step's seconds, and the sum of the later ones'."""

    def __init__(self):
        self.count = 0
        self._first = 0.0
        self._later = 0.0

    def add(self, seconds: float) -> None:
        if self.count == 0:
            self._first = seconds
        else:
            self._later += seconds
        self.count += 1

    def mean(self) -> float | None:
        """Of the later steps, in seconds; None before there was one."""
        return self._later / (self.count - 1) if self.count > 1 else None

    def beyond(self) -> float | None:
        """Seconds that the first step took beyond the mean of the later ones."""
        mean = self.mean()
        return None if mean is None else max(0.0, self._first - mean)

    def text(self) -> str:
        """Such as `12 s, then 150 ms`."""
        mean = self.mean()
        later = "" if mean is None else f", then {format_step(mean)}"
        return format_step(self._first) + later


def count_traces(function: Callable) -> int | None:
    """How often the TensorFlow functions behind a model's `train_function` have been traced.

    Keras wraps them in plain functions, which hold them in their closures.

    Returns:
        The sum over these functions; None where there is none: other back ends, eager execution.
    """
    cells = getattr(function, "__closure__", None) or ()
    parts = [function, *(cell.cell_contents for cell in cells)]
    parts += [getattr(part, "__wrapped__", None) for part in parts]
    counts = [
        part.experimental_get_tracing_count()
        for part in parts
        if hasattr(part, "experimental_get_tracing_count")
    ]
    return sum(counts) if counts else None


def format_step(seconds: float) -> str:
    """The time of a step: milliseconds below one second."""
    milliseconds = round(1000 * seconds)
    return f"{milliseconds} ms" if milliseconds < 1000 else format_seconds(seconds)
