"""A run that was killed and resumed ends with the very weights of one never interrupted."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_models.transfer  # noqa: F401  registers what the saved models are made of
from tasks.common.errors import UserError
from tasks.common.resume import Position, read_position, save_state
from tasks.common.run_folder import RunFolder
from tests.tasks.processes import TINY, ended, run, signal_when, start

TASK = "tasks.cars_finetune"


def folder_of(place: Path, name: str) -> RunFolder:
    return RunFolder(place / "runs" / "cars_finetune" / name)


def position_of(folder: RunFolder) -> Position | None:
    return read_position(folder) if folder.state.is_file() else None


def assert_same_weights(one: RunFolder, other: RunFolder) -> None:
    first, second = (keras.saving.load_model(run.model, compile=False) for run in (one, other))
    assert len(first.weights) > 50
    for expected, received in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(expected.numpy(), received.numpy(), err_msg=expected.path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run, called `whole`, that nothing interrupted."""
    place = tmp_path_factory.mktemp("resume")
    run(place, TASK, *TINY, "--run-name", "whole")
    return place


def test_same_seed_gives_same_weights(whole: Path) -> None:
    run(whole, TASK, *TINY, "--run-name", "again")
    assert_same_weights(folder_of(whole, "whole"), folder_of(whole, "again"))


def test_killed_in_the_middle_of_an_epoch_and_resumed(whole: Path) -> None:
    folder = folder_of(whole, "killed")
    process = start(whole, TASK, *TINY, "--run-name", "killed", "--checkpoint-seconds", "0")

    def inside_later_epoch() -> bool:
        position = position_of(folder)
        return position is not None and position.epoch >= 1 and position.step >= 1

    status, _, _ = signal_when(process, inside_later_epoch, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert position_of(folder).step > 0
    run(whole, TASK, "--resume", "killed")
    assert_same_weights(folder_of(whole, "whole"), folder)
    assert _without_times(folder) == _without_times(folder_of(whole, "whole"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file, so that the recipe for pretrained networks is used."""
    path = tmp_path_factory.mktemp("weights") / "some.weights.h5"
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(32, 32, 3), name="MobileNet"
    )
    network.save_weights(path)
    return path


def test_killed_in_a_later_stage_with_moving_averages(tmp_path: Path, weights: Path) -> None:
    options = (
        *("--backbone", "MobileNet", "--weights", str(weights), "--image-size", "32", "32"),
        *("--rendered-count", "40", "16", "16", "--batch-size", "8", "--augment", "flip", "colour"),
        *("--head-epochs", "1", "--tail-epochs", "3", "--tail-stages", "2", "--mixing", "mixup"),
        *("--ema-momentum", "0.9", "--patience", "2", "--accumulate-steps", "2"),
    )
    run(tmp_path, TASK, *options, "--run-name", "whole")
    folder = folder_of(tmp_path, "killed")
    process = start(tmp_path, TASK, *options, "--run-name", "killed", "--checkpoint-seconds", "0")

    def inside_second_stage() -> bool:
        position = position_of(folder)
        return position is not None and position.stage == 1 and position.step >= 1

    signal_when(process, inside_second_stage, signal.SIGKILL)
    assert position_of(folder).stage == 1
    assert position_of(folder).step > 0
    run(tmp_path, TASK, "--resume", "killed")
    assert_same_weights(folder_of(tmp_path, "whole"), folder)
    assert _without_times(folder) == _without_times(folder_of(tmp_path, "whole"))


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> tuple[Path, list[str]]:
    """A folder with one run, `whole`, whose stages learn from stored features; its options."""
    place = tmp_path_factory.mktemp("cached")
    options = [
        *("--backbone", "MobileNet", "--weights", str(weights), "--image-size", "32", "32"),
        *("--rendered-count", "40", "16", "16", "--batch-size", "8", "--augment", "flip", "colour"),
        *("--head-epochs", "2", "--tail-epochs", "3", "--tail-stages", "2", "--cached-views", "2"),
    ]
    result = run(place, TASK, *options, "--run-name", "whole", "--cache-dir", "whole")
    assert result.stdout.count("train features of augmented pictures") == 2
    return place, options


@pytest.mark.parametrize(("name", "stage"), [("head", 0), ("tail", 1)])
def test_killed_while_it_learns_from_stored_features(
    cached: tuple[Path, list[str]], name: str, stage: int
) -> None:
    place, options = cached
    folder = folder_of(place, name)
    words = [*options, "--run-name", name, "--checkpoint-seconds", "0"]
    process = start(place, TASK, *words, "--cache-dir", "whole")

    def inside() -> bool:
        position = position_of(folder)
        return position is not None and position.stage == stage and position.step >= 1

    signal_when(process, inside, signal.SIGKILL)
    # The cache is gone as well: the features are computed again, and are the same.
    run(place, TASK, "--resume", name, "--cache-dir", name)
    assert_same_weights(folder_of(place, "whole"), folder)
    assert _without_times(folder) == _without_times(folder_of(place, "whole"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_while_features_are_computed(
    cached: tuple[Path, list[str]], number: signal.Signals
) -> None:
    place, options = cached
    name = f"early_{number.name}"
    folder = folder_of(place, name)
    process = start(place, TASK, *options, "--run-name", name, "--cache-dir", name)

    def first_features_begun() -> bool:
        stores = list((place / name).glob("*/rows.bin"))
        return len(stores) == 1 and stores[0].parent.suffix == ".part"

    status, _, errors = signal_when(process, first_features_begun, number)
    assert status == (-9 if number == signal.SIGKILL else 130)
    assert "Traceback" not in errors
    position = position_of(folder)
    assert (position.stage, position.epoch, position.step) == (0, 0, 0)
    run(place, TASK, "--resume", name)
    assert_same_weights(folder_of(place, "whole"), folder)


@pytest.mark.slow
def test_kills_while_the_state_is_written_all_the_time(whole: Path) -> None:
    folder = folder_of(whole, "tortured")
    words = [TASK, *TINY, "--run-name", "tortured", "--checkpoint-seconds", "0"]
    random = np.random.default_rng(0)
    for _ in range(4):
        process = start(whole, *words)
        before = folder.state.stat().st_mtime_ns if folder.state.is_file() else 0

        def moved_on(before: int = before) -> bool:
            return folder.state.is_file() and folder.state.stat().st_mtime_ns > before

        with ended(process):
            while not moved_on() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(random.uniform(0, 1.5))
        assert position_of(folder) is not None
        words = [TASK, "--resume", "tortured", "--checkpoint-seconds", "0"]
    run(whole, TASK, "--resume", "tortured")
    assert_same_weights(folder_of(whole, "whole"), folder)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    options = (*TINY, "--scratch-learning-rate", "3e38", "--schedule", "constant")
    result = run(tmp_path, TASK, *options, "--run-name", "wild", status=2)
    assert "loss became" in result.stderr
    assert "at step" in result.stderr
    assert "Traceback" not in result.stderr
    assert position_of(folder_of(tmp_path, "wild")) is not None


def test_interrupt_saves_the_state_and_names_the_command(whole: Path) -> None:
    folder = folder_of(whole, "interrupted")
    process = start(whole, TASK, *TINY, "--run-name", "interrupted")

    def before_the_last_epoch() -> bool:
        position = position_of(folder)
        return position is not None and position.epoch < 3

    status, _, errors = signal_when(process, before_the_last_epoch, signal.SIGINT)
    assert status == 130
    assert "Traceback" not in errors
    command = errors.strip().splitlines()[-1].split()
    assert command[:3] == ["python", "-m", TASK]
    run(whole, *command[2:])
    assert_same_weights(folder_of(whole, "whole"), folder)


def test_resuming_with_another_option_is_refused_and_named(whole: Path) -> None:
    result = run(whole, TASK, "--resume", "whole", "--batch-size", "16", status=2)
    assert "--batch-size: was 8, received 16" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("checkpoints/state.npz", b"PK", "is damaged"),
        ("environment.json", b"{", "missing or damaged"),
        ("metrics.csv", b"\xff\n", "cannot be read"),
        ("metrics.csv", b"epoch,stage\n", "received none"),
        ("model.keras", b"PK", "is damaged"),
    ],
)
def test_resuming_with_a_damaged_file_is_one_sentence(
    whole: Path, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    shutil.copytree(folder_of(whole, "whole").path, tmp_path / "damaged")
    damaged = tmp_path / "damaged" / name
    damaged.write_bytes(content)
    result = run(whole, TASK, "--resume", str(tmp_path / "damaged"), status=2)
    sentence = result.stderr.splitlines()[-1]
    assert sentence.startswith("error: ")
    assert str(damaged) in sentence
    assert reason in sentence
    assert "Traceback" not in result.stderr


def test_a_state_with_a_wrong_byte_is_one_sentence_or_as_it_was(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.state.parent.mkdir()
    position = Position(stage=1, epoch=2, step=3, batch_size=4, data="x", seconds={"head": 1.5})
    save_state(folder, position, [], {})
    content = folder.state.read_bytes()
    refused = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        folder.state.write_bytes(changed)
        try:
            assert read_position(folder) == position
        except UserError as error:
            refused += 1
            assert "state.npz is damaged (" in str(error)
            assert "\n" not in str(error)
    assert refused > len(content) / 2


def test_metrics_json_of_a_whole_run(whole: Path) -> None:
    metrics = json.loads((folder_of(whole, "whole").report / "metrics.json").read_text())
    assert metrics["task"] == "cars_finetune"
    assert set(metrics) >= {"metrics", "baseline", "seconds", "parameters"}
    assert 0 <= metrics["metrics"]["test"]["accuracy"] <= 1


def _without_times(folder: RunFolder) -> list[dict[str, str]]:
    """The rows of the history but for what a clock decides."""
    from callbacks.csv_history import read_history

    clocked = ("seconds", "examples_per_second")
    return [
        {key: value for key, value in row.items() if key not in clocked}
        for row in read_history(folder.history)
    ]
