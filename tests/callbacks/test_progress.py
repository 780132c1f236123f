from __future__ import annotations

import io

import pytest

from callbacks import progress
from callbacks.progress import CLEAR_LINE, Progress, format_number, format_seconds
from callbacks.run_position import RunPosition

LOGS = {"loss": 0.5, "accuracy": 0.75}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def run_epoch(callback, clock, epoch, batches, validation_seconds):
    """One epoch with steps of one second."""
    callback.on_epoch_begin(epoch)
    for batch in range(batches):
        clock.now += 1.0
        callback.on_train_batch_end(batch, LOGS)
    callback.on_test_begin()
    clock.now += validation_seconds
    callback.on_test_end()
    callback.on_epoch_end(epoch, {**LOGS, "val_loss": 0.6, "val_accuracy": 0.7, "seconds": 20.0})


def test_a_file_gets_a_line_an_epoch_and_no_control_characters(clock):
    stream = io.StringIO()
    callback = Progress(RunPosition(10, 4, 40), "stage 1/2 head", 2, 4, "accuracy", stream)
    run_epoch(callback, clock, 0, 10, validation_seconds=2.0)
    run_epoch(callback, clock, 1, 10, validation_seconds=2.0)
    callback.on_train_end()
    values = "loss 0.5000  accuracy 0.7500  val_loss 0.6000  val_accuracy 0.7000  20 s"
    # After the first epoch 3 epochs of 10 steps of 1 s and a validation of 2 s are left.
    assert stream.getvalue().splitlines() == [
        f"stage 1/2 head  epoch 1/4  {values}  run 36 s left",
        f"stage 1/2 head  epoch 2/4  {values}  run 24 s left",
    ]


def test_a_terminal_also_gets_a_moving_line(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    callback = Progress(RunPosition(10, 4, 40), "stage 1/2 head", 2, 4, "accuracy", stream)
    run_epoch(callback, clock, 0, 10, validation_seconds=2.0)
    lines = stream.getvalue().split(CLEAR_LINE)
    # The first step includes tracing, so no time is reckoned from it.
    assert lines[1] == "stage 1/2 head  epoch 1/4  step 1/10  loss 0.5000  accuracy 0.7500"
    # 17 steps of 1 s to the end of the stage, 37 to the end of the run, 4 examples a step.
    assert lines[3].endswith(
        "step 3/10  loss 0.5000  accuracy 0.7500  4.0000 examples/s  stage 17 s left  run 37 s left"
    )
    assert lines[11].split("  ")[2] == "validating"
    assert lines[12].startswith("stage 1/2 head  epoch 1/4  loss") and lines[12].endswith("\n")
    assert stream.getvalue().count("\n") == 1


def test_the_moving_line_fits_the_terminal_and_does_not_flicker(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    callback = Progress(RunPosition(100, 4, 400), "stage 1/2 head", 2, 4, "accuracy", stream)
    callback.on_epoch_begin(0)
    for batch in range(100):
        clock.now += 0.05
        callback.on_train_batch_end(batch, LOGS)
    lines = stream.getvalue().split(CLEAR_LINE)[1:]
    assert max(len(line) for line in lines) == 29
    assert len(lines) <= 5.0 / progress.SECONDS_BETWEEN_UPDATES + 1


def test_a_resumed_epoch_counts_from_where_it_was(clock):
    stream = Terminal()
    position = RunPosition(10, 4, 40, first_epoch=2, first_batch=6, first_step=26)
    callback = Progress(position, "all", 4, 4, "accuracy", stream)
    callback.on_epoch_begin(2)
    callback.on_train_batch_end(0, LOGS)
    assert "epoch 3/4  step 7/10" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.26, "0.3 s"), (9.6, "10 s"), (59.4, "59 s"), (185, "3:05 min"), (7800, "2:10 h")],
)
def test_format_seconds(seconds, text):
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0000"), (0.12346, "0.1235"), (12.346, "12.35"), (1234.4, "1234"), (1e-5, "1.00e-05")],
)
def test_format_number(value, text):
    assert format_number(value) == text


def test_further_values_stand_behind_loss_and_metric(clock):
    stream = io.StringIO()
    callback = Progress(
        RunPosition(2, 4, 8), "all", 1, 1, None, stream, more=("cycle_loss", "accuracy", "absent")
    )
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0, {"loss": 3.0, "accuracy": 0.5, "cycle_loss": 2.0, "val_loss": 4.0})
    expected = "all  epoch 1/1  loss 3.0000  val_loss 4.0000  cycle_loss 2.0000  accuracy 0.5000\n"
    assert stream.getvalue() == expected
