"""Pictures of patterns drawn from a seed: a target that has little in common with cars.

The class decides the pattern. Size, angle, place, colours, light and noise are sampled before the
class is looked at, so none of them tells anything about it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from datasets.core import DatasetInfo, Splits
from datasets.rendered.arguments import check_count, check_index, check_size

SMALLEST_SIDE, LARGEST_SIDE = 16, 1024
# Each pixel is the mean of so many squared points, so that edges come out smooth.
_FINER = 3

Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _part(x: np.ndarray) -> np.ndarray:
    """Position within a period, in [0, 1)."""
    return x - np.floor(x)


def _stripes(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _part(u) < 0.5


def _checks(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (_part(u) < 0.5) ^ (_part(v) < 0.5)


def _dots(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(_part(u) - 0.5, _part(v) - 0.5) < 0.33


def _rings(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _part(np.hypot(u, v)) < 0.5


def _bricks(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    odd = np.floor(2 * v) % 2
    return (_part(2 * v) > 0.25) & (_part(u + odd / 2) > 0.13)


def _zigzag(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _part(v + np.abs(_part(u) - 0.5)) < 0.5


def _triangles(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _part(u) + _part(v) < 1


def _crosses(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    across, up = np.abs(_part(u) - 0.5), np.abs(_part(v) - 0.5)
    return (np.maximum(across, up) < 0.4) & (np.minimum(across, up) < 0.13)


PATTERNS: dict[str, Pattern] = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "rings": _rings,
    "bricks": _bricks,
    "zigzag": _zigzag,
    "triangles": _triangles,
    "crosses": _crosses,
}
"""Class name to pattern: (u, v) in periods, float, any shape -> where the ink is, bool."""

CLASS_NAMES: tuple[str, ...] = tuple(PATTERNS)


@dataclasses.dataclass(frozen=True)
class Look:
    """What a picture has beside its pattern.

    Attributes:
        period: of the pattern, as a share of the picture's shorter side.
        angle: the pattern is turned by it, radians.
        centre: of the turn and of the rings, in shares of height and width.
        phase: by how much the pattern is shifted, in periods, shape (2,).
        colours: paper and ink, float (2, 3), range [0, 255].
        light: direction and strength of a gradient of brightness over the picture, shape (2,).
        noise: standard deviation of the sensor's noise, in grey levels.
    """

    period: float
    angle: float
    centre: np.ndarray
    phase: np.ndarray
    colours: np.ndarray
    light: np.ndarray
    noise: float


def sample_look(rng: np.random.Generator) -> Look:
    """A look whose ink is darker than its paper by 40 grey levels or more."""
    colours = rng.uniform(0, 255, (2, 3))
    while abs(colours[0].mean() - colours[1].mean()) < 40:
        colours = rng.uniform(0, 255, (2, 3))
    return Look(
        period=rng.uniform(0.3, 0.5),
        angle=rng.uniform(-0.35, 0.35),
        centre=rng.uniform(0.2, 0.8, 2),
        phase=rng.uniform(0, 1, 2),
        colours=colours[np.argsort(-colours.mean(axis=1))],
        light=rng.uniform(-0.35, 0.35, 2),
        noise=rng.uniform(2.0, 8.0),
    )


class RenderedTextures:
    """A labelled source of `count` drawn patterns; see `datasets.core.LabelledSource`.

    Example `index` is a function of `seed`, `index` and `image_size`; its class is `index` modulo
    the number of classes, so the classes differ in number by one at most.

    Args:
        count: number of pictures, at least 1.
        seed: of everything random, at least 0.
        image_size: (height, width) in pixels, each in [16, 1024].

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, count: int, seed: int, image_size: tuple[int, int]) -> None:
        check_count(count, seed)
        check_size(image_size, SMALLEST_SIDE, LARGEST_SIDE)
        self.count = count
        self.seed = seed
        self.image_size = (int(image_size[0]), int(image_size[1]))

    def __len__(self) -> int:
        """Number of pictures."""
        return self.count

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (count,)."""
        return np.arange(self.count, dtype=np.int64) % len(CLASS_NAMES)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """`image`, uint8 RGB of shape (height, width, 3), and `label`, int64.

        Raises:
            IndexError: `index` is not in [0, count).
        """
        check_index(index, self.count)
        label = index % len(CLASS_NAMES)
        image = draw_picture(CLASS_NAMES[label], self.image_size, [self.seed, index])
        return {"image": image, "label": np.int64(label)}

    def identifier(self, index: int) -> str:
        """The name of a picture, for messages and reports."""
        return f"drawn texture {index} of seed {self.seed}"


def draw_picture(name: str, image_size: tuple[int, int], seed: Sequence[int]) -> np.ndarray:
    """Draws a pattern: uint8 RGB, shape (height, width, 3).

    With the same seed, two patterns have the same look and noise.
    """
    look_rng, sensor_rng = np.random.default_rng(seed).spawn(2)
    look = sample_look(look_rng)
    height, width = image_size
    ink = _ink(PATTERNS[name], look, image_size)[:, :, None]
    paper_colour, ink_colour = look.colours
    picture = paper_colour + ink * (ink_colour - paper_colour)
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    picture *= (1 + look.light[0] * down + look.light[1] * across)[:, :, None]
    picture += look.noise * sensor_rng.standard_normal(picture.shape)
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def _ink(pattern: Pattern, look: Look, image_size: tuple[int, int]) -> np.ndarray:
    """Share of each pixel that the ink covers, float (height, width), range [0, 1]."""
    height, width = image_size
    rows = (np.arange(height * _FINER) + 0.5) / _FINER - look.centre[0] * height
    columns = (np.arange(width * _FINER) + 0.5) / _FINER - look.centre[1] * width
    y, x = rows[:, None], columns[None, :]
    period = look.period * min(image_size)
    u = (np.cos(look.angle) * x + np.sin(look.angle) * y) / period
    v = (np.cos(look.angle) * y - np.sin(look.angle) * x) / period
    # Shifted, rings would be circles around a point outside: their centre moves already.
    phase = np.zeros(2) if pattern is _rings else look.phase
    covered = pattern(u + phase[0], v + phase[1])
    return covered.reshape(height, _FINER, width, _FINER).mean(axis=(1, 3))


def load(train: int, validation: int, test: int, image_size: tuple[int, int], seed: int) -> Splits:
    """Drawn patterns for training, validation and test; no picture of one is in another.

    Each split has a seed of its own, 3 * seed + 0, 1 or 2, so splits of different `seed` differ
    as well.

    Raises:
        ValueError: an argument is out of its range.
    """
    parts = [
        RenderedTextures(count, 3 * seed + part, image_size)
        for part, count in enumerate((train, validation, test))
    ]
    info = DatasetInfo(
        name="rendered_textures",
        class_names=CLASS_NAMES,
        description=(
            "Drawn patterns of different kinds, sizes, angles and colours; "
            f"each split is drawn from a seed of its own (seed {seed})."
        ),
        origin="drawn by this project",
        licence="that of this project",
    )
    return Splits(*parts, info=info)
