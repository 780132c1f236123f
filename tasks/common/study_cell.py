"""One cell of a study, in a process of its own, so that memory stays flat however many there are.

    python -m tasks.common.study_cell STUDY_FOLDER CELL

The study runner starts it. It ends by itself when the study's process is gone, of which its
standard input, a pipe, tells.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.common import config as configs
from tasks.common import run_folder
from tasks.common.command_line import guarded, import_tensorflow_quietly
from tasks.common.run_folder import RunFolder
from tasks.common.study import Study
from tasks.common.task import Task


def main(arguments: Sequence[str]) -> int:
    """Runs the cell that is named; gives the exit status."""
    study_folder, name = arguments
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    return guarded(lambda: run_cell(RunFolder(Path(study_folder)), name))


def run_cell(study_folder: RunFolder, name: str) -> None:
    """Does what one cell of a study does and leaves `result.json` in its folder at the end."""
    study: Study = importlib.import_module(f"tasks.{run_folder.task_name(study_folder)}").TASK
    config = configs.read(type(study.presets["quick"]), study_folder.config)
    import_tensorflow_quietly()
    cell = next(cell for cell in study.cells(config) if cell.name == name)
    folder = RunFolder(study_folder.cells / name)
    found = study.run_cell(cell.config, folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    run_folder.replace_text(folder.result, json.dumps(found, indent=2) + "\n")


def train(task: Task, config: Any, folder: RunFolder) -> dict[str, Any]:
    """Runs a task in the folder of a cell, or goes on with what a stopped process left there.

    Returns:
        `metrics` by split, `seconds` by part and `parameters`, as the report of the run has them.
    """
    from tasks.common import runner

    config = task.check(config)
    if folder.state.is_file():
        config = dataclasses.replace(config, resume=str(folder.path))
    elif folder.path.exists():
        shutil.rmtree(folder.path)
    runner.run(task, config, folder.path)
    report: Mapping[str, Any] = json.loads(
        (folder.report / "metrics.json").read_text(encoding="utf-8")
    )
    return {key: report[key] for key in ("metrics", "seconds", "parameters")}


def _end_with_the_study() -> None:
    """Waits until the other end of standard input is closed, which a killed study leaves so."""
    # Not through `sys.stdin`, whose lock the interpreter could not take when it ends.
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
