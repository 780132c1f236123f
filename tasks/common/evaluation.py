"""Tests the model of a run again and sets the numbers beside those of its report."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.common import run_folder
from tasks.common.saved_run import SavedRun
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, decimal, percent

OWN_DATA = "the run's own"
# Half of the last digit that the tables show. Sums in batches of another size, or on another
# processor, move a number by far less; a large one, which has fewer digits after the point, by no
# more than float32 rounds a sum of some thousand terms.
SAME_WITHIN, SAME_SHARE = 0.0005, 1e-5


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Numbers of one model on one set of examples.

    Attributes:
        data: `OWN_DATA`, or the place of the examples.
        split: `test` or `validation`.
        metrics: as `Verbs.measure` gives them.
        seconds: time the predictions took.
    """

    data: str
    split: str
    metrics: dict[str, float]
    seconds: float


def evaluate(saved: SavedRun, source: Any, data: str, split: str, batch_size: int) -> Evaluation:
    """Predicts every example of a source and counts."""
    started = time.monotonic()
    metrics = saved.task.verbs().measure(saved, source, batch_size)
    return Evaluation(data, split, metrics, time.monotonic() - started)


def reported_metrics(saved: SavedRun, split: str) -> dict[str, float] | None:
    """What the run's report says about the split; None without a readable report."""
    try:
        text = (saved.folder.report / "metrics.json").read_text(encoding="utf-8")
        metrics = json.loads(text)["metrics"][split]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(metrics, dict):
        return None
    return {
        name: value
        for name, value in metrics.items()
        if value is None or isinstance(value, int | float)
    }


def differences(reported: Mapping[str, float], received: Mapping[str, float]) -> list[str]:
    """The numbers that both name and that differ beyond rounding, as `accuracy 0.9, was 0.8`."""
    return [
        f"{_words(name)} {_shown(name, value)}, was {_shown(name, reported[name])}"
        for name, value in received.items()
        if value is not None
        and reported.get(name) is not None
        and not math.isclose(value, reported[name], rel_tol=SAME_SHARE, abs_tol=SAME_WITHIN)
    ]


def table(evaluation: Evaluation, reported: Mapping[str, float] | None) -> str:
    """The numbers as a table, beside those of the report where it has any.

    NAME_low and NAME_high become one line below NAME: its 95 % interval.
    """
    columns = [evaluation.metrics, *([reported] if reported else [])]
    rows = []
    for name in evaluation.metrics:
        of, _, bound = name.rpartition("_")
        if bound in ("low", "high") and _has_interval(evaluation.metrics, of):
            continue
        rows.append([_words(name), *(_shown(name, numbers.get(name)) for numbers in columns)])
        if _has_interval(evaluation.metrics, name):
            rows.append(["95 % interval", *(interval(numbers, name) for numbers in columns)])
    return text_table([evaluation.split, "now", *(["report"] if reported else [])], rows)


def _has_interval(metrics: Mapping[str, float], name: str) -> bool:
    return {name, f"{name}_low", f"{name}_high"} <= metrics.keys()


def interval(metrics: Mapping[str, float], name: str) -> str:
    """The 95 % interval of the metric called `name`, in words."""
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    if low is None or high is None:
        return MISSING
    return f"{_shown(name, low)} to {_shown(name, high)}"


def _words(name: str) -> str:
    return "examples" if name == "count" else name.replace("_", " ")


def _shown(name: str, value: float | None) -> str:
    if value is not None and name == "count":
        return str(int(value))
    return percent(value) if "accuracy" in name else decimal(value)


def write(saved: SavedRun, evaluation: Evaluation, name: str) -> Path:
    """Writes `evaluations/<name>.json` of the run folder; the place.

    A file of that name about other data is left alone: then the name gets a number.
    """
    place = saved.folder.path / "evaluations"
    place.mkdir(exist_ok=True)
    path = next(
        path
        for number in itertools.count(1)
        if _may_replace(path := place / f"{name}{f'-{number}' * (number > 1)}.json", evaluation)
    )
    document = {
        "task": saved.task.name,
        "data": evaluation.data,
        "split": evaluation.split,
        "evaluated": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "metrics": {evaluation.split: evaluation.metrics},
        "seconds": {"evaluation": evaluation.seconds},
        "parameters": saved.model.count_params(),
    }
    run_folder.replace_text(path, json.dumps(document, indent=2) + "\n")
    return path


def _may_replace(path: Path, evaluation: Evaluation) -> bool:
    if not path.exists():
        return True
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        return (earlier["data"], earlier["split"]) == (evaluation.data, evaluation.split)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
