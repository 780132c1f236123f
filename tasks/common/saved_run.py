"""A finished run, opened again from its folder alone."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import keras

from tasks.common import config as configs
from tasks.common import run_folder, saved_network
from tasks.common.dense import saved_maps
from tasks.common.errors import UserError
from tasks.common.run_folder import RunFolder
from tasks.common.study import Study
from tasks.common.task import Task


@dataclasses.dataclass(frozen=True)
class SavedRun:
    """What a verb needs of a run.

    Attributes:
        folder: where it lies.
        task: the task that made it.
        config: its options.
        model: the best model, not compiled, preprocessing inside.
    """

    folder: RunFolder
    task: Task
    config: Any
    model: keras.Model


def open_run(name: str, runs_dir: Path) -> SavedRun:
    """Opens a run by its folder, its name or `latest`; of a study, its best cell.

    Raises:
        UserError: there is no such run, it has no model yet, or its files are damaged.
    """
    folder = _with_model(RunFolder(run_folder.find(name, runs_dir)))
    task = _task(folder)
    config = configs.read(type(task.presets["quick"]), folder.config)
    # A run that has its report had a model: then the file is lost, which no --resume brings back.
    if not folder.model.is_file() and not (folder.report / "metrics.json").is_file():
        raise UserError(
            f"{folder.path} has no model yet: it stopped before its first one was saved. Go on "
            f"with python -m tasks.{task.name} --resume {folder.path}."
        )
    model = saved_network.load(folder.model)
    _require_kind(model, folder.model, task)
    return SavedRun(folder, task, config, model)


def _require_kind(model: keras.Model, path: Path, task: Task) -> None:
    """Sees that a network, loaded from `path`, answers as those of the task do.

    Raises:
        UserError: it does not.
    """
    verbs = task.verbs()
    if verbs.output in ("maps", "probability_maps"):
        saved_maps.require_maps(model, path, of_classes=verbs.output == "probability_maps")
        return
    try:
        verbs.output_names(model)
    except ValueError:
        raise UserError(
            f"{path} holds a network of another kind, whose answers are not those of {task.name}: "
            f"{saved_network.REMEDY}."
        ) from None


def _with_model(folder: RunFolder) -> RunFolder:
    """The folder itself, or of a study that of its best cell.

    Raises:
        UserError: the study has no best cell, or not yet.
    """
    if not folder.cells.is_dir():
        return folder
    if not folder.best_cell.is_file():
        raise UserError(
            f"{folder.path} is a study without a model of its own: name one of its cells, a folder "
            f"in {folder.cells}, or finish it with --resume."
        )
    try:
        name = json.loads(folder.best_cell.read_text(encoding="utf-8"))["cell"]
        best = RunFolder(folder.cells / Path(name).name)
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{folder.best_cell} is damaged: write it again by resuming the study."
        ) from None
    print(f"the best cell of the study by validation: {best.path}")
    return best


def _task(folder: RunFolder) -> Task:
    name = run_folder.task_name(folder)
    try:
        task = importlib.import_module(f"tasks.{name}").TASK
    except (ModuleNotFoundError, AttributeError):
        raise UserError(
            f"{folder.environment} names the task {name!r}, which this version does not have. "
            "`python -m tasks` lists the tasks."
        ) from None
    task = task.cell_task if isinstance(task, Study) else task
    if task is None:
        raise UserError(f"{folder.path} is a run of {name}, which trains no model.")
    return task
