"""Surfaces in space as quadrilaterals, in arrays with one row a face.

Seen from outside, the corners of a face are lower left, lower right, upper right, upper left; u
runs from the first to the second, v from the first to the fourth, both from 0 to 1. A triangle
repeats a corner. Lengths in metres in the axes of the world, see `camera`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PLAIN, FACADE, ROOF, FOLIAGE, GLASS, PAVED, PAINT, LIT = range(8)
"""Materials: how a face is coloured in `shading`."""

FLAT, CYLINDER, SPHERE = range(3)
"""Roundings: how the normals of a face run, from edge to edge."""

WHOLE = -1
"""The cut-out of a face without one, see `cutouts`."""


def linear(colour: np.ndarray | Sequence[float]) -> np.ndarray:
    """Display colour in [0, 255] to linear light in [0, 1], with a gamma of 2."""
    return (np.asarray(colour, dtype=np.float32) / 255.0) ** 2


def column(colour: Sequence[float]) -> np.ndarray:
    """One display colour as linear light, (3, 1), to be mixed with planes of colour, (3, k)."""
    return linear(colour)[:, None]


@dataclasses.dataclass(frozen=True)
class Mesh:
    """n faces.

    Attributes:
        corners: float32, (3, 4, n).
        colours: share of light thrown back, linear, float32, (3, n), in [0, 1].
        classes: class ids, uint8, (n,).
        materials: one of PLAIN to LIT, int16, (n,).
        cutouts: WHOLE, or which shape is cut out of the face, int16, (n,).
        roundings: FLAT, CYLINDER or SPHERE, int8, (n,).
        repeats: how often the cut-out stands side by side, float32, (n,).
        styles: row of the facades' table, for FACADE, int16, (n,).
        instances: 0 or the number of the thing it belongs to, int32, (n,).
    """

    corners: np.ndarray
    colours: np.ndarray
    classes: np.ndarray
    materials: np.ndarray
    cutouts: np.ndarray
    roundings: np.ndarray
    repeats: np.ndarray
    styles: np.ndarray
    instances: np.ndarray

    def __len__(self) -> int:
        return self.corners.shape[2]


class Patch(NamedTuple):
    """Some faces of one class, before they are joined to a mesh.

    Corners are (n, 4, 3); colours are display colours in [0, 255], (3,) or (n, 3). The other values
    are as in `Mesh`: one for all faces, or one a face where an array is allowed.
    """

    corners: np.ndarray
    colours: np.ndarray | Sequence[float]
    class_id: int
    materials: int | np.ndarray = PLAIN
    cutouts: int | np.ndarray = WHOLE
    roundings: int | np.ndarray = FLAT
    repeats: float = 1.0
    styles: int = 0
    instance: int = 0

    def moved(self, position: Sequence[float], heading: float = 0.0) -> Patch:
        """Turned by `heading` radians, from z towards x, about the y axis, then moved."""
        cos, sin = np.cos(heading), np.sin(heading)
        turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        return self._replace(corners=self.corners @ turn + np.asarray(position))


def faces(
    corners: np.ndarray | Sequence,
    colours: np.ndarray | Sequence[float],
    class_id: int,
    material: int | np.ndarray = PLAIN,
    cutout: int | np.ndarray = WHOLE,
    rounding: int | np.ndarray = FLAT,
    repeat: float = 1.0,
    style: int = 0,
) -> Patch:
    """A patch of faces with corners (n, 4, 3); see `Patch`."""
    corners = np.asarray(corners, dtype=np.float64).reshape(-1, 4, 3)
    return Patch(corners, colours, class_id, material, cutout, rounding, repeat, style)


def joined(patches: Sequence[Patch]) -> Mesh:
    """All faces in one mesh, in order."""
    counts = np.array([len(patch.corners) for patch in patches])
    shown = np.empty((int(counts.sum()), 3), dtype=np.float32)
    varying = [np.empty(len(shown), dtype=kind) for kind in (np.int16, np.int16, np.int8)]
    stop = 0
    for patch, count in zip(patches, counts.tolist(), strict=True):
        start, stop = stop, stop + count
        shown[start:stop] = patch.colours
        varying[0][start:stop] = patch.materials
        varying[1][start:stop] = patch.cutouts
        varying[2][start:stop] = patch.roundings

    def spread(values: list[float], kind: type) -> np.ndarray:
        return np.repeat(np.array(values, dtype=kind), counts)

    corners = np.concatenate([patch.corners for patch in patches]).astype(np.float32)
    return Mesh(
        np.ascontiguousarray(corners.transpose(2, 1, 0)),
        np.ascontiguousarray(linear(shown).T),
        spread([patch.class_id for patch in patches], np.uint8),
        *varying,
        spread([patch.repeats for patch in patches], np.float32),
        spread([patch.styles for patch in patches], np.int16),
        spread([patch.instance for patch in patches], np.int32),
    )


def box_corners(lower: Sequence[float], upper: Sequence[float]) -> np.ndarray:
    """The sides of an upright box, outward, float64, (5, 4, 3): -z, +z, -x, +x and the top."""
    (x0, y0, z0), (x1, y1, z1) = lower, upper
    return np.array(
        [
            [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)],
            [(x1, y0, z1), (x0, y0, z1), (x0, y1, z1), (x1, y1, z1)],
            [(x0, y0, z1), (x0, y0, z0), (x0, y1, z0), (x0, y1, z1)],
            [(x1, y0, z0), (x1, y0, z1), (x1, y1, z1), (x1, y1, z0)],
            [(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)],
        ]
    )


def facing(
    centres: np.ndarray | Sequence, widths: object, heights: object, eye: np.ndarray
) -> np.ndarray:
    """Upright rectangles turned towards the eye about their middle, (n, 4, 3).

    Args:
        centres: middles of the rectangles, (n, 3).
        widths: (n,) or one; likewise `heights`.
        eye: where the camera stands, (3,).
    """
    centres = np.asarray(centres, dtype=np.float32).reshape(-1, 3)
    across = across_view(centres, eye) * (np.asarray(widths, dtype=np.float32).reshape(-1, 1) / 2)
    up = np.zeros_like(across)
    up[:, 1] = np.asarray(heights, dtype=np.float32) / 2
    return np.stack(
        [
            centres - across - up,
            centres + across - up,
            centres + across + up,
            centres - across + up,
        ],
        axis=1,
    )


def across_view(points: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Level unit vectors to the right as the eye looks at the points, float32, (n, 3)."""
    view = np.asarray(points, dtype=np.float32) - np.asarray(eye, dtype=np.float32)
    across = np.stack([view[:, 2], np.zeros(len(view), np.float32), -view[:, 0]], axis=1)
    return across / np.maximum(np.hypot(view[:, 0], view[:, 2]), 1e-6)[:, None]
