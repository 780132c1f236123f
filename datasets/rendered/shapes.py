"""Plane and solid shapes as arrays of points, before any camera or colour.

Units are metres. In the plane a point is (x, y): x forward, y up. In space it is (x, y, z):
z points away from the viewer's side of the car to the far side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# The six sides of a box, as indices of its corners in the order of `box_corners`, each with its
# outward normal.
BOX_SIDES = (
    ((0, 1, 3, 2), (-1.0, 0.0, 0.0)),
    ((4, 6, 7, 5), (1.0, 0.0, 0.0)),
    ((0, 4, 5, 1), (0.0, -1.0, 0.0)),
    ((2, 3, 7, 6), (0.0, 1.0, 0.0)),
    ((0, 2, 6, 4), (0.0, 0.0, -1.0)),
    ((1, 5, 7, 3), (0.0, 0.0, 1.0)),
)


def rounded(
    points: Sequence[Sequence[float]],
    roundness: float = 0.3,
    closed: bool = True,
    reach: float = 0.35,
) -> np.ndarray:
    """A polygon with each corner replaced by a quadratic Bezier curve.

    The curve starts and ends on the two edges of a corner and has the corner as its control
    point, so it is tangent to both edges.

    Args:
        points: corners, shape (n, 2).
        roundness: share of each edge that the curve takes, in [0, 0.5].
        closed: whether the last corner joins the first; an open line keeps its two ends.
        reach: longest piece of an edge that a curve may take, in metres.

    Returns:
        Points on the outline, float64, shape (5 n, 2), or (5 (n - 2) + 2, 2) if open.
    """
    corners = np.asarray(points, dtype=np.float64)
    before = np.roll(corners, 1, axis=0) - corners
    after = np.roll(corners, -1, axis=0) - corners
    start = corners + before * _taken_share(before, roundness, reach)
    end = corners + after * _taken_share(after, roundness, reach)
    t = np.linspace(0.0, 1.0, 5)[None, :, None]
    curves = (
        (1 - t) ** 2 * start[:, None] + 2 * t * (1 - t) * corners[:, None] + t**2 * end[:, None]
    )
    if closed:
        return curves.reshape(-1, 2)
    return np.concatenate([corners[:1], curves[1:-1].reshape(-1, 2), corners[-1:]])


def _taken_share(edges: np.ndarray, roundness: float, reach: float) -> np.ndarray:
    lengths = np.maximum(np.linalg.norm(edges, axis=1, keepdims=True), 1e-9)
    return np.minimum(roundness, reach / lengths)


def circle(
    centre: tuple[float, float], radius: float, start: float = 0.0, stop: float = 360.0
) -> np.ndarray:
    """Points on a circle or an arc of it, from angle `start` to `stop` in degrees, shape (n, 2)."""
    angles = np.radians(np.linspace(start, stop, 25))
    return np.stack(
        [centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)], axis=1
    )


def box_corners(lower: Sequence[float], upper: Sequence[float]) -> np.ndarray:
    """The corners of an upright box between two opposite ones, shape (8, 3), z fastest."""
    x, y, z = zip(lower, upper, strict=True)
    return np.array([(a, b, c) for a in x for b in y for c in z])


def lifted(points: np.ndarray, z: float | np.ndarray) -> np.ndarray:
    """Plane points put at depth `z`: shape (n, 2) to (n, 3)."""
    solid = np.empty((len(points), 3))
    solid[:, :2] = points
    solid[:, 2] = z
    return solid
