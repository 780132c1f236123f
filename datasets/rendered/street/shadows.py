"""Where the sun does not reach, and where things keep the skylight off the ground.

Everything is projected along the sun's rays on the plane y = 0 and painted on a map of it, seen
from above (Williams, Casting Curved Shadows on Curved Surfaces, 1978). A cell holds the height of
the highest thing above it along the ray.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.weather import Weather

LEFT, NEAR_END = -22.0, -4.0
"""Corner of the maps with the smallest x and z, metres."""

WIDTH, LENGTH = 44.0, 84.0
"""Size of the maps, metres; beyond them nothing is in shadow."""

CELLS = 5
"""Cells of the maps per metre."""

_HEIGHT_STEPS = 8
"""Steps a metre in which heights are stored; 255 of them reach 32 m."""

_BAND = 2.5
"""Walls of houses cast shadows in bands of about this height, metres."""

_CLEARANCE = 2.6
"""Only what is higher than a point by this much shades it, if the point is not on the ground.

No wall may shade itself, so this is more than a band; metres.
"""

_FAINT = 0.02
"""Sunlight under this casts no shadow that anyone sees."""


@dataclasses.dataclass(frozen=True)
class Shadows:
    """Maps of the ground from above, rows along z, columns along x.

    Attributes:
        direct: share of the sun's light that reaches the ground, float32, (rows, columns).
        ambient: share of the sky's light, likewise.
        heights: of what shades a cell, metres, float32, likewise.
        sun: unit vector towards the sun, (3,).
    """

    direct: np.ndarray
    ambient: np.ndarray
    heights: np.ndarray
    sun: np.ndarray

    def on_ground(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares of sunlight and skylight at places on the ground, each (k,), bilinear."""
        rows, columns = self.direct.shape
        across = np.clip((x - LEFT) * CELLS - 0.5, 0, columns - 1.001)
        along = np.clip((z - NEAR_END) * CELLS - 0.5, 0, rows - 1.001)
        left, near = np.floor(across), np.floor(along)
        right, far = across - left, along - near
        cell = near.astype(np.int32) * columns + left.astype(np.int32)
        direct, ambient = (
            _bilinear(shares.ravel(), cell, columns, right, far)
            for shares in (self.direct, self.ambient)
        )
        return direct, ambient

    def above_ground(self, places: np.ndarray) -> np.ndarray:
        """Share of sunlight at places on walls, cars and people, (3, k) to (k,): 0 or 1."""
        x, y, z = places
        rows, columns = self.heights.shape
        fall = y / self.sun[1]
        across = ((x - fall * self.sun[0] - LEFT) * CELLS).astype(np.int32)
        along = ((z - fall * self.sun[2] - NEAR_END) * CELLS).astype(np.int32)
        inside = (across >= 0) & (across < columns) & (along >= 0) & (along < rows)
        cell = (along * columns + across) * inside
        shaded = inside & (self.heights.ravel().take(cell) > y + _CLEARANCE)
        return (~shaded).astype(np.float32)


def _bilinear(
    flat: np.ndarray, cell: np.ndarray, columns: int, right: np.ndarray, far: np.ndarray
) -> np.ndarray:
    near_left, far_left = flat.take(cell), flat.take(cell + columns)
    near = near_left + right * (flat.take(cell + 1) - near_left)
    beyond = far_left + right * (flat.take(cell + columns + 1) - far_left)
    return near + far * (beyond - near)


def cast(assembly: Assembly, weather: Weather) -> Shadows:
    """Paints the maps of a finished scene."""
    size = (round(WIDTH * CELLS), round(LENGTH * CELLS))
    heights = Image.new("L", size, 0)
    if weather.sunlight.max() > _FAINT:
        _paint(heights, assembly, weather.sun)
    lit = heights.point([255] + 255 * [0])
    direct = lit.filter(ImageFilter.BoxBlur(0.8))
    return Shadows(
        direct=np.asarray(direct, dtype=np.float32) / 255.0,
        ambient=np.asarray(_ambient(assembly, size), dtype=np.float32) / 255.0,
        heights=np.asarray(heights, dtype=np.float32) / _HEIGHT_STEPS,
        sun=np.asarray(weather.sun, dtype=np.float32),
    )


def _paint(heights: Image.Image, assembly: Assembly, sun: np.ndarray) -> None:
    """Paints every shadow on the ground, the highest last."""
    slope = np.array([sun[0], sun[2]], dtype=np.float64) / sun[1]
    blocks = [
        *assembly.shadow_walls,
        *_lit_walls(assembly, sun),
        *_posts(assembly, slope),
    ]
    points = np.concatenate([block.reshape(-1, 3) for block in blocks])
    sizes = np.concatenate([np.full(len(block), block.shape[1]) for block in blocks])
    starts = np.cumsum(sizes) - sizes
    flat = np.stack(
        [
            (points[:, 0] - points[:, 1] * slope[0] - LEFT) * CELLS,
            (points[:, 2] - points[:, 1] * slope[1] - NEAR_END) * CELLS,
        ],
        axis=1,
    )
    tops = np.maximum.reduceat(points[:, 1], starts)
    near, far = np.minimum.reduceat(flat, starts), np.maximum.reduceat(flat, starts)
    on_map = ((far >= 0) & (near <= heights.size)).all(axis=1)
    numbers = flat.ravel().tolist()
    painted = [
        (tops[k], numbers[2 * starts[k] : 2 * (starts[k] + sizes[k])])
        for k in np.flatnonzero(on_map)
    ]
    pencil = ImageDraw.Draw(heights)
    for height, outline in sorted(painted + _balls(assembly, slope), key=lambda pair: pair[0]):
        pencil.polygon(outline, fill=min(255, max(1, round(float(height) * _HEIGHT_STEPS))))


def _lit_walls(assembly: Assembly, sun: np.ndarray) -> list[np.ndarray]:
    """What the sun shines on of each box: two sides, in bands, and the lid.

    All that lies in the shadow of the box lies in the shadow of these.
    """
    walls = []
    for x0, z0, x1, z1, height in assembly.shadow_boxes:
        x, z = x1 if sun[0] > 0 else x0, z1 if sun[2] > 0 else z0
        lid = [(x0, height, z0), (x1, height, z0), (x1, height, z1), (x0, height, z1)]
        walls.append(np.array([lid]))
        levels = np.linspace(0.0, height, max(1, round(height / _BAND)) + 1)
        for start, stop in (((x, z0), (x, z1)), ((x0, z), (x1, z))):
            band = np.empty((len(levels) - 1, 4, 3))
            band[:, [0, 3], 0], band[:, [0, 3], 2] = start
            band[:, [1, 2], 0], band[:, [1, 2], 2] = stop
            band[:, :2, 1], band[:, 2:, 1] = levels[:-1, None], levels[1:, None]
            walls.append(band)
    return walls


def _posts(assembly: Assembly, slope: np.ndarray) -> list[np.ndarray]:
    """Poles and trunks as rectangles that stand square to the sun."""
    if not assembly.shadow_posts:
        return []
    x, y, z, height, width = np.array(assembly.shadow_posts).T
    side = np.array([-slope[1], slope[0]]) / max(np.hypot(*slope), 1e-6) / 2
    corners = np.empty((len(x), 4, 3))
    corners[..., 0], corners[..., 1], corners[..., 2] = x[:, None], y[:, None], z[:, None]
    corners[:, 2:, 1] += height[:, None]
    for corner, sign in enumerate((-1, 1, 1, -1)):
        corners[:, corner, 0] += sign * width * side[0]
        corners[:, corner, 2] += sign * width * side[1]
    return [corners]


_TURN = np.stack([np.cos(np.arange(10) * np.pi / 5), np.sin(np.arange(10) * np.pi / 5)], axis=1)


def _balls(assembly: Assembly, slope: np.ndarray) -> list[tuple[float, list[float]]]:
    """Balls throw ellipses, longer along the ray by 1 / sin(elevation)."""
    if not assembly.shadow_balls:
        return []
    x, y, z, radius = np.array(assembly.shadow_balls).T
    steep = np.hypot(*slope)
    along = slope / max(steep, 1e-6)
    ring = _TURN[:, :1] * along * np.sqrt(1.0 + steep**2)
    ring += _TURN[:, 1:] * np.array([-along[1], along[0]])
    middles = np.stack([x - y * slope[0] - LEFT, z - y * slope[1] - NEAR_END], axis=1)
    flat = (middles[:, None] + radius[:, None, None] * ring) * CELLS
    seen = (middles[:, 1] > -5.0) & (middles[:, 1] < LENGTH + 5.0)
    outlines = flat[seen].reshape(seen.sum(), -1).tolist()
    return list(zip((y + radius)[seen].tolist(), outlines, strict=True))


def _ambient(assembly: Assembly, size: tuple[int, int]) -> Image.Image:
    image = Image.new("L", size, 255)
    pencil = ImageDraw.Draw(image)
    x, z, wide, long, heading = np.array(assembly.footprints).reshape(-1, 5).T
    sin, cos = np.sin(heading), np.cos(heading)
    outlines = np.empty((len(x), 4, 2))
    for corner, (right, forward) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        outlines[:, corner, 0] = x + right * wide * cos + forward * long * sin - LEFT
        outlines[:, corner, 1] = z - right * wide * sin + forward * long * cos - NEAR_END
    for outline in (outlines * CELLS).reshape(-1, 8).tolist():
        pencil.polygon(outline, fill=70)
    return image.filter(ImageFilter.BoxBlur(0.35 * CELLS))
