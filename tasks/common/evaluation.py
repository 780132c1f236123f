"""Tests the model of a run again: on a split of its own, or on another folder of pictures."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datasets import check, core, folder
from datasets.core import DataError
from tasks.common import classification, image_classifier, run_folder, run_pictures
from tasks.common.classification import Predictions
from tasks.common.saved_run import SavedRun
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, decimal, percent

OWN_DATA = "the run's own"
# Half of the last digit that the tables show. Sums in batches of another size, or on another
# processor, move a number by far less.
SAME_WITHIN = 0.0005


@dataclasses.dataclass(frozen=True)
class Relabelled:
    """The examples of a source under other class ids, int64, shape (len,)."""

    source: core.LabelledSource
    labels: np.ndarray

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.source)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The example of the source with its new label."""
        return {**self.source.example(index), "label": self.labels[index]}

    def identifier(self, index: int) -> str:
        """What the source calls it."""
        return self.source.identifier(index)


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Numbers of one model on one set of examples.

    Attributes:
        data: `OWN_DATA`, or the folder of the pictures.
        split: `test` or `validation`.
        metrics: as `classification.metrics` gives them.
        seconds: time the predictions took.
    """

    data: str
    split: str
    metrics: dict[str, float]
    seconds: float


def evaluate(
    saved: SavedRun, source: core.LabelledSource, data: str, split: str, batch_size: int
) -> Evaluation:
    """Predicts every example and counts."""
    started = time.monotonic()
    probabilities = image_classifier.predict(
        saved.model, source, run_pictures.batching(saved, batch_size)
    )
    predictions = Predictions(
        probabilities=probabilities,
        labels=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        class_names=saved.class_names,
    )
    seconds = time.monotonic() - started
    return Evaluation(data, split, classification.metrics(predictions), seconds)


def folder_examples(
    data_dir: Path,
    split: str,
    class_names: tuple[str, ...],
    skip_bad_images: bool,
    workers: int,
    image_size: tuple[int, int] | None = None,
) -> core.LabelledSource:
    """The pictures in class folders, under the class ids of a model that knows these names.

    `image_size` is that of the model: the pictures are decoded for it as in its training.

    Of a folder with splits of its own the one called `split` counts, else all pictures. Classes
    of the model without a folder are named on standard error, as are pictures left out.

    Raises:
        DataError: as `folder.read_parts`; the folder lacks the split or holds a class that the
            model does not know; a picture cannot be read and is not to be skipped.
    """
    names, parts = folder.read_parts(data_dir, image_size)
    if len(parts) > 1 and split not in parts:
        raise DataError(
            f"{data_dir} has folders for {', '.join(parts)} and none for {split}: choose another "
            "--split, or name the folder of one of them with --data-dir."
        )
    source = parts[split] if split in parts else parts["train"]
    unknown = [name for name in names if name not in class_names]
    if unknown:
        raise DataError(
            f"{data_dir} must hold only class folders named like the model's classes "
            f"({_listed(class_names)}), received also {_listed(unknown)}: rename or remove them."
        )
    ids = np.array([class_names.index(name) for name in names], dtype=np.int64)
    absent = np.setdiff1d(np.arange(len(class_names)), ids[source.labels])
    if len(absent):
        print(
            f"note: {data_dir} has no pictures of {_listed([class_names[i] for i in absent])}; "
            "the numbers say nothing about them.",
            file=sys.stderr,
        )
    return _readable(Relabelled(source, ids[source.labels]), skip_bad_images, workers)


def _readable(source: Relabelled, skip_bad_images: bool, workers: int) -> core.LabelledSource:
    bad = check.find_bad_pictures(source, workers=workers)
    if not skip_bad_images:
        check.require_no_bad_pictures(bad)
    for picture in bad:
        print(f"left out {picture.identifier}: {picture.reason}", file=sys.stderr)
    return check.without(source, bad)


def _listed(names: Any, most: int = 5) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def reported_metrics(saved: SavedRun, split: str) -> dict[str, float] | None:
    """What the run's report says about the split; None without a readable report."""
    try:
        text = (saved.folder.report / "metrics.json").read_text(encoding="utf-8")
        metrics = json.loads(text)["metrics"][split]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return metrics if isinstance(metrics, dict) else None


def differences(reported: Mapping[str, float], received: Mapping[str, float]) -> list[str]:
    """The numbers that both name and that differ beyond rounding, as `accuracy 0.9, was 0.8`."""
    return [
        f"{_words(name)} {_shown(name, value)}, was {_shown(name, reported[name])}"
        for name, value in received.items()
        if reported.get(name) is not None
        and not math.isclose(value, reported[name], rel_tol=0, abs_tol=SAME_WITHIN)
    ]


def table(evaluation: Evaluation, reported: Mapping[str, float] | None) -> str:
    """The numbers as a table, beside those of the report where it has any."""
    columns = [evaluation.metrics, *([reported] if reported else [])]
    names = [name for name in evaluation.metrics if name not in ("accuracy_low", "accuracy_high")]
    rows = []
    for name in names:
        rows.append([_words(name), *(_shown(name, numbers.get(name)) for numbers in columns)])
        if name == "accuracy":
            rows.append(["95 % interval", *map(interval, columns)])
    return text_table([evaluation.split, "now", *(["report"] if reported else [])], rows)


def interval(metrics: Mapping[str, float]) -> str:
    """The 95 % interval of the accuracy in words."""
    low, high = metrics.get("accuracy_low"), metrics.get("accuracy_high")
    return MISSING if low is None or high is None else f"{percent(low)} to {percent(high)}"


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
    except (OSError, ValueError, KeyError, TypeError):
        return False
