"""Runs beside each other, from the files in their folders alone."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tasks.common import figures, run_folder
from tasks.common.config import OPERATIONAL
from tasks.common.errors import UserError
from tasks.common.metric_directions import Better, Headline, direction, guessed_headline
from tasks.common.run_folder import RunFolder
from tasks.common.wording import MISSING, decimal, duration, percent

# Parts of `seconds` in a report that are not training.
NOT_TRAINING = frozenset({"evaluation", "baselines"})


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """What the files of a run say.

    Attributes:
        label: a name that no other run of the comparison has.
        path: the run folder.
        task: the task that made it.
        options: its configuration as JSON has it.
        metrics: numbers by split; empty without a report.
        headline: the most important of them; None where none can be compared by.
        seconds: time of training; None without a report.
        parameters: of the network; None without a report.
    """

    label: str
    path: Path
    task: str
    options: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]
    headline: Headline | None
    seconds: float | None
    parameters: int | None

    def value(self, split: str, metric: str) -> float | None:
        """A number of the report; None where it has none that is finite."""
        value = self.metrics.get(split, {}).get(metric)
        usable = isinstance(value, int | float) and math.isfinite(value)
        return float(value) if usable else None

    def interval(self, split: str, metric: str) -> tuple[float, float] | None:
        """The 95 % interval of a number, where the report has one."""
        low, high = self.value(split, f"{metric}_low"), self.value(split, f"{metric}_high")
        return None if low is None or high is None else (low, high)


def read_runs(names: Sequence[str], runs_dir: Path) -> list[RunRecord]:
    """The runs that a user names, each once, in the order named.

    Raises:
        UserError: there is no such run, or its files are damaged.
    """
    paths = dict.fromkeys(run_folder.find(name, runs_dir) for name in names)
    folders = [RunFolder(path) for path in paths]
    return [_read(folder, _label(folder, folders)) for folder in folders]


def _label(folder: RunFolder, folders: Sequence[RunFolder]) -> str:
    """The end of the path that tells the run from the others: mostly the name alone."""
    parts = folder.path.parts
    for length in range(1, len(parts)):
        if sum(other.path.parts[-length:] == parts[-length:] for other in folders) == 1:
            return "/".join(parts[-length:])
    return str(folder.path)


def _read(folder: RunFolder, label: str) -> RunRecord:
    options = _read_object(folder.config)
    place = folder.report / "metrics.json"
    report = _read_object(place) if place.is_file() else {}
    try:
        seconds = report.get("seconds", {})
        metrics = {split: dict(numbers) for split, numbers in report.get("metrics", {}).items()}
        return RunRecord(
            label=label,
            path=folder.path,
            task=run_folder.task_name(folder),
            options=options,
            metrics=metrics,
            headline=_headline(report.get("headline"), metrics.get("test", {})),
            seconds=sum(float(seconds[part]) for part in seconds.keys() - NOT_TRAINING)
            if report
            else None,
            parameters=int(report["parameters"]) if "parameters" in report else None,
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(
            f"{place} is not the report of a run ({error}); write it again by resuming the run."
        ) from None


def _headline(written: Any, test: Mapping[str, float]) -> Headline | None:
    """What a report names as its headline; reports of earlier versions name none.

    Raises:
        TypeError, ValueError: it is damaged.
    """
    if written is None:
        return guessed_headline(test)
    headline = Headline(**written)
    if not isinstance(headline.metric, str) or headline.better not in ("max", "min"):
        raise ValueError(f"its headline is {written}")
    return headline


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}.") from None
    if not isinstance(value, dict):
        raise UserError(f"{path} must hold a JSON object. Received: {type(value).__name__}.")
    return value


def shared_headline(runs: Sequence[RunRecord]) -> str | None:
    """The number by which all runs want to be compared; None where none has a test result.

    Raises:
        UserError: they differ.
    """
    names = {run.label: run.headline.metric for run in runs if run.headline is not None}
    if len(set(names.values())) > 1:
        said = ", ".join(f"{metric} of {label}" for label, metric in names.items())
        raise UserError(
            f"The most important numbers of these runs differ ({said}): name one that they share "
            "by --metric, or compare runs of one task."
        )
    return next(iter(names.values()), None)


def better(runs: Sequence[RunRecord], metric: str) -> Better:
    """Which way a number is better: as a report says that has it for headline, else by its name."""
    said = (run.headline for run in runs if run.headline is not None)
    return next((one.better for one in said if one.metric == metric), direction(metric))


def ranked(runs: Sequence[RunRecord], metric: str) -> list[RunRecord]:
    """The runs by their test result, best first; those without one last, all else as named."""
    sign = 1 if better(runs, metric) == "min" else -1

    def key(run: RunRecord) -> float:
        value = run.value("test", metric)
        return math.inf if value is None else sign * value

    return sorted(runs, key=key)


def result_table(runs: Sequence[RunRecord], metric: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows: test result with its interval, validation, size and time."""
    word = metric.replace("_", " ")
    header = [
        "run",
        f"test {word}",
        "95 % interval",
        f"validation {word}",
        "parameters",
        "training",
    ]
    show = percent if "accuracy" in metric else decimal
    rows = []
    for run in runs:
        ends = run.interval("test", metric)
        rows.append(
            [
                run.label,
                show(run.value("test", metric)),
                MISSING if ends is None else f"{show(ends[0])} to {show(ends[1])}",
                show(run.value("validation", metric)),
                MISSING if run.parameters is None else f"{run.parameters:,}",
                MISSING if run.seconds is None else duration(run.seconds),
            ]
        )
    return header, rows


def option_table(runs: Sequence[RunRecord]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: the options in which the runs differ, one column a run.

    Options that say where and whether to run, not what is computed, do not count.
    """
    names = dict.fromkeys(name for run in runs for name in run.options)
    rows = [["task", *(run.task for run in runs)]] + [
        [f"--{name.replace('_', '-')}", *(_shown(run.options.get(name)) for run in runs)]
        for name in names
        if name not in OPERATIONAL
    ]
    return ["option", *(run.label for run in runs)], [row for row in rows if len(set(row[1:])) > 1]


def _shown(value: Any) -> str:
    """An option's value as a person types it."""
    if value is None:
        return MISSING
    if isinstance(value, list):
        return " ".join(map(_shown, value)) or "none"
    return str(value)


def chart(runs: Sequence[RunRecord], metric: str) -> Figure | None:
    """Bars of the test results with their intervals; None where no run has one."""
    measured = [run for run in runs if run.value("test", metric) is not None]
    if not measured:
        return None
    return figures.metric_bars(
        {run.label: run.value("test", metric) for run in measured},
        f"test {metric.replace('_', ' ')}",
        {run.label: ends for run in measured if (ends := run.interval("test", metric))},
    )
