"""Handwritten-looking digits drawn from a seed: bright strokes on black, 28 x 28, as in MNIST.

A digit is a few curves through fixed points. How it is written (which of its forms, bent, wide,
slanted, turned, large, thick) is sampled before the class is looked at, except the form itself.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image, ImageDraw

from datasets.core import DatasetInfo, Splits
from datasets.rendered.arguments import check_count, check_index

CLASS_NAMES = tuple("0123456789")
SIDE = 28
"""Height and width of the pictures in pixels."""

Point = tuple[float, float]
Stroke = tuple[Point, ...]

# Forms of each digit in a box of width and height 1, y downwards. A stroke of two points is
# straight, one of more a smooth curve through them; strokes that share a point make a corner.
_LOWER_BOWL: Stroke = ((0.42, 0.46), (0.74, 0.55), (0.8, 0.76), (0.55, 0.95), (0.16, 0.85))
_NINE: Stroke = (
    *((0.78, 0.26), (0.58, 0.06), (0.27, 0.14), (0.22, 0.4)),
    *((0.48, 0.53), (0.74, 0.38), (0.78, 0.22)),
)
_FORMS: tuple[tuple[tuple[Stroke, ...], ...], ...] = (
    (
        (
            (
                *((0.5, 0.05), (0.22, 0.18), (0.12, 0.5), (0.22, 0.82), (0.5, 0.95)),
                *((0.78, 0.82), (0.88, 0.5), (0.78, 0.18), (0.48, 0.05)),
            ),
        ),
    ),
    (
        (((0.5, 0.04), (0.5, 0.96)),),
        (((0.27, 0.28), (0.53, 0.05)), ((0.53, 0.05), (0.53, 0.96))),
        (
            ((0.3, 0.24), (0.52, 0.05)),
            ((0.52, 0.05), (0.52, 0.94)),
            ((0.26, 0.94), (0.8, 0.94)),
        ),
    ),
    (
        (
            ((0.18, 0.3), (0.28, 0.1), (0.58, 0.05), (0.78, 0.25), (0.62, 0.54), (0.2, 0.93)),
            ((0.2, 0.93), (0.84, 0.92)),
        ),
        (
            (
                *((0.2, 0.24), (0.46, 0.05), (0.74, 0.2), (0.64, 0.5), (0.3, 0.86)),
                *((0.14, 0.82), (0.3, 0.74), (0.56, 0.9), (0.86, 0.88)),
            ),
        ),
    ),
    (
        (((0.2, 0.15), (0.48, 0.05), (0.74, 0.2), (0.66, 0.4), (0.42, 0.46)), _LOWER_BOWL),
        (((0.2, 0.07), (0.76, 0.07)), ((0.76, 0.07), (0.42, 0.46)), _LOWER_BOWL),
    ),
    (
        (
            ((0.6, 0.05), (0.14, 0.64)),
            ((0.14, 0.64), (0.88, 0.64)),
            ((0.64, 0.3), (0.62, 0.96)),
        ),
        (
            ((0.26, 0.05), (0.18, 0.34), (0.24, 0.52), (0.78, 0.5)),
            ((0.78, 0.05), (0.72, 0.96)),
        ),
    ),
    (
        (
            ((0.8, 0.07), (0.3, 0.07)),
            ((0.3, 0.07), (0.24, 0.45)),
            ((0.24, 0.45), (0.56, 0.38), (0.8, 0.58), (0.72, 0.86), (0.42, 0.95), (0.15, 0.84)),
        ),
    ),
    (
        (
            (
                *((0.68, 0.05), (0.36, 0.28), (0.18, 0.62), (0.3, 0.9), (0.6, 0.94)),
                *((0.8, 0.74), (0.62, 0.54), (0.34, 0.58), (0.2, 0.74)),
            ),
        ),
        (
            (
                *((0.36, 0.04), (0.22, 0.4), (0.2, 0.78), (0.46, 0.95)),
                *((0.76, 0.8), (0.66, 0.58), (0.36, 0.58), (0.2, 0.74)),
            ),
        ),
    ),
    (
        (((0.16, 0.08), (0.82, 0.08)), ((0.82, 0.08), (0.58, 0.45), (0.42, 0.96))),
        (
            ((0.16, 0.08), (0.82, 0.08)),
            ((0.82, 0.08), (0.58, 0.45), (0.44, 0.96)),
            ((0.34, 0.5), (0.78, 0.5)),
        ),
        (
            ((0.16, 0.26), (0.18, 0.08)),
            ((0.18, 0.08), (0.82, 0.08)),
            ((0.82, 0.08), (0.62, 0.45), (0.5, 0.96)),
        ),
    ),
    (
        (
            (
                *((0.72, 0.2), (0.5, 0.05), (0.26, 0.2), (0.4, 0.42), (0.66, 0.58)),
                *((0.76, 0.8), (0.5, 0.95), (0.24, 0.8), (0.34, 0.58), (0.64, 0.4), (0.74, 0.18)),
            ),
        ),
        (
            ((0.5, 0.05), (0.26, 0.25), (0.5, 0.47), (0.74, 0.25), (0.48, 0.05)),
            ((0.5, 0.47), (0.2, 0.71), (0.5, 0.95), (0.8, 0.71), (0.48, 0.47)),
        ),
    ),
    (
        (_NINE, ((0.78, 0.22), (0.76, 0.58), (0.64, 0.96))),
        (_NINE, ((0.78, 0.22), (0.8, 0.68), (0.56, 0.95), (0.24, 0.86))),
    ),
)

# The strokes are drawn so many times as large and then reduced, so that edges come out smooth.
_FINER = 4
_POINTS_A_PIECE = 8


@dataclasses.dataclass(frozen=True)
class Hand:
    """How a digit is written; lengths in pixels of the finished picture.

    Attributes:
        form: in [0, 1), which of the digit's forms.
        bend_directions: float (2, 2), bend_phase (2,) and bend (share of the box): each point is
            moved by bend * sin(directions @ point + phase), so that strokes stay joined.
        width, height: of the box.
        slant: horizontal shift for each unit of height.
        turn: in radians.
        place: float (2,), the middle, from that of the picture.
        thickness: of the strokes.
        ink: brightness of the strokes, range [0, 255].
        noise: deviation of the sensor's noise, grey levels.
    """

    form: float
    bend_directions: np.ndarray
    bend_phase: np.ndarray
    bend: float
    width: float
    height: float
    slant: float
    turn: float
    place: np.ndarray
    thickness: float
    ink: float
    noise: float


def sample_hand(rng: np.random.Generator) -> Hand:
    """A hand at random; MNIST's digits fill 20 of 28 pixels, these 15 to 22."""
    height = rng.uniform(15.0, 22.0)
    return Hand(
        form=rng.uniform(),
        bend_directions=rng.normal(0.0, 3.0, (2, 2)),
        bend_phase=rng.uniform(0.0, 2 * np.pi, 2),
        bend=rng.uniform(0.0, 0.13),
        width=height * rng.uniform(0.5, 0.95),
        height=height,
        slant=float(np.clip(rng.normal(0.1, 0.2), -0.4, 0.6)),
        turn=float(np.clip(rng.normal(0.0, 0.12), -0.3, 0.3)),
        place=np.clip(rng.normal(0.0, 1.2, 2), -2.5, 2.5),
        thickness=rng.uniform(1.3, 3.6),
        ink=rng.uniform(170.0, 255.0),
        noise=rng.uniform(0.0, 14.0),
    )


def draw_digit(digit: int, seed: tuple[int, ...]) -> np.ndarray:
    """One digit in a random hand: uint8 RGB of three equal channels, shape (28, 28, 3)."""
    hand_rng, noise_rng = np.random.default_rng(seed).spawn(2)
    hand = sample_hand(hand_rng)
    forms = _FORMS[digit]
    canvas = Image.new("L", (SIDE * _FINER, SIDE * _FINER))
    draw = ImageDraw.Draw(canvas)
    for stroke in forms[int(hand.form * len(forms))]:
        _paint(draw, placed(smooth(np.array(stroke)), hand) * _FINER, hand.thickness * _FINER)
    light = np.asarray(canvas.reduce(_FINER), np.float32) * np.float32(hand.ink / 255)
    light += np.float32(hand.noise) * noise_rng.standard_normal(light.shape, dtype=np.float32)
    grey = light.clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def smooth(points: np.ndarray) -> np.ndarray:
    """Points along a curve through `points`, float (n, 2) to (m, 2), both ends included.

    A Catmull-Rom spline (Catmull & Rom 1974): between two points a cubic whose slope at each is
    half the way between its neighbours. Two points give the straight line between them.
    """
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    before, start, stop, after = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    t = (np.arange(_POINTS_A_PIECE) / _POINTS_A_PIECE)[None, :, None]
    before, start, stop, after = (part[:, None] for part in (before, start, stop, after))
    pieces = 0.5 * (
        2 * start
        + (stop - before) * t
        + (2 * before - 5 * start + 4 * stop - after) * t**2
        + (3 * start - before - 3 * stop + after) * t**3
    )
    return np.vstack([pieces.reshape(-1, 2), points[-1:]])


def placed(points: np.ndarray, hand: Hand) -> np.ndarray:
    """Points of the unit box where this hand writes them: pixels (x, y), float (n, 2)."""
    bent = points + hand.bend * np.sin(points @ hand.bend_directions.T + hand.bend_phase)
    sized = (bent - 0.5) * [hand.width, hand.height]
    slanted = sized - np.outer(sized[:, 1], [hand.slant, 0.0])
    cosine, sine = np.cos(hand.turn), np.sin(hand.turn)
    return slanted @ [[cosine, sine], [-sine, cosine]] + SIDE / 2 + hand.place


def _paint(draw: ImageDraw.ImageDraw, points: np.ndarray, thickness: float) -> None:
    """A line with round joints and ends."""
    draw.line([tuple(point) for point in points], fill=255, width=round(thickness), joint="curve")
    for x, y in points[[0, -1]]:
        draw.circle((x, y), thickness / 2, fill=255)


class RenderedDigits:
    """A labelled source of `count` drawn digits; see `datasets.core.LabelledSource`.

    Example `index` is a function of `seed` and `index` alone; its class is `index` modulo 10.

    Args:
        count: number of pictures, at least 1.
        seed: of everything random, at least 0.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, count: int, seed: int) -> None:
        check_count(count, seed)
        self.count = count
        self.seed = seed

    def __len__(self) -> int:
        """Number of pictures."""
        return self.count

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (count,)."""
        return np.arange(self.count, dtype=np.int64) % len(CLASS_NAMES)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """`image`, uint8 RGB of shape (28, 28, 3), and `label`, int64.

        Raises:
            IndexError: `index` is not in [0, count).
        """
        check_index(index, self.count)
        digit = index % len(CLASS_NAMES)
        return {"image": draw_digit(digit, (self.seed, index)), "label": np.int64(digit)}

    def identifier(self, index: int) -> str:
        """The name of a picture, for messages and reports."""
        return f"drawn digit {index} of seed {self.seed}"


def load(train: int, validation: int, test: int, seed: int) -> Splits:
    """Drawn digits for training, validation and test; no picture of one is in another.

    Each split has a seed of its own, 3 * seed + 0, 1 or 2, so splits of different `seed` differ
    as well.

    Args:
        train: number of training pictures; likewise `validation` and `test`.
        seed: at least 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    if seed < 0:
        raise ValueError(f"seed must be at least 0. Received: {seed=}")
    parts = [
        RenderedDigits(count, 3 * seed + part)
        for part, count in enumerate((train, validation, test))
    ]
    info = DatasetInfo(
        name="rendered_digits",
        class_names=CLASS_NAMES,
        description=(
            "Drawn digits in random hands, 28 x 28 pixels; each split is drawn from a seed of its "
            f"own (seed {seed})."
        ),
        origin="drawn by this project",
        licence="that of this project",
    )
    return Splits(*parts, info=info)
