"""The report of an image classification run: what a person wants to know before trusting it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.core import DatasetInfo
from tasks.common import classification, classification_figures, figures, run_sections
from tasks.common.classification import Mistake, Predictions
from tasks.common.metric_directions import ACCURACY
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.tables import escaped, markdown_table, text_table
from tasks.common.wording import decimal, duration, percent

_PAIRS = 10
_MISTAKES = 8


@dataclasses.dataclass(frozen=True)
class ClassificationReport:
    """All that the report tells.

    Attributes:
        task: name of the task.
        info: the data set.
        validation, test: predictions beside the truth.
        baselines: test metrics by the name of the baseline.
        history: rows of `metrics.csv`, one an epoch.
        seconds: time by part of the run; the stages of the training have the names they have in
            `history`.
        parameters: weights of the model.
        environment: what `environment.json` holds.
        picture: gives the test picture at an index, uint8 (height, width, 3).
        further: sections of the task's own, shown behind the results.
    """

    task: str
    info: DatasetInfo
    validation: Predictions
    test: Predictions
    baselines: Mapping[str, Mapping[str, float]]
    history: Sequence[Mapping[str, Any]]
    seconds: Mapping[str, float]
    parameters: int
    environment: Mapping[str, Any]
    picture: Callable[[int], np.ndarray]
    further: Sequence[Section] = ()


def write_classification_report(folder: Path, report: ClassificationReport) -> None:
    """Writes `metrics.json`, `report.md` and its figures into `folder`."""
    metrics = {
        "test": classification.metrics(report.test),
        "validation": classification.metrics(report.validation),
    }
    write_metrics(
        folder,
        report.task,
        metrics,
        report.baselines,
        report.seconds,
        report.parameters,
        ACCURACY,
    )
    sections = [
        Section("", headline(metrics["test"], report.baselines)),
        _results(metrics, report),
        *report.further,
        run_sections.learning(report.history, report.seconds, "accuracy", "max"),
        _confusion(report),
        _mistakes(report),
        _classes(report),
        _calibration(metrics["test"], report),
        run_sections.origin(
            report.info,
            report.environment,
            report.parameters,
            [("classes", f"{len(report.info.class_names)}")],
        ),
    ]
    write_report(folder, f"{report.task} on {report.info.name}", sections)


def headline(test: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]) -> str:
    """One sentence: the accuracy with its interval beside those of the baselines."""
    others = ", ".join(
        f"{escaped(name)} {percent(values['accuracy'])}" for name, values in baselines.items()
    )
    return (
        f"**{percent(test['accuracy'])}** of {test['count']} test pictures are classified right "
        f"(95 % interval {percent(test['accuracy_low'])} to {percent(test['accuracy_high'])}). "
        f"For comparison: {others}."
    )


def summary_table(report: ClassificationReport, folder: Path) -> str:
    """The table that the terminal shows at the end of a run."""
    test = classification.metrics(report.test)
    rows = [("this model", _accuracy(test))]
    rows += [(name, _accuracy(values)) for name, values in report.baselines.items()]
    training = sum(report.seconds.get(stage, 0.0) for stage in _stages(report.history))
    return "\n".join(
        [
            "",
            text_table(("test accuracy", "share right (95 % interval)"), rows),
            "",
            f"training {duration(training)}, {report.parameters:,} parameters",
            f"report: {folder / 'report.md'}",
        ]
    )


def _accuracy(values: Mapping[str, float]) -> str:
    low, high = percent(values["accuracy_low"]), percent(values["accuracy_high"])
    return f"{percent(values['accuracy'])} ({low} to {high})"


def _stages(history: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["stage"] for row in history))


def _results(metrics: Mapping[str, Mapping[str, float]], report: ClassificationReport) -> Section:
    names = [name for name in metrics["test"] if name not in {"accuracy_low", "accuracy_high"}]
    rows = [
        (
            name.replace("_", " "),
            *(
                str(metrics[split][name]) if name == "count" else decimal(metrics[split][name])
                for split in ("test", "validation")
            ),
        )
        for name in names
    ]
    accuracies = {"this model": metrics["test"]} | dict(report.baselines)
    bars = figures.metric_bars(
        {name: values["accuracy"] for name, values in accuracies.items()},
        "test accuracy",
        {
            name: (values["accuracy_low"], values["accuracy_high"])
            for name, values in accuracies.items()
        },
    )
    return Section(
        "Results", markdown_table(("metric", "test", "validation"), rows), {"baselines": bars}
    )


def _confusion(report: ClassificationReport) -> Section:
    counts = classification.confusion_counts(report.test)
    names = report.info.class_names
    pairs = classification.most_confused_pairs(report.test, _PAIRS)
    rows = [
        (names[pair.truth], names[pair.predicted], str(pair.count), percent(pair.share))
        for pair in pairs
    ]
    header = ("truth", "taken for", "pictures", "share of the class")
    text = markdown_table(header, rows) if rows else "No test picture was mistaken."
    figure = classification_figures.confusion_matrix(counts, names)
    return Section("Confusions", text, {"confusion_matrix": figure})


def _mistakes(report: ClassificationReport) -> Section:
    worst = classification.worst_mistakes(report.test, _MISTAKES)
    surest = classification.surest_mistakes(report.test, _MISTAKES, besides=worst)
    if not worst:
        return Section("Mistakes", "There are none on the test split.")
    text = (
        "Worst mistakes: the truth was least expected. Surest mistakes: the wrong answer was "
        "given with the highest probability, those among the worst left out."
    )
    names = report.info.class_names
    rows = [
        (
            mistake.identifier,
            names[mistake.truth],
            names[mistake.predicted],
            percent(mistake.confidence),
        )
        for mistake in [*worst, *surest]
    ]
    table = markdown_table(("picture", "truth", "answer", "probability of the answer"), rows)
    grids = {"worst_mistakes": worst, "surest_mistakes": surest}
    return Section(
        "Mistakes",
        f"{text}\n\n{table}",
        {name: _grid(report, mistakes) for name, mistakes in grids.items() if mistakes},
    )


def _grid(report: ClassificationReport, mistakes: Sequence[Mistake]) -> figures.Figure:
    names = report.info.class_names
    return figures.picture_grid(
        [report.picture(mistake.index) for mistake in mistakes],
        [
            f"is {names[mistake.truth]} ({percent(mistake.truth_probability)})\n"
            f"called {names[mistake.predicted]} ({percent(mistake.confidence)})"
            for mistake in mistakes
        ],
    )


def _classes(report: ClassificationReport) -> Section:
    scores = classification.per_class_table(report.test)
    rows = [
        (
            score.name,
            str(score.class_id),
            str(score.count),
            percent(score.precision),
            percent(score.recall),
            percent(score.f1),
            percent(score.average_precision),
        )
        for score in scores
    ]
    header = ("class", "id", "pictures", "precision", "recall", "F1", "average precision")
    figure = classification_figures.per_class_bars(scores)
    return Section("Classes", markdown_table(header, rows), {"classes": figure})


def _calibration(test: Mapping[str, float], report: ClassificationReport) -> Section:
    error = test["expected_calibration_error"]
    text = (
        "A calibrated model is right in 80 % of the cases to which it gives a probability of "
        f"80 %. The expected calibration error is {decimal(error)} (Guo et al. 2017, "
        f"{classification.CALIBRATION_BINS} bins)."
    )
    bins = classification.reliability_bins(report.test)
    figure = classification_figures.reliability_diagram(bins)
    return Section("Calibration", text, {"calibration": figure})
