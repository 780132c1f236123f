"""How many drawn streets one core gives in a second, and which parts of the drawing take the time.

    python -m benchmarks.street
    python -m benchmarks.street --image-size 128 160 --count 200

A scene counts with all that its example holds: picture, depth, class mask, things with their boxes,
fixations. Time is that of the processor, of all threads together, so that neither other programs on
the machine nor its other cores count, though they still share its memory and its caches. All scenes
are drawn round after round; the quickest round is the result.

The parts are timed in rounds of their own, from outside: functions of the drawing are replaced by
ones that look at the clock and call them. A part is what its functions take without the other parts
that they call, so that the parts sum to the whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from benchmarks import machine, results
from datasets.rendered.street import (
    fronts,
    furniture,
    ground,
    houses,
    pavements,
    people,
    picture,
    scene,
    sky,
    source,
    trees,
    vehicles,
    view,
)
from tasks.common.command_line import run_command
from tasks.common.errors import UserError
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GOAL = 100.0
"""Scenes a second on one core, of pictures of GOAL_SIZE."""

GOAL_SIZE = (256, 256)


@dataclasses.dataclass(frozen=True)
class Part:
    """Functions of the drawing whose time is counted together.

    Attributes:
        stage: of the drawing: `scene`, `sight`, `light` or `labels`.
        name: what they do.
        module: where the drawing looks the functions up, which is not always where they stand.
        functions: their names in it.
    """

    stage: str
    name: str
    module: ModuleType
    functions: tuple[str, ...]


PARTS = (
    Part("scene", "plan, camera, places", source, ("build_scene",)),
    Part("scene", "houses", houses, ("add_houses",)),
    Part("scene", "pavements", pavements, ("add_pavements",)),
    Part("scene", "trees, bushes, hedges", trees, ("add_tree", "add_bush", "add_hedge")),
    Part("scene", "lamps, signs", furniture, ("add_lamp", "add_sign", "add_traffic_light")),
    Part("scene", "fences, walls", furniture, ("add_fence", "add_wall")),
    Part("scene", "bins, bollards", furniture, ("add_bin", "add_bollards")),
    Part("scene", "cars", vehicles, ("add_car",)),
    Part("scene", "people, cyclists", people, ("add_person", "add_cyclist")),
    Part("scene", "faces into arrays", scene, ("joined",)),
    Part("scene", "shadows", scene, ("cast",)),
    Part("sight", "faces as the camera sees them", view, ("look_at",)),
    Part("sight", "z-buffer, middles of pixels", source, ("look",)),
    Part("sight", "z-buffer, corners of pixels", picture, ("look_at_corners",)),
    Part("light", "sky", sky, ("colours",)),
    Part("light", "road, pavement, grass", ground, ("reflectances", "paved")),
    Part("light", "fronts of houses", fronts, ("front_colours",)),
    Part("light", "other things, sun, haze", picture, ("light_at",)),
    Part("light", "smooth edges", source, ("developed",)),
    Part("light", "exposure, noise", picture, ("exposed",)),
    Part("labels", "depth", source, ("depth",)),
    Part("labels", "class mask", source, ("class_mask",)),
    Part("labels", "things, boxes", source, ("instances",)),
    Part("labels", "fixations", source, ("seen_faces", "sample_fixations")),
    Part("labels", "the example itself", source, ("draw_example",)),
)


@dataclasses.dataclass(frozen=True)
class Options:
    """Scenes a second that one core draws, and the share of each part of the drawing."""

    image_size: tuple[int, int] = GOAL_SIZE
    """Height and width of the pictures, in pixels."""
    count: int = 100
    """Different scenes drawn in a round."""
    seed: int = 0
    """Of the scenes."""
    rounds: int = 5
    """Times that all scenes are drawn without, and as often with, their parts timed."""
    output: Path = results.DEFAULT_FOLDER
    """Folder for street.json and street.png."""
    quick: bool = False
    """Few small scenes, so the numbers mean nothing."""


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What drawing took, in processor time.

    Attributes:
        rates: scenes a second, of each round.
        milliseconds: of each scene, in the quickest round.
        parts: milliseconds a scene of each of `PARTS`, in the quickest round that times them.
    """

    rates: tuple[float, ...]
    milliseconds: tuple[float, ...]
    parts: tuple[float, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""
    return run_command(
        Options, "benchmarks.street", lambda options: run(checked(options)), arguments
    )


def checked(options: Options) -> Options:
    """The options, tiny where `quick` says so; what does not fit is found before any work.

    Raises:
        UserError: the first fault found.
    """
    if options.quick:
        options = dataclasses.replace(options, image_size=(64, 64), count=4, rounds=2)
    for name, least in (("count", 1), ("seed", 0), ("rounds", 1)):
        if getattr(options, name) < least:
            raise UserError(
                f"--{name} must be at least {least}. Received: {getattr(options, name)}."
            )
    smallest, largest = source.SMALLEST_SIDE, source.LARGEST_SIDE
    if not all(smallest <= side <= largest for side in options.image_size):
        raise UserError(
            f"--image-size must have sides from {smallest} to {largest}. "
            f"Received: {options.image_size}."
        )
    results.require_writable(options.output)
    return options


def run(options: Options) -> None:
    """Measures, prints two tables, and writes the results."""
    drawing = measure(options)
    print(rate_table(options.image_size, drawing), end="\n\n")
    print(parts_table(drawing), end="\n\n")
    document = {
        "options": dataclasses.asdict(options),
        "machine": machine.describe(),
        "goal": {"image_size": GOAL_SIZE, "scenes_per_second": GOAL},
        "scenes_per_second": drawing.rates,
        "milliseconds_of_scenes": drawing.milliseconds,
        "parts": [
            {"stage": part.stage, "name": part.name, "milliseconds": milliseconds}
            for part, milliseconds in zip(PARTS, drawing.parts, strict=True)
        ],
    }
    results.save("street", options.output, document, chart(drawing))


def measure(options: Options) -> Drawing:
    """Draws all scenes again and again, in turns with and without their parts timed."""
    scenes = source.RenderedStreet(options.count, options.seed, options.image_size)
    # Not counted: the textures and shapes that all scenes share are drawn when first needed.
    _seconds_of_scenes(scenes)
    plain, apart = [], []
    for _ in range(options.rounds):
        plain.append(_seconds_of_scenes(scenes))
        clock = PartClock()
        with timed_parts(PARTS, clock):
            _seconds_of_scenes(scenes)
        apart.append([clock.seconds.get(part, 0.0) for part in PARTS])
    return Drawing(
        rates=tuple(options.count / sum(seconds) for seconds in plain),
        milliseconds=tuple(1000 * seconds for seconds in min(plain, key=sum)),
        parts=tuple(1000 * seconds / options.count for seconds in min(apart, key=sum)),
    )


def _seconds_of_scenes(scenes: source.RenderedStreet) -> list[float]:
    """Processor time of each scene, all threads together."""
    found = []
    for index in range(len(scenes)):
        started = time.process_time()
        scenes.example(index)
        found.append(time.process_time() - started)
    return found


class PartClock:
    """Adds up what each part takes, without the parts that are called within it.

    Args:
        now: seconds on some clock.

    Attributes:
        seconds: by part; one that was never called is missing.
    """

    def __init__(self, now: Callable[[], float] = time.process_time):
        """Begin with nothing."""
        self.seconds: dict[Part, float] = {}
        self._now = now
        self._within: list[Part] = []
        self._since = 0.0

    def timed(self, part: Part, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its time counted for `part`."""

        @functools.wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            self._count()
            self._within.append(part)
            try:
                return function(*arguments, **named)
            finally:
                self._count()
                self._within.pop()

        return counted

    def _count(self) -> None:
        """Gives the time since the last call to the part at work; from outside it is nobody's."""
        now = self._now()
        if self._within:
            part = self._within[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now


@contextlib.contextmanager
def timed_parts(parts: Sequence[Part], clock: PartClock) -> Iterator[None]:
    """Has the functions of all parts timed; afterwards everything is as it was.

    Raises:
        AttributeError: a module has no such function.
    """
    with contextlib.ExitStack() as undone:
        for part in parts:
            for name in part.functions:
                function = getattr(part.module, name)
                undone.callback(setattr, part.module, name, function)
                setattr(part.module, name, clock.timed(part, function))
        yield


def rate_table(size: tuple[int, int], drawing: Drawing) -> str:
    """One row: scenes a second, and how different the scenes are."""
    header = (
        "pixels",
        "scenes a second",
        "slowest round",
        "ms a scene",
        "quickest scene",
        "slowest scene",
        f"goal of {GOAL:.0f}",
    )
    best = max(drawing.rates)
    verdict = "reached" if best >= GOAL else "missed"
    row = (
        f"{size[0]} x {size[1]}",
        f"{best:.1f}",
        f"{min(drawing.rates):.1f}",
        f"{1000 / best:.1f}",
        f"{min(drawing.milliseconds):.1f}",
        f"{max(drawing.milliseconds):.1f}",
        verdict if tuple(size) == GOAL_SIZE else MISSING,
    )
    return text_table(header, [row])


def parts_table(drawing: Drawing) -> str:
    """Each stage with its sum, and its parts below it."""
    whole = sum(drawing.parts)
    rows = []
    for stage in dict.fromkeys(part.stage for part in PARTS):
        found = {
            part.name: milliseconds
            for part, milliseconds in zip(PARTS, drawing.parts, strict=True)
            if part.stage == stage
        }
        rows.append(_part_row(stage, sum(found.values()), whole))
        rows += [_part_row(f"- {name}", spent, whole) for name, spent in found.items()]
    return text_table(("part of the drawing", "ms a scene", "share"), rows)


def _part_row(name: str, milliseconds: float, whole: float) -> tuple[str, str, str]:
    return name, f"{milliseconds:.2f}", percent(milliseconds / whole)


def chart(drawing: Drawing) -> Figure:
    """A bar for each part, the longest first."""
    from tasks.common import figures

    named = {
        f"{part.stage}: {part.name}": milliseconds
        for part, milliseconds in zip(PARTS, drawing.parts, strict=True)
    }
    bars: Mapping[str, float] = dict(sorted(named.items(), key=lambda bar: -bar[1]))
    return figures.metric_bars(bars, "ms of processor time a scene")


if __name__ == "__main__":
    sys.exit(main())
