"""A run of four networks that was killed in the middle of an epoch ends as one never stopped."""

from __future__ import annotations

import signal
from pathlib import Path

import keras
import numpy as np
import pytest

from callbacks.csv_history import read_history
from keras_models.registration import register_layers
from tasks.common.cyclegan.networks import COMPANIONS
from tasks.common.resume import read_position
from tasks.common.run_folder import RunFolder
from tests.tasks.processes import run, signal_when, start
from tests.tiny_options import tiny_run

TASK = "tasks.depth_cyclegan"
OPTIONS = (*tiny_run("depth_cyclegan").options, "--epochs", "3")


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch_and_resumed(tmp_path: Path) -> None:
    run(tmp_path, TASK, *OPTIONS, "--run-name", "whole")
    whole, killed = (
        RunFolder(tmp_path / "runs" / "depth_cyclegan" / name) for name in ("whole", "killed")
    )
    words = (*OPTIONS, "--run-name", "killed", "--checkpoint-seconds", "0")
    process = start(tmp_path, TASK, *words)

    def inside_later_epoch() -> bool:
        if not killed.state.is_file():
            return False
        position = read_position(killed)
        return position.epoch == 1 and position.step >= 2

    status, _, _ = signal_when(process, inside_later_epoch, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert read_position(killed).step > 0
    run(tmp_path, TASK, "--resume", "killed")
    assert _without_times(killed) == _without_times(whole)
    assert len(_without_times(whole)) == 3
    register_layers()
    for name in ("model.keras", *(f"networks/{name}.keras" for name in COMPANIONS)):
        first, second = (
            keras.saving.load_model(folder.path / name, compile=False) for folder in (whole, killed)
        )
        for expected, received in zip(first.weights, second.weights, strict=True):
            np.testing.assert_array_equal(expected.numpy(), received.numpy(), err_msg=name)


def _without_times(folder: RunFolder) -> list[dict[str, str]]:
    """The rows of the history but for what a clock decides: all losses in seven digits."""
    clocked = ("seconds", "examples_per_second")
    return [
        {key: value for key, value in row.items() if key not in clocked}
        for row in read_history(folder.history)
    ]
