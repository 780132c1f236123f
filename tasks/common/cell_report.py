"""The end of one cell of a study: the numbers, without the figures and baselines of a report.

What the cells say together stands in the report of the study.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from datasets.core import LabelledSource
from tasks.common import classification
from tasks.common.classification import Predictions
from tasks.common.metric_directions import ACCURACY
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.tables import markdown_table
from tasks.common.task import Run
from tasks.common.wording import decimal


def report(task_name: str, run: Run, predictions: Callable[[LabelledSource], Predictions]) -> None:
    """Writes `metrics.json` and a short `report.md`.

    Args:
        task_name: name of the study.
        run: the cell's run.
        predictions: what the model says about every example of a source.
    """
    started = time.monotonic()
    metrics = {
        name: classification.metrics(predictions(getattr(run.splits, name)))
        for name in ("validation", "test")
    }
    seconds = {**run.seconds, "evaluation": time.monotonic() - started}
    parameters = run.model.count_params()
    write_metrics(run.folder.report, task_name, metrics, {}, seconds, parameters, ACCURACY)
    rows = [
        (name.replace("_", " "), *(decimal(metrics[split][name]) for split in metrics))
        for name in metrics["test"]
    ]
    table = markdown_table(("metric", *metrics), rows)
    title = f"{run.folder.path.name}, a cell of {task_name}"
    write_report(run.folder.report, title, [Section("", table)])
