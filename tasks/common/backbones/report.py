"""The end of a comparison of networks: one row a network, sorted, and charts over the time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from tasks.common import classification
from tasks.common.classification import Predictions
from tasks.common.figures import STYLE, new_figure
from tasks.common.point_labels import label_points
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.run_folder import replace_text
from tasks.common.study import StudyRun
from tasks.common.tables import markdown_table, text_table
from tasks.common.wording import MISSING, percent, shorten

# What a guess is right in of ImageNet's 1,000 classes, at the first and within five attempts.
CHANCE = {"top_1": 1 / 1000, "top_5": 5 / 1000}
# Measured anew by each process: the median counts.
_MEASURED = (
    *("milliseconds", "milliseconds_in_batch", "memory_megabytes"),
    "seconds_to_first_answer",
)
_COLUMNS = (
    *("network", "family", "weights", "image_side", "megabytes", "parameters", "depth"),
    *("milliseconds", "milliseconds_in_batch", "batch_size", "seconds_to_first_answer"),
    *("memory_megabytes", "top_1", "top_1_low", "top_1_high"),
    *("top_5", "top_5_low", "top_5_high", "pictures", "failure"),
)

Row = Mapping[str, Any]


def accuracies(
    probabilities: np.ndarray, labels: np.ndarray, class_names: Sequence[str]
) -> dict[str, float]:
    """Top-1 and top-5 accuracy, each with its 95 % interval (Wilson), and the number of pictures.

    Args:
        probabilities: float (n, classes).
        labels: class ids, int (n,).
        class_names: one name per class id.
    """
    said = Predictions(
        probabilities, np.asarray(labels), tuple(map(str, range(len(labels)))), tuple(class_names)
    )
    found: dict[str, float] = {"pictures": len(labels)}
    for name, k in (("top_1", 1), ("top_5", 5)):
        found[name] = classification.top_k_accuracy(said, k)
        right = round(found[name] * len(labels))
        low, high = classification.accuracy_interval(right, len(labels))
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found


def report(study_name: str, run: StudyRun) -> None:
    """Writes `report.md`, `metrics.json`, `backbones.csv` and the charts; prints the table."""
    rows = sorted_rows(run)
    done = [row for row in rows if "failure" not in row]
    folder = run.folder.report
    numbers = {
        row["network"]: {name: row[name] for name in _COLUMNS[3:-1] if name in row} for row in done
    }
    parameters = sum(row["parameters"] for row in done)
    write_metrics(folder, study_name, numbers, {"chance": CHANCE}, run.seconds, parameters)
    replace_text(folder / "backbones.csv", as_csv(rows))
    charts = {"size_by_time": size_chart(done)}
    if any("top_1" in row for row in done):
        charts = {"accuracy_by_time": accuracy_chart(done), **charts}
    sections = [
        Section("", f"{markdown_table(*table(rows))}\n\n{explanation(done)}"),
        Section("Charts", "", charts),
    ]
    path = write_report(folder, "Networks of keras.applications on this machine", sections)
    print(text_table(*table(rows, longest_failure=40)))
    print(f"{ranks(done)}\nReport: {path}, table: {folder / 'backbones.csv'}")


def sorted_rows(run: StudyRun) -> list[Row]:
    """One row a network, the fastest first, those that failed at the end with `failure`.

    Of several processes the medians of what they timed count; one that succeeded is enough.
    """
    by_network: dict[str, list[Any]] = {}
    for result in run.results:
        by_network.setdefault(result.config.network, []).append(result)
    rows = [_row(network, results) for network, results in by_network.items()]
    return sorted(rows, key=lambda row: row.get("milliseconds", float("inf")))


def _row(network: str, results: Sequence[Any]) -> Row:
    found = [result.result for result in results if result.result is not None]
    if not found:
        return {"network": network, "failure": results[0].failure}
    medians = {
        name: float(np.median([one[name] for one in found]))
        for name in _MEASURED
        if name in found[0]
    }
    return {**found[0], **medians}


def table(rows: Sequence[Row], longest_failure: int = 300) -> tuple[list[str], list[list[str]]]:
    """Header and cells; columns that no row has anything for are left out."""
    known = any("top_1" in row for row in rows)
    batch = next((row["batch_size"] for row in rows if "batch_size" in row), None)
    columns: dict[str, Any] = {
        "network": lambda row: row["network"],
        "size, MB": _number("megabytes", "{:.0f}"),
        "parameters, M": _number("parameters", "{:.1f}", 1e6),
        "depth": _number("depth", "{:d}"),
        "picture, px": _number("image_side", "{:d}"),
        "ms a picture": _number("milliseconds", "{:.1f}"),
    }
    if batch is not None:
        columns[f"ms in batches of {batch}"] = _number("milliseconds_in_batch", "{:.1f}")
    columns["peak memory, MB"] = _number("memory_megabytes", "{:.0f}")
    if known:
        columns["top-1"] = lambda row: percent(row.get("top_1"))
        columns["top-5"] = lambda row: percent(row.get("top_5"))
    if any("failure" in row for row in rows):
        columns["failure"] = lambda row: shorten(row.get("failure", ""), longest_failure)
    shown = [*rows, {"network": "chance", **CHANCE}] if known else rows
    return list(columns), [[cell(row) for cell in columns.values()] for row in shown]


def _number(name: str, form: str, unit: float | None = None) -> Any:
    def cell(row: Row) -> str:
        if name not in row:
            return MISSING
        return form.format(row[name] if unit is None else row[name] / unit)

    return cell


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV with every number that was measured; empty where there is none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def explanation(rows: Sequence[Row]) -> str:
    """What the columns are."""
    random = [row["network"] for row in rows if row["weights"] == "random"]
    words = [
        "Size: the weights in float32, MB of 2^20 bytes. Depth: layers that have weights. Time: "
        "median of single pictures, and of a picture in batches, through the compiled network "
        "with its preprocessing. Peak memory: of the process, TensorFlow's own included."
    ]
    measured = next((row for row in rows if "top_1" in row), None)
    if measured is not None:
        words.append(
            f"Accuracy on {measured['pictures']} pictures, each cut to its central square; Keras's "
            "table is of ImageNet's 50,000 validation pictures. The bars of the chart are 95 % "
            "intervals (Wilson). Chance is the accuracy of a guess."
        )
    if random:
        words.append(
            f"{len(random)} of {len(rows)} networks had random weights, which does not change "
            "their size or time: no file of theirs was found."
        )
    return " ".join([*words, ranks(rows)])


def ranks(rows: Sequence[Row]) -> str:
    """Whether the larger networks are the slower ones, as a sentence."""
    if len(rows) < 3:
        return "Too few networks to say whether larger ones are slower."
    sizes, times = ([row[name] for row in rows] for name in ("parameters", "milliseconds"))
    agreement = float(spearmanr(sizes, times).statistic)
    return (
        f"Rank correlation of size and time over {len(rows)} networks: {agreement:.2f} "
        "(1 would mean: the larger, the slower, without exception)."
    )


@matplotlib.rc_context(STYLE)
def size_chart(rows: Sequence[Row]) -> Figure:
    """Parameters over time, both logarithmic; a line joins the networks of a family."""
    figure = new_figure(9.5, 6.0)
    axes = figure.subplots()
    sizes = np.array([row["parameters"] / 1e6 for row in rows])
    axes.set_ylabel("parameters, millions")
    _draw(axes, rows, sizes, log=True)
    return figure


@matplotlib.rc_context(STYLE)
def accuracy_chart(rows: Sequence[Row]) -> Figure:
    """Top-1 accuracy over time, logarithmic, with 95 % intervals."""
    known = [row for row in rows if "top_1" in row]
    figure = new_figure(9.5, 6.0)
    axes = figure.subplots()
    accuracy = np.array([row["top_1"] for row in known])
    below = accuracy - [row["top_1_low"] for row in known]
    above = [row["top_1_high"] for row in known] - accuracy
    times = [row["milliseconds"] for row in known]
    axes.errorbar(times, accuracy, (below, above), fmt="none", color="#AAAAAA", linewidth=1)
    axes.set_ylabel("top-1 accuracy")
    _draw(axes, known, accuracy, log=False)
    return figure


def _draw(axes: Axes, rows: Sequence[Row], values: np.ndarray, log: bool) -> None:
    """Points with names, and a line through each family in order of time."""
    times = np.array([row["milliseconds"] for row in rows])
    colours = matplotlib.colormaps["tab20"].colors
    families = list(dict.fromkeys(row["family"] for row in rows))
    for number, family in enumerate(families):
        members = [index for index, row in enumerate(rows) if row["family"] == family]
        members.sort(key=lambda index: times[index])
        colour = colours[number % len(colours)]
        axes.plot(times[members], values[members], "-o", color=colour, linewidth=1, markersize=5)
    axes.set_xscale("log")
    if log:
        axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis) if log else (axes.xaxis,):
        axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.margins(0.12)
    axes.set_xlabel("time for a single picture, ms")
    label_points(axes, times, values, [row["network"] for row in rows])
