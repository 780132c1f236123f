"""Shapes and small pictures that are cut out of faces: leaves, wheels, signs, fences.

Each is a square picture with transparency, drawn once at 128 x 128 and kept with its reductions to
half the side, as a pyramid (Williams, Pyramidal Parametrics, 1983). v runs upwards.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from datasets.rendered.street import sign_plates
from datasets.rendered.street.noise import noise

SIDE = 128
LEVELS = 6
FINER = 2

LEAF_VARIANTS = 6


@dataclasses.dataclass(frozen=True)
class Cutouts:
    """All cut-outs, at all reductions, in flat arrays.

    Attributes:
        side: of the largest level, texels.
        level_count: each half the side of the one before.
        starts: where each level begins, int64, (level_count,).
        opaque: whether a texel covers what is behind, bool, (texels,).
        colours: linear light in [0, 1], float32, (3, texels); multiplies the face's colour.
        numbers: which cut-out has which name.
    """

    side: int
    level_count: int
    starts: np.ndarray
    opaque: np.ndarray
    colours: np.ndarray
    numbers: dict[str, int]

    def texels(
        self, cutouts: np.ndarray, u: np.ndarray, v: np.ndarray, levels: np.ndarray
    ) -> np.ndarray:
        """Numbers of the texels at u (taken modulo 1) and v (cut to [0, 1]), int64, (k,)."""
        side = self.side >> levels
        column = ((u - np.floor(u)) * side).astype(np.int64)
        row = (np.clip(1.0 - v, 0.0, 0.999) * side).astype(np.int64)
        np.minimum(column, side - 1, out=column)
        return self.starts[levels] + (cutouts * side + row) * side + column

    def covers(
        self, cutouts: np.ndarray, u: np.ndarray, v: np.ndarray, levels: np.ndarray
    ) -> np.ndarray:
        """Whether faces cover what is behind them at these places, bool, (k,)."""
        return self.opaque[self.texels(cutouts, u, v, levels)]


@functools.cache
def all_cutouts() -> Cutouts:
    """Draws every cut-out; the same ones in every process."""
    pictures = _pictures()
    names = list(pictures)
    stack = np.stack([np.asarray(pictures[name], dtype=np.float32) / 255.0 for name in names])
    cover = stack[..., 3:]
    # Multiplied by the cover, so that what is transparent does not colour the reductions.
    light = stack[..., :3] ** 2 * cover
    starts, opaque, colours, total = [], [], [], 0
    for _ in range(LEVELS):
        starts.append(total)
        total += cover.size
        opaque.append((cover > 0.5).ravel())
        colours.append((light / np.maximum(cover, 1e-3)).reshape(-1, 3))
        light, cover = _halved(light), _halved(cover)
    return Cutouts(
        side=SIDE,
        level_count=LEVELS,
        starts=np.array(starts),
        opaque=np.concatenate(opaque),
        colours=np.concatenate(colours).clip(0.0, 1.0).T.copy(),
        numbers={name: number for number, name in enumerate(names)},
    )


def cutout(name: str) -> int:
    """The number of a cut-out."""
    return all_cutouts().numbers[name]


def _halved(stack: np.ndarray) -> np.ndarray:
    count, rows, columns, parts = stack.shape
    return stack.reshape(count, rows // 2, 2, columns // 2, 2, parts).mean(axis=(2, 4))


def _pictures() -> dict[str, Image.Image]:
    drawn = {
        "disc": _drawn(lambda pencil, s: pencil.ellipse((0, 0, s, s), fill="white")),
        "rim": _drawn(_rim),
        "bicycle wheel": _drawn(_bicycle_wheel),
        "pickets": _drawn(_pickets),
        "railing": _drawn(_railing),
        "torso": _drawn(_torso),
        "coat": _drawn(_coat),
    }
    for number in range(LEAF_VARIANTS):
        drawn[f"leaves {number}"] = _leaves(number)
        drawn[f"twigs {number}"] = _twigs(number)
    for number in range(2):
        drawn[f"conifer {number}"] = _conifer(number)
    drawn.update({name: _drawn(draw) for name, draw in sign_plates.PLATES.items()})
    return drawn


def _drawn(draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
    """A picture drawn twice as large, then reduced; untouched parts are transparent."""
    large = Image.new("RGBA", (SIDE * FINER, SIDE * FINER), (128, 128, 128, 0))
    draw(ImageDraw.Draw(large), SIDE * FINER - 1)
    return large.reduce(FINER)


def _rim(pencil: ImageDraw.ImageDraw, s: int) -> None:
    pencil.ellipse((0, 0, s, s), fill=(26, 26, 28))
    pencil.ellipse((0.17 * s, 0.17 * s, 0.83 * s, 0.83 * s), fill=(176, 178, 182))
    for turn in range(0, 360, 72):
        pencil.pieslice((0.22 * s, 0.22 * s, 0.78 * s, 0.78 * s), turn, turn + 36, (52, 52, 56))
    pencil.ellipse((0.40 * s, 0.40 * s, 0.60 * s, 0.60 * s), fill=(150, 152, 156))


def _bicycle_wheel(pencil: ImageDraw.ImageDraw, s: int) -> None:
    pencil.ellipse((0, 0, s, s), outline=(24, 24, 24), width=round(0.09 * s))
    for turn in range(0, 180, 45):
        across, down = np.cos(np.radians(turn)) * s / 2, np.sin(np.radians(turn)) * s / 2
        ends = (s / 2 - across, s / 2 - down, s / 2 + across, s / 2 + down)
        pencil.line(ends, fill=(110, 110, 112), width=round(0.02 * s))


def _pickets(pencil: ImageDraw.ImageDraw, s: int) -> None:
    for number in range(3):
        left = (number + 0.18) * s / 3
        right, middle = left + 0.64 * s / 3, left + 0.32 * s / 3
        outline = [(left, s), (left, 0.12 * s), (middle, 0), (right, 0.12 * s), (right, s)]
        pencil.polygon(outline, fill=(255, 255, 255))
    for top in (0.25, 0.72):
        pencil.rectangle((0, top * s, s, (top + 0.10) * s), fill=(225, 225, 225))


def _railing(pencil: ImageDraw.ImageDraw, s: int) -> None:
    for number in range(5):
        left = (number + 0.3) * s / 5
        pencil.rectangle((left, 0.05 * s, left + 0.3 * s / 5, s), fill=(255, 255, 255))
    for top in (0.05, 0.88):
        pencil.rectangle((0, top * s, s, (top + 0.08) * s), fill=(255, 255, 255))


def _torso(pencil: ImageDraw.ImageDraw, s: int) -> None:
    outline = [(0.36, 0.0), (0.64, 0.0), (0.92, 0.10), (1.0, 0.3), (0.86, 1.0), (0.14, 1.0)]
    outline += [(0.0, 0.3), (0.08, 0.10)]
    pencil.polygon([(x * s, y * s) for x, y in outline], fill="white")
    pencil.line((0.5 * s, 0.05 * s, 0.5 * s, s), fill=(205, 205, 205), width=round(0.03 * s))


def _coat(pencil: ImageDraw.ImageDraw, s: int) -> None:
    outline = [(0.36, 0.0), (0.64, 0.0), (0.86, 0.08), (0.84, 0.5), (1.0, 1.0), (0.0, 1.0)]
    outline += [(0.16, 0.5), (0.14, 0.08)]
    pencil.polygon([(x * s, y * s) for x, y in outline], fill="white")
    pencil.line((0.5 * s, 0.05 * s, 0.5 * s, s), fill=(190, 190, 190), width=round(0.03 * s))
    pencil.line((0.16 * s, 0.5 * s, 0.84 * s, 0.5 * s), fill=(170, 170, 170), width=round(0.05 * s))


def _leaves(number: int) -> Image.Image:
    """A round crown with a ragged edge and a few holes; brightness varies as leaves do."""
    grain = noise(number)[:SIDE, :SIDE]
    fine = noise(number, falloff=0.6)[64 : 64 + SIDE, 64 : 64 + SIDE]
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    radius = np.hypot(x, y) + 0.16 * grain + 0.10 * fine
    cover = (radius < 0.86) & (fine + 0.5 * grain > -2.0)
    bright = np.clip(0.80 + 0.10 * grain + 0.10 * fine, 0.3, 1.0)
    return _stacked(bright, cover)


def _twigs(number: int) -> Image.Image:
    """Bare branches that fork from the foot of the crown upwards."""
    rng = np.random.default_rng([number, 77])
    large = Image.new("RGBA", (SIDE * FINER, SIDE * FINER), (128, 128, 128, 0))
    pencil, s = ImageDraw.Draw(large), SIDE * FINER

    def grow(x: float, y: float, angle: float, length: float, width: float) -> None:
        x2, y2 = x + length * np.sin(angle), y - length * np.cos(angle)
        pencil.line((x * s, y * s, x2 * s, y2 * s), fill="white", width=max(2, round(width * s)))
        if length > 0.07:
            for turn in (-0.5, 0.05, 0.45) if length > 0.12 else (-0.35, 0.4):
                bend = angle + turn + rng.normal(0, 0.15)
                grow(x2, y2, bend, length * rng.uniform(0.62, 0.8), width * 0.58)

    grow(0.5, 1.0, rng.normal(0, 0.1), 0.27, 0.035)
    return large.reduce(FINER)


def _conifer(number: int) -> Image.Image:
    """A fir: a cone of drooping layers."""
    grain = noise(number + 20, falloff=0.6)[:SIDE, :SIDE]
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(0, 1, SIDE))
    layer = (y * 6.0) % 1.0
    width = (0.08 + 0.80 * y) * (0.72 + 0.36 * layer) + 0.05 * grain
    bright = np.clip(0.95 - 0.35 * layer + 0.12 * grain, 0.25, 1.0)
    return _stacked(bright, np.abs(x) < width)


def _stacked(bright: np.ndarray, cover: np.ndarray) -> Image.Image:
    grey = (255 * bright).astype(np.uint8)
    return Image.fromarray(np.dstack([grey, grey, grey, 255 * cover.astype(np.uint8)]))
