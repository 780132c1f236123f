"""Rows of houses along the street, with roofs, chimneys and styles of their fronts."""

from __future__ import annotations

import colorsys
import dataclasses

import numpy as np

from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.classes import BUILDING
from datasets.rendered.street.layout import END, Layout
from datasets.rendered.street.mesh import (
    FACADE,
    ROOF,
    Patch,
    box_corners,
    faces,
    linear,
)

# Hue, saturation, value in [0, 1].
_WALLS_HSV = (
    (0.04, 0.55, 0.62), (0.02, 0.60, 0.52), (0.09, 0.30, 0.86), (0.11, 0.22, 0.92),
    (0.13, 0.12, 0.90), (0.0, 0.0, 0.88), (0.58, 0.14, 0.74), (0.35, 0.10, 0.78),
    (0.07, 0.38, 0.72), (0.03, 0.28, 0.80), (0.15, 0.35, 0.88), (0.0, 0.02, 0.62),
)  # fmt: skip
_ROOFS = ((126, 66, 50), (96, 58, 50), (74, 76, 84), (92, 88, 86), (142, 84, 58))

COLUMNS = (
    "storey", "bay", "window_width", "window_height", "sill", "brick", "shop", "door_bay",
    "ground", "length", "height", "seed", "shutters", "bands",
)  # fmt: skip
"""Measures of a front: metres, shares in [0, 1], or yes and no as 1 and 0."""


@dataclasses.dataclass(frozen=True)
class FrontStyles:
    """How the fronts of houses look, one row a front.

    Attributes:
        measures: float32, (len(COLUMNS), n).
        frames: colour of the window frames, linear, float32, (3, n).
        doors: colour of doors, shutters and shop signs, linear, float32, (3, n).
    """

    measures: np.ndarray
    frames: np.ndarray
    doors: np.ndarray


@dataclasses.dataclass
class FrontTable:
    """Rows of `FrontStyles` while houses are built."""

    measures: list[tuple[float, ...]] = dataclasses.field(default_factory=list)
    frames: list[np.ndarray] = dataclasses.field(default_factory=list)
    doors: list[np.ndarray] = dataclasses.field(default_factory=list)

    def add(self, values: dict[str, float], frame: np.ndarray, door: np.ndarray) -> int:
        """Adds a row and returns its number."""
        self.measures.append(tuple(values[name] for name in COLUMNS))
        self.frames.append(frame)
        self.doors.append(door)
        return len(self.measures) - 1

    def finished(self) -> FrontStyles:
        """The table as arrays."""
        return FrontStyles(
            np.array(self.measures, dtype=np.float32).T.copy(),
            np.array(self.frames, dtype=np.float32).T.copy(),
            np.array(self.doors, dtype=np.float32).T.copy(),
        )


def add_houses(
    assembly: Assembly, layout: Layout, styles: FrontTable, rng: np.random.Generator
) -> None:
    """Lines both sides of the street with houses and closes its end."""
    tall_town = rng.random() < 0.5
    terraced = rng.random() < 0.6
    for side in (-1, 1):
        for start, stop in layout.stretches(side, margin=1.2):
            _add_row(assembly, layout, styles, side, (start, stop), (tall_town, terraced), rng)
    _close_end(assembly, styles, tall_town, rng)


def _add_row(
    assembly: Assembly,
    layout: Layout,
    styles: FrontTable,
    side: int,
    stretch: tuple[float, float],
    character: tuple[bool, bool],
    rng: np.random.Generator,
) -> None:
    tall_town, terraced = character
    z = stretch[0]
    line = layout.house_line(side)
    while z < stretch[1] - 4.0:
        # Far away no one can tell two narrow houses from a wide one.
        wide = 1.0 if z < 60.0 else 1.8
        length = min(wide * rng.uniform(6.0, 15.0), stretch[1] - z)
        storeys = int(rng.integers(3, 6)) if tall_town else int(rng.integers(1, 4))
        back = 0.0 if terraced else rng.uniform(0.0, 1.5)
        near, far = sorted((side * (line + back), side * (line + back + rng.uniform(8.0, 11.0))))
        _add_house(assembly, styles, (near, z), (far, z + length), storeys, side, rng)
        z += length + (0.0 if terraced and rng.random() < 0.85 else rng.uniform(1.5, 6.0))


def _add_house(
    assembly: Assembly,
    styles: FrontTable,
    lower: tuple[float, float],
    upper: tuple[float, float],
    storeys: int,
    side: int,
    rng: np.random.Generator,
) -> None:
    """One house between two corners on the ground, its ridge along the street."""
    storey = rng.uniform(2.7, 3.3)
    height = storeys * storey + rng.uniform(0.3, 0.9)
    hue, saturation, value = _WALLS_HSV[int(rng.integers(len(_WALLS_HSV)))]
    wall = 255 * np.array(
        colorsys.hsv_to_rgb(
            hue % 1.0, saturation * rng.uniform(0.7, 1.1), min(value * rng.uniform(0.85, 1.05), 1.0)
        )
    )
    length = upper[1] - lower[1]
    front = _front_style(styles, (length, height, storey), wall, rng)
    bare = styles.add(
        {**dict(zip(COLUMNS, styles.measures[front], strict=True)), "bay": 4.4, "shop": 0.0,
         "door_bay": -1.0, "length": upper[0] - lower[0]},
        styles.frames[front],
        styles.doors[front],
    )  # fmt: skip
    sides = box_corners((lower[0], 0.0, lower[1]), (upper[0], height, upper[1]))
    street = 2 if side > 0 else 3
    roof = _roof(lower, upper, height, wall, rng)
    assembly.add(
        faces(sides[[street]], wall, BUILDING, FACADE, style=front),
        faces(sides[[0, 1]], wall * 0.97, BUILDING, FACADE, style=bare),
        *roof,
    )
    assembly.shadow_boxes.append((*lower, *upper, height))
    # The first patch of a roof is its slopes, or a flat roof's edge.
    assembly.shadow_walls.append(roof[0].corners)


def _front_style(
    styles: FrontTable,
    size: tuple[float, float, float],
    wall: np.ndarray,
    rng: np.random.Generator,
) -> int:
    length, height, storey = size
    bays = max(1, round(length / rng.uniform(2.1, 3.2)))
    bay = length / bays
    shop = float(rng.random() < 0.28 and height > 5)
    accent = 255 * np.array(
        colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.7))
    )
    frame = (240, 238, 232) if rng.random() < 0.7 else (70, 62, 58)
    values = {
        "storey": storey,
        "bay": bay,
        "window_width": bay * rng.uniform(0.36, 0.56),
        "window_height": storey * rng.uniform(0.44, 0.60),
        "sill": storey * rng.uniform(0.24, 0.32),
        "brick": float(wall[0] > 1.25 * wall[2] and rng.random() < 0.75),
        "shop": shop,
        "door_bay": -1.0 if shop else float(rng.integers(bays)),
        "ground": rng.uniform(0.82, 1.0),
        "length": length,
        "height": height,
        "seed": float(rng.integers(4096)),
        "shutters": float(rng.random() < 0.2),
        "bands": float(rng.random() < 0.5),
    }
    return styles.add(values, linear(frame), linear(accent))


def _roof(
    lower: tuple[float, float],
    upper: tuple[float, float],
    height: float,
    wall: np.ndarray,
    rng: np.random.Generator,
) -> list[Patch]:
    """A gabled roof with its ridge along the street, or a flat one behind a cornice."""
    (x0, z0), (x1, z1) = lower, upper
    colour = np.array(_ROOFS[int(rng.integers(len(_ROOFS)))]) * rng.uniform(0.85, 1.1)
    if rng.random() < 0.3:
        cornice = box_corners((x0 - 0.25, height - 0.35, z0), (x1 + 0.25, height + 0.12, z1))
        return [faces(cornice, wall * 0.8, BUILDING)]
    rise, eave = (x1 - x0) / 2 * rng.uniform(0.5, 0.95), 0.35
    low, ridge, middle = height - 0.15, height + rise, (x0 + x1) / 2
    a, b = x0 - eave, x1 + eave
    slopes = [
        [(a, low, z1), (a, low, z0), (middle, ridge, z0), (middle, ridge, z1)],
        [(b, low, z0), (b, low, z1), (middle, ridge, z1), (middle, ridge, z0)],
    ]
    gables = [
        [(x0, height, z0), (x1, height, z0), (middle, ridge - 0.2, z0), (middle, ridge - 0.2, z0)],
        [(x1, height, z1), (x0, height, z1), (middle, ridge - 0.2, z1), (middle, ridge - 0.2, z1)],
    ]
    # Boards below the eaves: seen from the street a slope is all but edge-on.
    boards = [
        [(a, low - 0.2, z1), (a, low - 0.2, z0), (a, low, z0), (a, low, z1)],
        [(b, low - 0.2, z0), (b, low - 0.2, z1), (b, low, z1), (b, low, z0)],
    ]
    parts = [
        faces(slopes, colour, BUILDING, ROOF),
        faces(gables, wall * 0.95, BUILDING),
        faces(boards, (206, 200, 190), BUILDING),
    ]
    if rng.random() < 0.6:
        z = rng.uniform(z0 + 0.8, max(z1 - 1.6, z0 + 0.9))
        x = middle + rng.uniform(-1, 1)
        stack = box_corners((x - 0.35, ridge - 1.2, z), (x + 0.35, ridge + 0.9, z + 0.8))
        parts.append(faces(stack, (120, 78, 64), BUILDING))
    return parts


def _close_end(
    assembly: Assembly, styles: FrontTable, tall_town: bool, rng: np.random.Generator
) -> None:
    """Houses across the far end, behind which nothing of the ground is seen."""
    x = -70.0
    while x < 70.0:
        length = rng.uniform(8.0, 16.0)
        storeys = int(rng.integers(3, 6)) if tall_town else int(rng.integers(1, 4))
        storey = rng.uniform(2.8, 3.2)
        height = storeys * storey + 0.5
        wall = 255 * np.array(colorsys.hsv_to_rgb(rng.uniform(0.02, 0.12), rng.uniform(0.05, 0.4),
                                                  rng.uniform(0.6, 0.9)))  # fmt: skip
        style = _front_style(styles, (length, height, storey), wall, rng)
        front = [[(x, 0, END + 6), (x + length, 0, END + 6), (x + length, height, END + 6),
                  (x, height, END + 6)]]  # fmt: skip
        slope = [[(x, height, END + 6), (x + length, height, END + 6),
                  (x + length, height + 3.5, END + 11), (x, height + 3.5, END + 11)]]  # fmt: skip
        colour = np.array(_ROOFS[int(rng.integers(len(_ROOFS)))])
        assembly.add(
            faces(front, wall, BUILDING, FACADE, style=style),
            faces(slope, colour, BUILDING, ROOF),
        )
        x += length + (rng.uniform(2, 6) if rng.random() < 0.2 else 0.0)
