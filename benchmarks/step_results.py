"""What `python -m benchmarks.step` shows: tables of steps, starts and runs, and a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.step_case import Outcome, Timing
from benchmarks.step_run import BETWEEN, RunTimes, Stage
from tasks.common.tables import text_table
from tasks.common.wording import MISSING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The suite's own configuration: no XLA, one step a call, metrics, deterministic.
OWN = "own"
# Of a run, at most this share is spent in callbacks.
GOAL = 0.02

TITLES = {
    OWN: "as it is",
    "xla": "XLA",
    "executions": "8 steps a call",
    "no_metrics": "no metrics",
    "not_deterministic": "not deterministic",
}
_BETWEEN_TITLES = {
    "load_best": "best weights",
    "compile_model": "compile",
    "tail_training": "features",
    "watch": "pictures",
    "other": "other",
}
_START_PARTS = {
    "imports": lambda timing: timing.import_seconds,
    "network": lambda timing: timing.build_seconds,
    "first step": lambda timing: timing.first_step_seconds,
}


def step_table(outcomes: Sequence[Outcome]) -> str:
    """One row a case, compared with the suite's own of the same network, part and batch size."""
    header = (
        *("network", "trains", "batch", "step", "ms a step", "pictures/s"),
        *("of as it is", "first step (s)", "pays after"),
    )
    return text_table(header, [_step_row(outcome, _own(outcome, outcomes)) for outcome in outcomes])


def _step_row(outcome: Outcome, own: Timing | None) -> tuple[str, ...]:
    case, timing = outcome.case, outcome.timing
    place = (case.backbone, case.part, str(case.batch_size), TITLES[case.variant])
    if timing is None:
        return (*place, outcome.fault, *[MISSING] * 4)
    numbers = (
        f"{timing.milliseconds:.1f}",
        f"{1000 * case.batch_size / timing.milliseconds:.1f}",
    )
    if own is None or case.variant == OWN:
        return (*place, *numbers, MISSING, f"{timing.first_step_seconds:.1f}", MISSING)
    ratio = f"{timing.milliseconds / own.milliseconds:.2f}"
    return (*place, *numbers, ratio, f"{timing.first_step_seconds:.1f}", _pays_after(timing, own))


def _pays_after(timing: Timing, own: Timing) -> str:
    """Steps after which a faster step has won back what its start took longer."""
    steps = steps_to_win_back(timing, own)
    if math.isinf(steps):
        return "never"
    return "at once" if steps == 0 else f"{steps} steps"


def steps_to_win_back(timing: Timing, own: Timing) -> float:
    """The number of steps after which `timing` has the lower sum of seconds; inf for never."""
    longer = timing.first_step_seconds - own.first_step_seconds
    saved = (own.milliseconds - timing.milliseconds) / 1000
    if saved <= 0:
        return math.inf
    return max(0, math.ceil(longer / saved))


def _own(outcome: Outcome, outcomes: Sequence[Outcome]) -> Timing | None:
    """The suite's own timing of the same network, part and batch size; None if there is none."""
    key = _key(outcome)
    return next(
        (other.timing for other in outcomes if _key(other) == key and other.case.variant == OWN),
        None,
    )


def _key(outcome: Outcome) -> tuple[str, str, int]:
    return outcome.case.backbone, outcome.case.part, outcome.case.batch_size


def start_table(outcomes: Sequence[Outcome]) -> str:
    """From the start of the process until the first step is done, one row for each own step."""
    rows = [
        (
            *(outcome.case.backbone, outcome.case.part, str(outcome.case.batch_size)),
            *(f"{seconds(outcome.timing):.1f}" for seconds in _START_PARTS.values()),
            f"{outcome.timing.start_seconds:.1f}",
        )
        for outcome in _started(outcomes)
    ]
    titles = [f"{title} (s)" for title in _START_PARTS]
    return text_table(("network", "trains", "batch", *titles, "to the first step (s)"), rows)


def _started(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [o for o in outcomes if o.case.variant == OWN and o.timing is not None]


def run_line(name: str, times: RunTimes) -> str:
    """The whole run and its parts in one line."""
    parts = {
        "imports": times.import_seconds,
        "pictures": times.data_seconds,
        "network": times.build_seconds,
        "training": times.training_seconds(),
        "report": times.report_seconds,
    }
    listed = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts.items())
    return f"run, {name}: {times.total_seconds:.1f} s, of it {listed}"


def stage_table(times: RunTimes) -> str:
    """The seconds of each stage: before its fit, in it, and what was lost to tracing.

    Lost is tracing and all that lies before the fit but the features, which are work done.
    """
    header = (
        *("stage", *(f"{_BETWEEN_TITLES[name]} (s)" for name in (*BETWEEN, "other"))),
        *("fit (s)", "steps", "first step (s)", "later (ms)", "tracing (s)", "lost, of the run"),
    )
    return text_table(header, [_stage_row(stage, times) for stage in times.stages])


def _stage_row(stage: Stage, times: RunTimes) -> tuple[str, ...]:
    later = stage.later_step_seconds
    before = [value for name, value in stage.between.items() if name != "tail_training"]
    lost = stage.lost_seconds() + sum(before)
    return (
        stage.name,
        *(f"{stage.between[name]:.2f}" for name in (*BETWEEN, "other")),
        f"{stage.fit_seconds:.2f}",
        str(stage.steps),
        f"{stage.first_step_seconds:.2f}",
        MISSING if later is None else f"{1000 * later:.1f}",
        f"{stage.lost_seconds():.2f}",
        f"{lost / times.total_seconds:.1%}",
    )


def callback_table(times: RunTimes) -> str:
    """Seconds in each callback, the most first, with their sum against the goal."""
    seconds = times.callback_seconds()
    fit = sum(stage.fit_seconds for stage in times.stages)
    rows = [
        (name, f"{value:.3f}", f"{value / times.total_seconds:.2%}", f"{value / fit:.2%}")
        for name, value in seconds.items()
    ]
    total = sum(seconds.values())
    share = total / times.total_seconds
    verdict = "within" if share < GOAL else "above"
    rows.append(
        (
            f"all: {verdict} the goal of {GOAL:.0%} of a run",
            *(f"{total:.3f}", f"{share:.2%}", f"{total / fit:.2%}"),
        )
    )
    return text_table(("callback", "seconds", "of the run", "of fit"), rows)


def draw(outcomes: Sequence[Outcome]) -> Figure:
    """Left XLA beside the suite's own step, right the start; both at the first batch size."""
    import matplotlib

    from tasks.common import figures

    with matplotlib.rc_context(figures.STYLE):
        shown = [o for o in outcomes if o.case.batch_size == outcomes[0].case.batch_size]
        compiled = [o for o in shown if o.case.variant == "xla" and o.timing is not None]
        started = _started(shown)
        figure = figures.new_figure(10.5, 1.4 + 0.26 * max(len(started), 4))
        left, right = figure.subplots(1, 2)
        _draw_ratios(left, [o for o in compiled if _own(o, outcomes) is not None], outcomes)
        _draw_starts(right, started)
    return figure


def _draw_ratios(axes: Axes, compiled: Sequence[Outcome], outcomes: Sequence[Outcome]) -> None:
    from tasks.common import figures

    for row, outcome in enumerate(compiled):
        ratio = outcome.timing.milliseconds / _own(outcome, outcomes).milliseconds
        axes.barh(row, ratio, color="#9FB8C8", height=0.65)
        texts = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": 7}
        axes.annotate(f"{ratio:.2f}", (ratio, row), **texts)
    _name_rows(axes, compiled)
    axes.axvline(1, color=figures.RED, linewidth=1)
    axes.set_title("a step with XLA")
    axes.set_xlabel("time beside that without; line: equal")


def _name_rows(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    names = [f"{o.case.backbone}, {o.case.part}" for o in outcomes]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(False, axis="y")


def _draw_starts(axes: Axes, started: Sequence[Outcome]) -> None:
    from tasks.common import figures

    base = [0.0] * len(started)
    colors = (figures.GREY, figures.ORANGE, figures.BLUE)
    for (title, seconds), color in zip(_START_PARTS.items(), colors, strict=True):
        widths = [seconds(outcome.timing) for outcome in started]
        axes.barh(range(len(started)), widths, left=base, color=color, height=0.65, label=title)
        base = [start + width for start, width in zip(base, widths, strict=True)]
    _name_rows(axes, started)
    axes.set_title("from the start of the process to the first step")
    axes.set_xlabel("seconds")
    if started:
        axes.legend()
