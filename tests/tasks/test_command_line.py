"""From a fault to a sentence and an exit status."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasets.core import DataError
from tasks.common import run_folder
from tasks.common.command_line import guarded, run_command
from tasks.common.errors import Interrupted, UserError
from tests.tasks.processes import TINY, run


@dataclasses.dataclass(frozen=True)
class Nothing:
    """A command without options."""


def raising(error: BaseException) -> int:
    def action() -> None:
        raise error

    return guarded(action)


def test_an_action_that_succeeds_has_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [UserError, DataError])
def test_a_mistake_of_the_user_is_its_sentence_and_status_2(
    kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(kind("The file x is empty.")) == 2
    assert capsys.readouterr() == ("", "error: The file x is empty.\n")


def test_an_interrupted_run_has_status_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(Interrupted("Go on with: this")) == 130
    assert "Go on with: this" in capsys.readouterr().err


def test_a_keyboard_interrupt_has_status_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(KeyboardInterrupt()) == 130
    assert "Stopped" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_storage_fault_is_one_sentence_and_status_2(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(OSError(number, os.strerror(number), "place")) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: Could not write 'place'")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "place"), KeyboardInterrupt()]
)
def test_a_command_that_trains_nothing_is_not_told_to_resume(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(options: Nothing) -> None:
        raise error

    assert run_command(Nothing, "tasks.nothing", act, []) != 0
    errors = capsys.readouterr().err
    assert "place" in errors or "Stopped." in errors
    assert "--" not in errors


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "x"), ValueError(), KeyError()])
def test_a_fault_of_ours_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        raising(error)


def test_a_device_without_space_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("this system has no /dev/full")
    assert guarded(lambda: device.write_text("x" * 100)) == 2
    assert "the disk is full" in capsys.readouterr().err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for 64 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a file system needs rights that this process has not")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, capture_output=True)


def test_a_full_disk_keeps_the_old_file_and_is_one_sentence(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_disk / "state.txt"
    run_folder.replace_text(path, "old")
    assert guarded(lambda: run_folder.replace_text(path, "x" * 10**6)) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert path.read_text() == "old"
    assert list(small_disk.iterdir()) == [path]


def test_a_task_on_a_full_disk_ends_with_one_sentence(small_disk: Path) -> None:
    words = (*TINY, "--runs-dir", str(small_disk))
    result = run(small_disk.parent, "tasks.cars_finetune", *words, status=2)
    assert "the disk is full" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_task_whose_runs_cannot_be_written_ends_with_one_sentence(tmp_path: Path) -> None:
    """A file where the folder of runs should be: refused to everyone, the superuser included."""
    (tmp_path / "runs").write_text("in the way")
    result = run(tmp_path, "tasks.cars_finetune", *TINY, status=2)
    assert result.stderr.startswith("error: ")
    assert "runs" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_mistaken_option_is_found_before_any_work(tmp_path: Path) -> None:
    result = run(tmp_path, "tasks.cars_finetune", "--dropout", "2", status=2)
    assert result.stderr == "error: --dropout must be at least 0 and below 1. Received: 2.0.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("tasks.cars_finetune", *TINY),
        ("tasks.invert_features",),
        ("tasks.evaluate", "latest"),
        ("tasks.predict", "latest", "photo.jpg"),
        ("tasks.export", "latest"),
    ],
    ids=lambda words: words[0],
)
def test_another_back_end_of_keras_is_refused_before_any_work(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    result = run(tmp_path, *words, status=2)
    assert result.stderr == (
        "error: The tasks run on Keras's TensorFlow back end. Received: KERAS_BACKEND=jax. Unset "
        "KERAS_BACKEND, or set it to tensorflow.\n"
    )
    assert not list(tmp_path.iterdir())
