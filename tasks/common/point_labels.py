"""Names beside the points of a chart, placed so that they cover neither each other nor a point."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from tasks.common.wording import shorten

# Directions and distances, in points of 1/72 inch, that are tried; the nearest first.
_DISTANCES = (5.0, 12.0, 22.0, 34.0)
_DIRECTIONS = tuple(math.radians(angle) for angle in (0, 180, 45, -45, 135, -135, 90, -90))
_MARKER = 3.5
_LONGEST = 28
# From here on a line leads from the name to its point.
_LINE_FROM = 10.0


def label_points(axes: Axes, x: np.ndarray, y: np.ndarray, texts: Sequence[str]) -> None:
    """Writes each text beside its point, at the nearest place that is free, or the freest one.

    To be called when everything else of the figure stands, because it counts in pixels.

    Args:
        axes: with its limits and scales set.
        x: of the points, shape (n,); likewise `y`.
        texts: n names, shortened where they are long.
    """
    figure = axes.figure
    figure.canvas.draw()
    figure.set_layout_engine("none")
    pixels = figure.dpi / 72
    points = axes.transData.transform(np.column_stack([x, y]))
    taken = [_around(point, _MARKER * pixels) for point in points]
    inside = axes.get_window_extent().extents
    for point, text in zip(points, texts, strict=True):
        shown = axes.annotate(
            shorten(text, _LONGEST), axes.transData.inverted().transform(point), fontsize=7
        )
        extent = shown.get_window_extent(figure.canvas.get_renderer())
        offset, box = best_place(point, (extent.width, extent.height), taken, inside, pixels)
        taken.append(box)
        shown.remove()
        axes.annotate(
            shorten(text, _LONGEST),
            axes.transData.inverted().transform(point),
            offset,
            textcoords="offset pixels",
            fontsize=7,
            arrowprops=(
                {"arrowstyle": "-", "color": "#AAAAAA", "linewidth": 0.5, "shrinkB": 2}
                if math.hypot(*(box[:2] - point)) / pixels > _LINE_FROM + extent.width / pixels
                else None
            ),
        )


def best_place(
    point: np.ndarray,
    size: tuple[float, float],
    taken: Sequence[np.ndarray],
    inside: np.ndarray,
    pixels: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Where a text of this size beside a point covers least of what is taken.

    Args:
        point: shape (2,), in pixels.
        size: width and height of the text.
        taken: boxes (left, bottom, right, top).
        inside: the box that should not be left.
        pixels: how many make a point of 1/72 inch.

    Returns:
        The offset of the text's lower left corner from the point, and the box it then takes.
    """
    best, least = None, math.inf
    for distance in _DISTANCES:
        for angle in _DIRECTIONS:
            offset = _offset(angle, distance * pixels, size)
            box = np.concatenate([point + offset, point + offset + size])
            covered = sum(_overlap(box, other) for other in taken)
            covered += size[0] * size[1] - _overlap(box, inside)
            if covered < least - 1e-6:
                best, least = (offset, box), covered
    return best


def _offset(angle: float, distance: float, size: tuple[float, float]) -> np.ndarray:
    """From the point to the lower left corner of a text that begins in that direction."""
    across, up = math.cos(angle), math.sin(angle)
    # The text's box touches the circle of that radius from outside.
    return np.array(
        [
            distance * across + size[0] * (across - 1) / 2,
            distance * up + size[1] * (up - 1) / 2,
        ]
    )


def _around(point: np.ndarray, radius: float) -> np.ndarray:
    return np.concatenate([point - radius, point + radius])


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Area that two boxes (left, bottom, right, top) share."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    return float(np.prod(np.maximum(sides, 0.0)))
