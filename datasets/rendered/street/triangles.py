"""Plane polygons of any shape cut into triangles."""

from __future__ import annotations

import numpy as np


def as_faces(outline: np.ndarray) -> np.ndarray:
    """The triangles of a simple polygon as faces that repeat a corner: (n, 2) to (n - 2, 4, 2).

    Cuts off one ear after the other (Meisters, Polygons Have Ears, 1975). The corners run
    anticlockwise in every triangle, whichever way they run in the outline.
    """
    outline = np.asarray(outline, dtype=np.float64)
    area = _doubled_area(outline)
    ring = list(range(len(outline))) if area > 0 else list(range(len(outline)))[::-1]
    found = []
    while len(ring) > 3:
        at = next((k for k in range(len(ring)) if _is_ear(outline, ring, k)), 0)
        found.append((ring[at - 1], ring[at], ring[(at + 1) % len(ring)]))
        del ring[at]
    found.append(tuple(ring))
    return outline[[(a, b, c, c) for a, b, c in found]]


def _doubled_area(ring: np.ndarray) -> float:
    x, y = ring.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _is_ear(outline: np.ndarray, ring: list[int], at: int) -> bool:
    corners = [ring[at - 1], ring[at], ring[(at + 1) % len(ring)]]
    a, b, c = outline[corners]
    if _doubled_area(np.array([a, b, c])) <= 1e-12:
        return False
    others = outline[[index for index in ring if index not in corners]]
    inside = [_left_of(start, stop, others) for start, stop in ((a, b), (b, c), (c, a))]
    return not np.any(inside[0] & inside[1] & inside[2])


def _left_of(start: np.ndarray, stop: np.ndarray, points: np.ndarray) -> np.ndarray:
    edge, offsets = stop - start, points - start
    return edge[0] * offsets[:, 1] - edge[1] * offsets[:, 0] > 0
