"""The report of a run whose answers are maps: table, bars, best and worst pictures, learning."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from callbacks.tensorboard_hparams import write_hparams
from tasks.common import figures, run_folder, run_sections
from tasks.common.dense.figures import panel_rows
from tasks.common.metric_directions import Better, Headline
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.tables import markdown_table, text_table
from tasks.common.task import Run, Task
from tasks.common.wording import decimal, duration, percent

# Efron and Tibshirani 1993, section 13.3: a thousand resamples for percentile intervals.
RESAMPLES = 1000
THIS_MODEL = "this model"
"""What the run's own model is called beside its baselines."""

_BOUNDS = ("_low", "_high")


@dataclasses.dataclass(frozen=True)
class DenseResults:
    """What was measured at the end of a run.

    Attributes:
        metrics: numbers by name, the same names for `validation` and `test`. A name with
            `accuracy` is a share shown in percent, `count` a whole number, NAME_low and NAME_high
            the bounds of the 95 % interval of NAME.
        baselines: test numbers of others, by what they are called; names may be missing.
        headline: name of the most important number.
        better: whether it is better when larger or when smaller.
        opening: the sentence or two that the report begins with.
        seconds: time of what came after training, by part.
        sections: the task's own parts of the report, after the table of results.
        explanations: what numbers are, by name, where that needs a sentence.
        shown: the numbers of the closing table on the terminal; the headline alone where empty.
    """

    metrics: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float]]
    headline: str
    better: Better
    opening: str
    seconds: Mapping[str, float]
    sections: Sequence[Section] = ()
    explanations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    shown: Sequence[str] = ()


def write(task: Task, run: Run, results: DenseResults) -> None:
    """Writes `metrics.json`, `report.md` and TensorBoard's table, and prints the closing table."""
    seconds = {**run.seconds, **results.seconds}
    parameters = run.model.count_params()
    write_metrics(
        run.folder.report,
        task.name,
        results.metrics,
        results.baselines,
        seconds,
        parameters,
        Headline(results.headline, results.better),
    )
    sections = [
        Section("", results.opening),
        _results(results),
        *results.sections,
        run_sections.learning(run.history, seconds, results.headline, results.better),
        run_sections.origin(run.splits.info, run_folder.environment(run.folder), parameters),
    ]
    write_report(run.folder.report, f"{task.name} on {run.splits.info.name}", sections)
    numbers = {f"test_{key}": value for key, value in results.metrics["test"].items()}
    write_hparams(
        run.folder.tensorboard, dataclasses.asdict(run.config), numbers, run.folder.path.name
    )
    print(_closing_table(run, results))


def bootstrap(
    statistics: np.ndarray, metric: Callable[[np.ndarray], float], seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a metric, pictures resampled.

    Args:
        statistics: (pictures, ...): what each picture adds, such as its confusion matrix.
        metric: from the sum over pictures, (...), to the number.
        seed: of the resampling.

    Returns:
        The bounds; NaN where there is no picture.
    """
    count = len(statistics)
    if count == 0:
        return float("nan"), float("nan")
    resamples = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    sums = np.tensordot(resamples.astype(np.float64), statistics, axes=1)
    values = np.array([metric(each) for each in sums])
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return float(low), float(high)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean of a number per picture, (n,), as `bootstrap`."""
    # The mean is the sum of the values over the sum of ones.
    statistics = np.stack([values, np.ones_like(values)], axis=1)
    return bootstrap(statistics, lambda sums: float(sums[0] / sums[1]))


def extremes(
    scores: np.ndarray,
    panels_of: Callable[[int], Sequence[np.ndarray]],
    better: Better,
    name: str,
    headings: Sequence[str] = ("input", "truth", "prediction", "error"),
    count: int = 4,
    text: str = "",
) -> Section:
    """The pictures that came out best and worst.

    Args:
        scores: a number per picture, (n,); those with NaN are left out.
        panels_of: index of a picture -> its panels, uint8 (height, width, 3), one per heading.
        better: whether a score is better when larger or when smaller.
        name: what the score is called.
        headings: what the panels show.
        count: pictures at each end.
        text: what the reader should know of the colours.
    """
    order = np.argsort(scores, kind="stable")
    order = order[np.isfinite(scores[order])]
    order = order[::-1] if better == "max" else order
    groups = {"best_pictures": order[:count], "worst_pictures": order[::-1][:count]}
    drawn = {
        title: panel_rows(
            [panels_of(int(index)) for index in chosen],
            headings,
            [f"{name} {decimal(scores[index])}" for index in chosen],
        )
        for title, chosen in groups.items()
        if len(chosen)
    }
    return Section("Best and worst pictures", text, drawn)


def _results(results: DenseResults) -> Section:
    columns = {
        THIS_MODEL: results.metrics["test"],
        "on validation": results.metrics["validation"],
        **results.baselines,
    }
    names = [name for name in results.metrics["test"] if not name.endswith(_BOUNDS)]
    rows = [
        (name.replace("_", " "), *(_with_interval(values, name) for values in columns.values()))
        for name in names
    ]
    lines = [markdown_table(("metric", *columns), rows)]
    lines += [f"- {name.replace('_', ' ')}: {text}" for name, text in results.explanations.items()]
    return Section("Results", "\n".join([lines[0], "", *lines[1:]]).rstrip(), _bars(results))


def _bars(results: DenseResults) -> dict[str, figures.Figure]:
    name = results.headline
    models = {THIS_MODEL: results.metrics["test"], **results.baselines}
    values = {label: numbers.get(name) for label, numbers in models.items()}
    values = {k: v for k, v in values.items() if v is not None and np.isfinite(v)}
    # A correlation may be negative, which a bar from 0 does not show.
    if len(values) < 2 or min(values.values()) < 0:
        return {}
    bounds = {
        label: (models[label][f"{name}_low"], models[label][f"{name}_high"])
        for label in values
        if {f"{name}_low", f"{name}_high"} <= models[label].keys()
    }
    better = "higher" if results.better == "max" else "lower"
    title = f"{name.replace('_', ' ')} on test, {better} is better"
    return {"baselines": figures.metric_bars(values, title, bounds)}


def _with_interval(values: Mapping[str, float], name: str) -> str:
    text = shown(name, values.get(name))
    low, high = (values.get(f"{name}{bound}") for bound in _BOUNDS)
    if low is None or high is None:
        return text
    return f"{text} ({shown(name, low)} to {shown(name, high)})"


def shown(name: str, value: float | None) -> str:
    """A number as the tables show it: by its name a share, a count or a decimal."""
    if value is not None and name == "count":
        return str(int(value))
    return percent(value) if "accuracy" in name else decimal(value)


def _closing_table(run: Run, results: DenseResults) -> str:
    names = list(results.shown) or [results.headline]
    rows = [
        (label, *(_with_interval(values, name) for name in names))
        for label, values in {THIS_MODEL: results.metrics["test"], **results.baselines}.items()
    ]
    return "\n".join(
        [
            "",
            text_table(("test", *(name.replace("_", " ") for name in names)), rows),
            "",
            f"training {duration(sum(run.seconds.values()))}, "
            f"{run.model.count_params():,} parameters",
            f"report: {run.folder.report / 'report.md'}",
            f"TensorBoard: tensorboard --logdir {run.folder.path.parent}",
        ]
    )
