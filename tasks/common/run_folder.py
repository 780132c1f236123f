"""The folder of one run: all that is needed to resume, evaluate, predict, export and compare."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from callbacks.replaced_file import replacing
from tasks.common.errors import UserError

LATEST = "latest"
# Below the 255 bytes that file systems allow, also where a character takes two.
LONGEST_NAME = 100
_PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "matplotlib", "tensorboard", "pillow")


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where each part of a run lies."""

    path: Path

    @property
    def config(self) -> Path:
        """The options, as JSON."""
        return self.path / "config.json"

    @property
    def environment(self) -> Path:
        """Task, command, seed, versions, git revision and hardware, as JSON."""
        return self.path / "environment.json"

    @property
    def log(self) -> Path:
        """What the terminal showed."""
        return self.path / "log.txt"

    @property
    def history(self) -> Path:
        """One row an epoch."""
        return self.path / "metrics.csv"

    @property
    def tensorboard(self) -> Path:
        """Event files."""
        return self.path / "tensorboard"

    @property
    def state(self) -> Path:
        """The full state to resume from."""
        return self.path / "checkpoints" / "state.npz"

    @property
    def model(self) -> Path:
        """The best model so far, by the validation metric."""
        return self.path / "model.keras"

    @property
    def networks(self) -> Path:
        """Networks that learned together with the best model, as they were in its epoch."""
        return self.path / "networks"

    @property
    def report(self) -> Path:
        """Report, figures and metrics."""
        return self.path / "report"

    @property
    def exports(self) -> Path:
        """Exported models."""
        return self.path / "export"

    @property
    def cells(self) -> Path:
        """Of a study: the folders of its cells."""
        return self.path / "cells"

    @property
    def best_cell(self) -> Path:
        """Of a study: names the cell whose model stands for it, as JSON."""
        return self.path / "best.json"

    @property
    def result(self) -> Path:
        """Of a finished cell: what it found, as JSON."""
        return self.path / "result.json"


def new_place(runs_dir: Path, task_name: str, run_name: str | None) -> Path:
    """Where a new run of a task will lie; nothing is made yet.

    Raises:
        UserError: the name is no plain folder name, or is taken.
    """
    name = run_name or time.strftime("%Y-%m-%d_%H-%M-%S")
    if Path(name).name != name or name in {LATEST, ".", ".."} or len(name) > LONGEST_NAME:
        raise UserError(
            f"--run-name must be a plain folder name of at most {LONGEST_NAME} characters other "
            f"than 'latest', without a slash. Received: {name!r}"
        )
    place = runs_dir / task_name / name
    if place.exists():
        raise _taken(place)
    return place


def create(place: Path, task_name: str, config_text: str, seed: int) -> RunFolder:
    """A new run folder with its configuration and environment.

    Raises:
        UserError: there is something at the place.
        OSError: the folder cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(place)
    try:
        place.mkdir()
    except FileExistsError:
        raise _taken(place) from None
    folder.state.parent.mkdir()
    replace_text(folder.config, config_text)
    replace_text(folder.environment, json.dumps(describe(task_name, seed), indent=2) + "\n")
    return folder


def _taken(place: Path) -> UserError:
    return UserError(
        f"The run folder {place} exists already: give another --run-name, "
        f"or go on with it by --resume {place.name}."
    )


def find(name: str, runs_dir: Path, task_name: str | None = None) -> Path:
    """The run folder that a user means: a path, a run's name, or `latest`.

    `latest` is the newest run of the task, or of all tasks where none is named.

    Raises:
        UserError: there is no such run, or several tasks have one of that name.
    """
    direct = Path(name)
    if (direct / "config.json").is_file():
        return direct.resolve()
    tasks = [runs_dir / task_name] if task_name else sorted(runs_dir.glob("*"))
    runs = [
        file.parent
        for folder in tasks
        for file in sorted(folder.glob("*/config.json"))
        if not file.parent.is_symlink()
    ]
    if name == LATEST and runs:
        # The configuration is written once; the folder changes with each later export.
        return max(runs, key=lambda run: (run / "config.json").stat().st_mtime_ns).resolve()
    found = [run for run in runs if run.name == name]
    if len(found) == 1:
        return found[0].resolve()
    if found:
        raise UserError(
            f"Several tasks have a run called {name!r}: name its folder, one of "
            f"{', '.join(map(str, found))}."
        )
    known = [str(run) for run in runs]
    raise UserError(
        f"There is no run {name!r} under {runs_dir}. A run is a run folder, its name or 'latest'; "
        + (f"known runs: {', '.join(known[-5:])}." if known else "no run has been made there yet.")
    )


def environment(folder: RunFolder) -> dict[str, Any]:
    """What `environment.json` holds; see `describe`.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        found = json.loads(folder.environment.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("packages", {}), dict):
        raise UserError(
            f"{folder.environment} says what made this run, and is missing or damaged: copy it "
            "again from where it is sound, or start a new run."
        )
    return found


def task_name(folder: RunFolder) -> str:
    """The task that made a run.

    Raises:
        UserError: environment.json is missing or damaged.
    """
    try:
        name = json.loads(folder.environment.read_text(encoding="utf-8"))["task"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        name = None
    if not isinstance(name, str) or not name.isidentifier():
        raise UserError(
            f"{folder.environment} does not name the task that made this run; "
            "the folder is damaged or was not made by a task."
        )
    return name


def describe(task: str, seed: int) -> dict[str, Any]:
    """What made a run: task, command, seed, versions, revision and hardware."""
    return {
        "task": task,
        "command": shlex.join(["python", "-m", f"tasks.{task}", *sys.argv[1:]]),
        "seed": seed,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "git_revision": _git_revision(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
    }


def replace_text(path: Path, text: str) -> None:
    """Writes a text file that is either the old one or the new one, never half of it."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def point_latest(runs_dir: Path, run: RunFolder) -> None:
    """Makes `latest` in the folder of all runs lead to `run`, which lies below it.

    It does not stand beside the runs of a task, where TensorBoard would read it as one more run.
    """
    link = runs_dir / f".{LATEST}.part"
    link.unlink(missing_ok=True)
    link.symlink_to(run.path.relative_to(runs_dir), target_is_directory=True)
    link.replace(runs_dir / LATEST)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """The revision of the code, with `-dirty` where it was changed; None outside a repository."""
    root = Path(__file__).resolve().parents[2]
    try:
        result = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def _processor() -> str:
    """The processor's name as the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
