"""The end of the transfer study: what to train anew, beside what the lecture says, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.common.figures import BLUE, GREY, ORANGE, RED, STYLE, new_figure
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.seed_intervals import Interval, pooled_intervals
from tasks.common.study import CellResult, StudyRun
from tasks.common.tables import markdown_table, text_table
from tasks.common.transfer_study.grid import SOURCE, TransferStudyConfig, amount_of
from tasks.common.wording import MISSING

QUADRANTS = (
    ("similar", "few"),
    ("similar", "many"),
    ("different", "few"),
    ("different", "many"),
)
LECTURE = {
    ("similar", "few"): "linear head",
    ("similar", "many"): "last layers",
    ("different", "few"): "linear heads at several depths",
    ("different", "many"): "many layers",
}
# The lecture's words in terms of the methods that are run.
_LECTURE_METHOD = {
    ("similar", "few"): "linear",
    ("similar", "many"): "last",
    ("different", "few"): "linear",
    ("different", "many"): "everything",
}
METHODS = {
    "scratch": "from scratch",
    "linear": "linear head",
    "last": "last stage",
    "everything": "everything",
}
"""Words for the methods, in order of what they keep: nothing, all, all but a stage, a start."""

# What trains, the least first: of methods that are equally good, the first one is recommended.
_BY_EFFORT = ("linear", "last", "everything", "scratch")


@dataclasses.dataclass(frozen=True)
class Quadrant:
    """All that was found for one target and one number of examples.

    Attributes:
        test: test accuracy over the seeds by method, and for linear heads on earlier stages by
            `linear at N`.
        validation: the same on validation, by which is chosen.
    """

    test: Mapping[str, Interval]
    validation: Mapping[str, Interval]


def report(study_name: str, run: StudyRun, stage_count: int) -> None:
    """Writes `report.md`, `metrics.json` and the charts; prints the tables."""
    quadrants = {
        where: quadrant
        for where in QUADRANTS
        if (quadrant := _quadrant(run.config, run.results, *where)) is not None
    }
    source = next((result for result in run.results if result.name == SOURCE), None)
    numbers, advice = accuracy_table(quadrants), advice_table(quadrants)
    _write_metrics(study_name, run, quadrants)
    path = write_report(
        run.folder.report,
        "How much of a network to train anew",
        [
            Section("", f"{markdown_table(*advice)}\n\n{_how_chosen(run.config)}"),
            Section(
                "Test accuracy",
                f"{markdown_table(*numbers)}\n\n{_how_measured(source)}",
                {"accuracy_by_method": methods_chart(quadrants)},
            ),
            Section(
                "Linear heads at several depths",
                "Early stages tell edges and colours apart, late ones what the source is made of. "
                "Where the target is different, the best features may lie before the last stage.",
                {"accuracy_by_depth": depth_chart(quadrants, stage_count)},
            ),
            *_failures(run.results),
        ],
    )
    print(f"{text_table(*numbers)}\n\n{text_table(*advice)}\nReport: {path}")


def _write_metrics(
    study_name: str, run: StudyRun, quadrants: Mapping[tuple[str, str], Quadrant]
) -> None:
    write_metrics(
        run.folder.report,
        study_name,
        {
            f"{target} {amount}, {name}": {
                "test": interval.mean,
                "test_half_width": interval.half_width,
                "validation": quadrant.validation[name].mean,
            }
            for (target, amount), quadrant in quadrants.items()
            for name, interval in quadrant.test.items()
        },
        {
            f"{target} {amount}, from scratch": {"test": quadrant.test["scratch"].mean}
            for (target, amount), quadrant in quadrants.items()
            if "scratch" in quadrant.test
        },
        run.seconds,
        next(result.result["parameters"] for result in run.results if result.result is not None),
    )


def _quadrant(
    config: TransferStudyConfig, results: Sequence[CellResult], target: str, amount: str
) -> Quadrant | None:
    """What the finished cells of one quadrant gave; None where there is none."""
    values: dict[str, dict[str, list[float]]] = {"test": {}, "validation": {}}
    for result in results:
        cell = result.config
        if result.result is None or cell.target != target or amount_of(config, cell) != amount:
            continue
        name = cell.method if cell.head_stage is None else f"linear at {cell.head_stage}"
        for split, groups in values.items():
            groups.setdefault(name, []).append(result.result["metrics"][split]["accuracy"])
    if not values["test"]:
        return None
    return Quadrant(pooled_intervals(values["test"]), pooled_intervals(values["validation"]))


def recommended(quadrant: Quadrant) -> str:
    """The method that trains least among those that validation cannot tell from the best one.

    A linear head on an early stage counts as a linear head; the best stage speaks for all.
    """
    best = max(interval.mean for interval in quadrant.validation.values())
    tolerance = max(
        interval.half_width for interval in quadrant.validation.values() if interval.mean == best
    )
    # Without a second seed nothing is known of the spread, and only the best itself is as good.
    tolerance = tolerance if np.isfinite(tolerance) else 0.0
    good = [name for name, it in quadrant.validation.items() if it.mean >= best - tolerance]
    return min(good, key=lambda name: (_effort(name), -quadrant.validation[name].mean))


def _effort(name: str) -> int:
    return _BY_EFFORT.index(name.split(" at ")[0])


def words(name: str) -> str:
    """A method as a reader says it."""
    if name.startswith("linear at "):
        return f"linear head on stage {name.removeprefix('linear at ')}"
    return METHODS[name]


def advice_table(
    quadrants: Mapping[tuple[str, str], Quadrant],
) -> tuple[list[str], list[list[str]]]:
    """The four-cell recommendation, with the lecture's beside it: header and rows."""
    header = ["target, examples", "the lecture", "measured here", "test", "best in validation"]
    rows = []
    for (target, amount), quadrant in quadrants.items():
        choice = recommended(quadrant)
        best = max(quadrant.validation, key=lambda name: quadrant.validation[name].mean)
        rows.append(
            [
                f"{target}, {amount}",
                LECTURE[target, amount],
                words(choice),
                _number(quadrant.test[choice]),
                words(best),
            ]
        )
    return header, rows


def accuracy_table(
    quadrants: Mapping[tuple[str, str], Quadrant],
) -> tuple[list[str], list[list[str]]]:
    """Test accuracy of every method in every quadrant: header and rows."""
    names = list(METHODS)
    for quadrant in quadrants.values():
        names += [name for name in quadrant.test if name not in names]
    names.sort(key=lambda name: (name not in METHODS, name if name not in METHODS else ""))
    header = ["method", *(f"{target}, {amount}" for target, amount in quadrants)]
    rows = [
        [
            words(name),
            *(
                _number(quadrant.test[name]) if name in quadrant.test else MISSING
                for quadrant in quadrants.values()
            ),
        ]
        for name in names
    ]
    return header, rows


def _number(interval: Interval) -> str:
    if np.isnan(interval.half_width):
        return f"{interval.mean:.3f}"
    return f"{interval.mean:.3f} ± {interval.half_width:.3f}"


def _how_chosen(config: TransferStudyConfig) -> str:
    many = "all" if config.many is None else config.many
    return (
        f"Few: {config.few} training examples a class; many: {many}. Recommended is what trains "
        "least among the methods whose mean validation accuracy lies within the interval of the "
        "best one."
    )


def _how_measured(source: CellResult | None) -> str:
    text = (
        "Mean over the seeds, each with other examples, weights and order, ± half of the 95 % "
        "interval; the spread between seeds is pooled over the methods of a panel. Dots are "
        "single seeds."
    )
    if source is not None and source.result is not None:
        accuracy = source.result["metrics"]["test"]["accuracy"]
        text += (
            f" All start from one network, which reached {accuracy:.3f} on its own source: how far "
            "another would have come is not in the intervals."
        )
    return text


def _failures(results: Sequence[CellResult]) -> list[Section]:
    failed = [(result.name, result.failure) for result in results if result.failure is not None]
    if not failed:
        return []
    return [Section("Cells that failed", markdown_table(("cell", "reason"), failed))]


@matplotlib.rc_context(STYLE)
def methods_chart(quadrants: Mapping[tuple[str, str], Quadrant]) -> Figure:
    """Four panels: test accuracy by method, with intervals and single seeds."""
    figure = new_figure(8.6, 6.2)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, where in zip(panels.ravel(), QUADRANTS, strict=True):
        target, amount = where
        axes.set_title(f"{target} target, {amount} examples")
        if where not in quadrants:
            continue
        quadrant = quadrants[where]
        for position, name in enumerate(METHODS):
            if name in quadrant.test:
                colour = ORANGE if name == _LECTURE_METHOD[where] else BLUE
                _draw_interval(axes, position, quadrant.test[name], colour)
        axes.set_xticks(range(len(METHODS)), METHODS.values(), rotation=15)
        axes.grid(False, axis="x")
    for axes in panels[:, 0]:
        axes.set_ylabel("test accuracy")
        axes.set_ylim(0, 1.05)
    figure.suptitle("orange: what the lecture recommends", fontsize=9, color=GREY)
    return figure


def _draw_interval(axes: Axes, position: float, interval: Interval, colour: str) -> None:
    """The mean with its interval, and the single seeds beside it."""
    half = 0.0 if np.isnan(interval.half_width) else interval.half_width
    axes.errorbar(
        [position], [interval.mean], [half], fmt="o", color=colour, markersize=6, capsize=4
    )
    axes.plot(
        np.full(len(interval.values), position + 0.18), interval.values, ".", color=GREY, alpha=0.7
    )


@matplotlib.rc_context(STYLE)
def depth_chart(quadrants: Mapping[tuple[str, str], Quadrant], stage_count: int) -> Figure:
    """Accuracy of a linear head by the stage it stands on, few examples, for both targets."""
    figure = new_figure(6.4, 3.8)
    axes = figure.subplots()
    for target, colour, shift in (("similar", BLUE, -0.04), ("different", RED, 0.04)):
        quadrant = quadrants.get((target, "few"))
        if quadrant is None:
            continue
        by_stage = {
            stage: quadrant.test[name]
            for stage in range(1, stage_count + 1)
            if (name := "linear" if stage == stage_count else f"linear at {stage}") in quadrant.test
        }
        places = [stage + shift for stage in by_stage]
        means = [interval.mean for interval in by_stage.values()]
        axes.plot(places, means, color=colour, label=f"{target} target")
        for place, interval in zip(places, by_stage.values(), strict=True):
            _draw_interval(axes, place, interval, colour)
    axes.set_xticks(range(1, stage_count + 1))
    axes.set_xlabel("stage that the linear head stands on, 1 the shallowest")
    axes.set_ylabel("test accuracy")
    axes.legend()
    return figure
