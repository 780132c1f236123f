"""How the suite's cached run grows with the number of pictures and of classes.

Runs of the same recipe on drawn cars, each in a process of its own with an empty store of
features: pictures x1, x4, x16 of one number of classes, then classes x1, x4, x16 of one number of
pictures. The network is small and starts from random weights, written once: what is measured is
cost, not accuracy.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine, results, straight_line, suite_run, timed_process
from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.errors import UserError
from tasks.common.tables import text_table
from tasks.common.wording import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FACTORS = (1, 4, 16)
# Costs this near to a straight line count as growing in one.
GOAL = 0.15
# Validation and test have one picture for so many of training.
_TRAIN_PER_TEST = 4


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure seconds and memory of a cached run against pictures and classes."""

    pictures: int = 500
    """Training pictures of the smallest run; the others have 4 and 16 times as many."""
    classes: int = 6
    """Classes of the smallest run; the others have 4 and 16 times as many."""
    backbone: str = "MobileNet"
    """Any network of `keras.applications`; its weights are random."""
    image_size: tuple[int, int] = (64, 96)
    """Height and width of the pictures, in pixels."""
    seed: int = 0
    """Of the drawn cars and the runs."""
    output: Path = results.DEFAULT_FOLDER
    """Folder for growth.json and growth.png."""
    quick: bool = False
    """Three runs of a few pictures, without the runs of more classes."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        pictures: training pictures.
        classes: how many.
        training_seconds: from the start of the process to the end of training.
        total_seconds: to the end of the process, with report and baselines.
        peak_bytes: memory of the process.
    """

    pictures: int
    classes: int
    training_seconds: float
    total_seconds: float
    peak_bytes: int


@dataclasses.dataclass(frozen=True)
class Cost:
    """One kind of cost: its name with unit, and how it is read off a point."""

    name: str
    of: Callable[[Point], float]


COSTS = (
    Cost("seconds to the end of training", lambda point: point.training_seconds),
    Cost("seconds of the whole process", lambda point: point.total_seconds),
    Cost("peak memory (MB)", lambda point: point.peak_bytes / 1e6),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act(options: Options) -> None:
        if options.quick:
            options = dataclasses.replace(options, pictures=8, classes=2, image_size=(32, 32))
        check(options)
        results.require_writable(options.output)
        import_tensorflow_quietly()
        with tempfile.TemporaryDirectory(prefix="benchmark-growth-") as folder:
            run(options, Path(folder))

    return run_command(Options, "benchmarks.growth", act, arguments)


def check(options: Options) -> None:
    """Finds what does not fit before any work.

    Raises:
        UserError: the first fault found.
    """
    import datasets

    most = len(datasets.rendered.cars.CLASS_NAMES) // FACTORS[-1]
    if not 2 <= options.classes <= most:
        raise UserError(f"--classes must be from 2 to {most}. Received: {options.classes}.")
    # One picture a class in the smallest split of any run, or the splits would not be in
    # proportion: the most classes meet 4 times the pictures, the fewest pictures 4 times the
    # classes.
    fewest = _TRAIN_PER_TEST * max(
        -(-options.pictures * classes // pictures)
        for sizes in series(options).values()
        for pictures, classes in sizes
    )
    if options.pictures < fewest:
        raise UserError(
            f"--pictures must be at least {fewest} for --classes {options.classes}. "
            f"Received: {options.pictures}."
        )


def series(options: Options) -> dict[str, tuple[tuple[int, int], ...]]:
    """(pictures, classes) of each run, by what grows. One run is a part of both series."""
    if options.quick:
        return {"pictures": tuple((options.pictures * k, options.classes) for k in FACTORS)}
    middle = FACTORS[1]
    return {
        "pictures": tuple((options.pictures * k, options.classes * middle) for k in FACTORS),
        "classes": tuple((options.pictures * middle, options.classes * k) for k in FACTORS),
    }


def run(options: Options, work_dir: Path) -> None:
    """Makes every run, prints the tables and writes the files.

    Raises:
        UserError: a run failed.
    """
    weights = _write_weights(options, work_dir)
    planned = series(options)
    points: dict[tuple[int, int], Point] = {}
    if not options.quick:
        # Not counted: it brings the libraries from disk into memory, which later runs are spared.
        smallest = min(planned["pictures"])
        _measure(options, work_dir / "warm_up", weights, *smallest)
    for size in dict.fromkeys(size for sizes in planned.values() for size in sizes):
        points[size] = _measure(options, work_dir, weights, *size)
        point = points[size]
        print(
            f"{point.pictures} pictures, {point.classes} classes: "
            f"{point.training_seconds:.1f} s to the end of training",
            flush=True,
        )
    measured = {grows: [points[size] for size in sizes] for grows, sizes in planned.items()}
    lines = {
        (grows, cost.name): _line(grows, cost, found)
        for grows, found in measured.items()
        for cost in COSTS
    }
    print("\n" + points_table(points.values()), end="\n\n")
    print(lines_table(lines), end="\n\n")
    document = {
        "options": dataclasses.asdict(options),
        "machine": machine.describe(),
        "goal": GOAL,
        "points": [dataclasses.asdict(point) for point in points.values()],
        "lines": [
            {"against": grows, "cost": cost, **dataclasses.asdict(line)}
            for (grows, cost), line in lines.items()
        ],
    }
    results.save("growth", options.output, document, chart(measured, lines))


def _write_weights(options: Options, work_dir: Path) -> Path:
    """Random weights in a file, so that the suite takes them for pretrained and freezes them."""
    from keras_models import backbones

    try:
        backbone = backbones.build_backbone(options.backbone, options.image_size, None)
    except ValueError as error:
        raise UserError(str(error)) from None
    path = work_dir / "random.weights.h5"
    backbone.save_weights(path)
    return path


def _measure(options: Options, work_dir: Path, weights: Path, pictures: int, classes: int) -> Point:
    work_dir.mkdir(exist_ok=True)
    name = f"{pictures}_pictures_{classes}_classes"
    tested = pictures // _TRAIN_PER_TEST
    words = suite_run.words(
        work_dir,
        name,
        (
            *("--data", "rendered", "--rendered-classes", str(classes)),
            *("--rendered-count", str(pictures), str(tested), str(tested)),
            *("--backbone", options.backbone, "--weights", str(weights)),
            *("--image-size", *map(str, options.image_size), "--seed", str(options.seed)),
            *suite_run.WITH_CACHE,
            *(("--tail-epochs", "2") if options.quick else ()),
        ),
    )
    process = timed_process.run(words, work_dir / f"{name}.log")
    trained = suite_run.training_ended(suite_run.run_folder(work_dir, name))
    return Point(pictures, classes, trained - process.started, process.seconds, process.peak_bytes)


def _size(grows: str, point: Point) -> int:
    return point.pictures if grows == "pictures" else point.classes


def _line(grows: str, cost: Cost, points: Sequence[Point]) -> straight_line.StraightLine:
    sizes = [_size(grows, point) for point in points]
    return straight_line.fit(sizes, [cost.of(point) for point in points])


def points_table(points: Iterable[Point]) -> str:
    """One row a run."""
    rows = [
        (f"{point.pictures:,}", f"{point.classes}", *(f"{cost.of(point):,.1f}" for cost in COSTS))
        for point in points
    ]
    return text_table(("pictures", "classes", *(cost.name for cost in COSTS)), rows)


def lines_table(lines: dict[tuple[str, str], straight_line.StraightLine]) -> str:
    """One row a cost and what it grows with: the line, and how far from it the runs lie."""
    header = ("", "against", "at the start", "a hundred more", "largest deviation", "goal")
    rows = [
        (
            *(cost, grows, f"{line.constant:,.1f}", f"{100 * line.slope:,.2f}"),
            percent(line.largest_deviation),
            f"within {percent(GOAL)}" if line.largest_deviation <= GOAL else "missed",
        )
        for (grows, cost), line in lines.items()
    ]
    return text_table(header, rows)


def chart(
    measured: dict[str, list[Point]], lines: dict[tuple[str, str], straight_line.StraightLine]
) -> Figure:
    """A panel for each cost and each thing it grows with: the runs and their straight line."""
    import matplotlib

    from tasks.common import figures

    with matplotlib.rc_context(figures.STYLE):
        figure = figures.new_figure(10.5, 2.9 * len(measured))
        panels: Any = figure.subplots(len(measured), len(COSTS), squeeze=False)
        for row, (grows, points) in zip(panels, measured.items(), strict=True):
            for axes, cost in zip(row, COSTS, strict=True):
                _draw(axes, grows, cost, points, lines[grows, cost.name])
    return figure


def _draw(
    axes: Axes, grows: str, cost: Cost, points: Sequence[Point], line: straight_line.StraightLine
) -> None:
    from tasks.common import figures

    sizes = [_size(grows, point) for point in points]
    ends = [0, 1.05 * max(sizes)]
    axes.plot(ends, [line.constant + line.slope * end for end in ends], color=figures.GREY)
    costs = [cost.of(point) for point in points]
    axes.plot(sizes, costs, "o", color=figures.BLUE, markersize=6)
    axes.set_title(f"{cost.name}\nat most {percent(line.largest_deviation)} off the line")
    axes.set_xlabel(grows)
    axes.set_xlim(0, ends[1])
    axes.set_ylim(0, 1.1 * max(costs))


if __name__ == "__main__":
    sys.exit(main())
