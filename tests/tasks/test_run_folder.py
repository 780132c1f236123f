"""Run folders: made once, found again, and files that are replaced whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import platform
import shlex
import time
from importlib import metadata
from pathlib import Path

import pytest

from tasks.common import run_folder
from tasks.common.errors import UserError
from tasks.common.run_folder import RunFolder


def made(runs_dir: Path, task: str, name: str | None) -> RunFolder:
    place = run_folder.new_place(runs_dir, task, name)
    folder = run_folder.create(place, task, '{"seed": 3}\n', seed=3)
    run_folder.point_latest(runs_dir, folder)
    return folder


def started(folder: RunFolder, second: int) -> RunFolder:
    """As if the run had been started at a time of our own, in seconds."""
    os.utime(folder.config, (second, second))
    return folder


def test_a_new_folder_has_its_configuration_and_environment(tmp_path: Path) -> None:
    folder = made(tmp_path / "not" / "yet", "thing", "one")
    assert folder.path == tmp_path / "not" / "yet" / "thing" / "one"
    assert folder.config.read_text() == '{"seed": 3}\n'
    assert folder.state.parent.is_dir()
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "checkpoints",
        "config.json",
        "environment.json",
    ]


def test_the_parts_lie_where_the_contract_says(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    parts = {
        "config": "config.json",
        "environment": "environment.json",
        "log": "log.txt",
        "history": "metrics.csv",
        "tensorboard": "tensorboard",
        "state": "checkpoints/state.npz",
        "model": "model.keras",
        "report": "report",
        "exports": "export",
        "cells": "cells",
        "best_cell": "best.json",
        "result": "result.json",
    }
    for attribute, place in parts.items():
        assert getattr(folder, attribute) == tmp_path / place


def test_the_environment_says_what_made_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/thing.py", "--seed", "3"])
    facts = json.loads(made(tmp_path, "thing", "one").environment.read_text())
    assert facts["task"] == "thing"
    assert facts["command"] == "python -m tasks.thing --seed 3"
    assert facts["seed"] == 3
    assert facts["python"] == platform.python_version()
    assert facts["packages"]["numpy"] == metadata.version("numpy")
    assert facts["packages"]["tensorflow"] == metadata.version("tensorflow")
    assert facts["cores"] == os.cpu_count()
    assert time.strptime(facts["started"], "%Y-%m-%dT%H:%M:%S%z")
    assert facts["processor"]
    assert "git_revision" in facts


def test_the_command_can_be_typed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--data-dir", "my pictures/cars", "--run-name", "it's"]
    monkeypatch.setattr("sys.argv", ["thing.py", *words])
    command = run_folder.describe("thing", 0)["command"]
    assert shlex.split(command) == ["python", "-m", "tasks.thing", *words]


def test_a_run_without_a_name_is_called_by_date_and_time(tmp_path: Path) -> None:
    folder = made(tmp_path, "thing", None)
    assert time.strptime(folder.path.name, "%Y-%m-%d_%H-%M-%S")


def test_a_name_that_is_taken_is_refused_and_leaves_the_run_alone(tmp_path: Path) -> None:
    first = made(tmp_path, "thing", "one")
    with pytest.raises(UserError, match=r"exists already.*--resume one"):
        run_folder.new_place(tmp_path, "thing", "one")
    with pytest.raises(UserError, match=r"exists already.*--resume one"):
        run_folder.create(first.path, "thing", "other", seed=1)
    assert first.config.read_text() == '{"seed": 3}\n'
    made(tmp_path, "other", "one")


@pytest.mark.parametrize(
    "name", ["..", ".", "../up", "a/b", "/tmp/away", "a/", "latest", "a/../../b"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--run-name must be a plain folder name"):
        made(tmp_path / "runs", "thing", name)
    assert not list(tmp_path.rglob("config.json"))


def test_a_name_too_long_for_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--run-name"):
        made(tmp_path, "thing", "n" * 300)


def test_latest_points_to_the_newest_run(tmp_path: Path) -> None:
    started(made(tmp_path, "thing", "one"), 1000)
    started(made(tmp_path, "thing", "two"), 2000)
    link = tmp_path / "latest"
    assert link.is_symlink()
    assert link.readlink() == Path("thing/two")
    # TensorBoard follows links: beside the runs of a task it would show the run twice.
    assert sorted(path.name for path in (tmp_path / "thing").iterdir()) == ["one", "two"]
    assert run_folder.find("latest", tmp_path, "thing") == (tmp_path / "thing" / "two").resolve()
    # The whole folder may be moved.
    moved = tmp_path.parent / f"{tmp_path.name}_moved"
    tmp_path.rename(moved)
    assert run_folder.find("latest", moved) == (moved / "thing" / "two").resolve()


def test_the_latest_of_all_tasks_is_the_run_that_was_started_last(tmp_path: Path) -> None:
    """Not the one in which a file was written last, by an export or a second evaluation."""
    older = started(made(tmp_path, "thing", "older"), 1000)
    newer = started(made(tmp_path, "other", "newer"), 2000)
    assert run_folder.find("latest", tmp_path) == newer.path.resolve()
    older.exports.mkdir()
    os.utime(older.path, (3000, 3000))
    assert run_folder.find("latest", tmp_path) == newer.path.resolve()


def test_a_run_is_found_by_path_and_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "runs", "thing", "one").path.resolve()
    assert run_folder.find(str(folder), Path("anywhere")) == folder
    assert run_folder.find("one", tmp_path / "runs") == folder
    assert run_folder.find("one", tmp_path / "runs", "thing") == folder
    monkeypatch.chdir(tmp_path)
    assert run_folder.find("runs/thing/one/", Path("runs")) == folder


def test_a_name_of_several_tasks_is_ambiguous_unless_the_task_is_known(tmp_path: Path) -> None:
    made(tmp_path, "thing", "one")
    other = made(tmp_path, "other", "one")
    with pytest.raises(UserError, match="Several tasks") as caught:
        run_folder.find("one", tmp_path)
    assert str(other.path) in str(caught.value)
    assert run_folder.find("one", tmp_path, "other") == other.path.resolve()


@pytest.mark.parametrize("name", ["missing", "latest", "a/b/c"])
def test_a_run_that_is_not_there_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run has been made there yet"):
        run_folder.find(name, tmp_path / "runs")
    made(tmp_path, "thing", "one")
    with pytest.raises(UserError) as caught:
        run_folder.find("missing", tmp_path)
    assert "'missing'" in str(caught.value)
    assert str(Path("thing") / "one") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_task_of_a_run(tmp_path: Path) -> None:
    folder = made(tmp_path, "thing", "one")
    assert run_folder.task_name(folder) == "thing"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{}",
        "[]",
        '{"task": 3}',
        '{"task": "../evil"}',
        b"\xff\xfe",
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_a_damaged_environment_is_one_sentence(text: str | bytes | None, tmp_path: Path) -> None:
    folder = made(tmp_path, "thing", "one")
    folder.environment.unlink()
    if text is not None:
        folder.environment.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=r"environment\.json does not name the task"):
        run_folder.task_name(folder)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"packages": 5}', pytest.param("[" * 100_000, id="deep"), b"\xff", None],
)
def test_an_environment_that_no_report_can_tell_is_one_sentence(
    text: str | bytes | None, tmp_path: Path
) -> None:
    folder = made(tmp_path, "thing", "one")
    assert run_folder.environment(folder)["task"] == "thing"
    folder.environment.unlink()
    if text is not None:
        folder.environment.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=r"environment\.json .* missing or damaged: copy it again"):
        run_folder.environment(folder)


def test_replacing_puts_the_new_file_in_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    path.write_text("old")
    with run_folder.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
        assert temporary.suffix == ".npz"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("written", [False, True])
def test_a_failure_leaves_the_old_file_and_no_other(written: bool, tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    path.write_text("old")
    with pytest.raises(RuntimeError), run_folder.replacing(path) as temporary:
        if written:
            temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fails_when_it_is_asked_to_keep_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "text.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run_folder.replace_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_leftover_of_a_killed_process_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    (tmp_path / ".text.part.txt").write_text("half of something long")
    run_folder.replace_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
