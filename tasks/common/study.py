"""The record that a study is: a grid of cells, each of which runs in a process of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.common.config import StudyConfig
from tasks.common.run_folder import RunFolder
from tasks.common.task import Task


@dataclasses.dataclass(frozen=True)
class Cell:
    """One point of the grid.

    Attributes:
        name: unique in the study; the name of its folder.
        config: the options of what runs in it.
        after: name of an earlier cell that has to be finished before this one starts, because it
            needs what that one made.
    """

    name: str
    config: Any
    after: str | None = None


@dataclasses.dataclass(frozen=True)
class CellResult:
    """What became of a cell.

    Attributes:
        name: of the cell.
        config: its options.
        folder: where it lies; a complete run folder where the cell trained.
        result: what `Study.run_cell` gave; None where it failed.
        failure: one sentence that says why it failed; None where it did not.
        history: rows of `metrics.csv`, one an epoch; empty where the cell trained nothing.
    """

    name: str
    config: Any
    folder: RunFolder
    result: Mapping[str, Any] | None
    failure: str | None
    history: Sequence[Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class StudyRun:
    """A study at its end: all that its report is made from.

    Attributes:
        config: options of the study.
        folder: its run folder.
        results: one a cell, in the order of `Study.cells`; at least one did not fail.
        seconds: time by part of the study; `cells` is the time of all cells, one after another.
    """

    config: Any
    folder: RunFolder
    results: Sequence[CellResult]
    seconds: dict[str, float]


def no_best(run: StudyRun) -> None:
    """For studies in which no cell stands for the whole."""


def best_by_validation(run: StudyRun) -> CellResult | None:
    """The cell with the best validation accuracy; of several the one with the least log loss."""

    def rank(result: CellResult) -> tuple[float, float]:
        validation = result.result["metrics"]["validation"]
        return validation["accuracy"], -validation["log_loss"]

    finished = [result for result in run.results if result.result is not None]
    return max(finished, key=rank, default=None)


@dataclasses.dataclass(frozen=True)
class Study:
    """A task that compares: plain functions that the study runner calls from top to bottom.

    Attributes:
        name: the module's name, as in `python -m tasks.NAME`.
        summary: one line for the list of tasks.
        presets: the study's options by preset; `quick` holds the defaults.
        check: config -> config with every `auto` settled; raises UserError where options do not
            fit together, before any work.
        cells: config -> the grid. It depends on the options alone: each cell's process asks again.
        run_cell: (options of the cell, its folder) -> what was found, as JSON can hold it. Runs in
            the process of the cell.
        report: run -> writes the report, prints the closing table.
        summarise: what `run_cell` gave -> a few words for the line of progress.
        cell_task: what a cell trains, where cells train; it bears the study's name. The commands
            on finished runs open cells with it.
        best: run -> the cell whose model stands for the study, chosen by validation.
    """

    name: str
    summary: str
    presets: Mapping[str, StudyConfig]
    check: Callable[[Any], Any]
    cells: Callable[[Any], Sequence[Cell]]
    run_cell: Callable[[Any, RunFolder], Mapping[str, Any]]
    report: Callable[[StudyRun], None]
    summarise: Callable[[Mapping[str, Any]], str] = lambda _: ""
    cell_task: Task | None = None
    best: Callable[[StudyRun], CellResult | None] = no_best
