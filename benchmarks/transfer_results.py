"""What `python -m benchmarks.transfer` shows: tables, sentences, a chart and a document."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.measurement import TOLERANCE, Measurement
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_REACHED = "not reached"
# What the suite is built to save, against the guide, on two cores.
GOAL = 8.0

PARTS = {
    "start": "start",
    "features": "frozen, once",
    "head": "head",
    "tail": "tail",
    "between": "between",
    "evaluation": "test",
    "after": "report, end",
}
"""The parts of `Measurement.parts`, in order, in the words of table and chart.

Imports, pictures and network; the frozen part of the network, once; the head; the head and the
last stages; what lies between stages; predictions for the test; what comes after.
"""


def summary_table(measurements: Sequence[Measurement], guide: Measurement | None) -> str:
    """Accuracy, seconds and memory of each contestant, and what they are beside the guide's.

    Args:
        measurements: one a row.
        guide: the one to compare with, whose test accuracy is to be reached; None if it is absent.
    """
    header = (
        *("", "test accuracy", "seconds to it", "times as fast"),
        *("whole process", "times as fast", "memory (MB)", "of the guide's"),
    )
    return text_table(header, [_summary(measurement, guide) for measurement in measurements])


def _summary(measurement: Measurement, guide: Measurement | None) -> tuple[str, ...]:
    seconds = f"{measurement.training_seconds:.1f}"
    times, whole, memory = MISSING, MISSING, MISSING
    if guide is not None:
        times = _times(guide.training_seconds, measurement.training_seconds)
        whole = _times(guide.total_seconds, measurement.total_seconds)
        memory = f"{100 * measurement.peak_bytes / guide.peak_bytes:.0f} %"
        if not measurement.reached(guide.accuracy):
            seconds, times = NOT_REACHED, MISSING
    return (
        *(measurement.name, percent(measurement.accuracy), seconds, times),
        *(f"{measurement.total_seconds:.1f}", whole),
        *(f"{measurement.peak_bytes / 1e6:,.0f}", memory),
    )


def _times(reference: float, seconds: float) -> str:
    return f"{reference / seconds:.2f}"


def verdicts(measurements: Sequence[Measurement], guide: Measurement | None) -> list[str]:
    """One sentence for each contestant but the guide: how fast it was, or what it fell short by."""
    if guide is None:
        return []
    return [_verdict(other, guide) for other in measurements if other is not guide]


def _verdict(other: Measurement, guide: Measurement) -> str:
    aim = (
        f"{percent(guide.accuracy)} of {guide.name}, of which {100 * TOLERANCE:.0f} point "
        "may be missing"
    )
    if not other.reached(guide.accuracy):
        return f"{other.name} did not reach the accuracy: {percent(other.accuracy)}, aim {aim}."
    times = guide.training_seconds / other.training_seconds
    return (
        f"{other.name} reached the accuracy ({percent(other.accuracy)}, aim {aim}) in "
        f"{other.training_seconds:.1f} s, {times:.2f} times as fast."
    )


def parts_table(measurements: Sequence[Measurement]) -> str:
    """Where the seconds of each whole process went."""
    rows = [
        (measurement.name, *(f"{measurement.parts()[part]:.1f}" for part in PARTS))
        for measurement in measurements
    ]
    return text_table(("seconds", *PARTS.values()), rows)


def stages_table(measurements: Sequence[Measurement], rate: float) -> str:
    """Speed of each stage, and how much of the machine's arithmetic it used.

    Args:
        measurements: one or more rows each.
        rate: multiply-adds a second of the machine, see `machine.matrix_multiply_rate`.
    """
    header = (
        *("", "stage", "seconds", "pictures a second"),
        *("10^9 multiply-adds", "10^9 a second", "of the machine's rate"),
    )
    rows = [
        (
            *(measurement.name, stage.name, f"{stage.seconds:.1f}"),
            *(f"{stage.examples_per_second:.1f}", f"{stage.multiply_adds / 1e9:,.1f}"),
            f"{stage.multiply_adds / stage.seconds / 1e9:.1f}",
            percent(stage.rate_share(rate)),
        )
        for measurement in measurements
        for stage in measurement.stages
    ]
    return text_table(header, rows)


def document(
    options: Any,
    machine: dict[str, str | int | float],
    rate: float,
    measurements: Sequence[Measurement],
    guide: Measurement | None,
) -> dict[str, Any]:
    """All that was measured, for JSON."""
    return {
        "options": dataclasses.asdict(options),
        "machine": machine,
        "multiply_adds_per_second": rate,
        "tolerance": TOLERANCE,
        "contestants": [_entry(measurement, rate, guide) for measurement in measurements],
    }


def _entry(measurement: Measurement, rate: float, guide: Measurement | None) -> dict[str, Any]:
    entry = {
        **dataclasses.asdict(measurement),
        "parts": measurement.parts(),
        "stages": [
            {
                **dataclasses.asdict(stage),
                "examples_per_second": stage.examples_per_second,
                "rate_share": stage.rate_share(rate),
            }
            for stage in measurement.stages
        ],
    }
    if guide is None:
        return entry
    reached = measurement.reached(guide.accuracy)
    return {
        **entry,
        "reached": reached,
        "seconds_to_accuracy": measurement.training_seconds if reached else None,
        "times_as_fast": guide.training_seconds / measurement.training_seconds if reached else None,
        "times_as_fast_whole": guide.total_seconds / measurement.total_seconds,
        "memory_share": measurement.peak_bytes / guide.peak_bytes,
    }


def chart(measurements: Sequence[Measurement], guide: Measurement | None) -> Figure:
    """A bar a contestant: the seconds of its whole process by what they went to."""
    import matplotlib

    from tasks.common import figures

    colors = (figures.GREY, figures.GREEN, figures.ORANGE, figures.BLUE)
    colors += ("#DDDDDD", figures.RED, "#B9A7C9")
    with matplotlib.rc_context(figures.STYLE):
        figure = figures.new_figure(9.0, 1.3 + 0.55 * len(measurements))
        axes = figure.subplots()
        rows = range(len(measurements))
        ends = [0.0] * len(measurements)
        for part, color in zip(PARTS, colors, strict=True):
            widths = [measurement.parts()[part] for measurement in measurements]
            axes.barh(rows, widths, left=ends, color=color, label=PARTS[part], height=0.6)
            ends = [end + width for end, width in zip(ends, widths, strict=True)]
        for row, (end, measurement) in enumerate(zip(ends, measurements, strict=True)):
            reached = guide is None or measurement.reached(guide.accuracy)
            text = percent(measurement.accuracy) + ("" if reached else f", {NOT_REACHED}")
            axes.annotate(text, (end, row), (5, 0), textcoords="offset points", va="center")
        axes.set_yticks(rows, [measurement.name for measurement in measurements])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.2 * max(ends))
        axes.set_xlabel("seconds of the whole process; test accuracy at the end of each bar")
        axes.grid(False, axis="y")
        figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    return figure
