"""Points drawn on pictures, with Pillow: fast enough for every epoch.

Points come as shares of the picture's width and height, (2 N,), x00, y00, x01, ...; (0, 0) is
missing and not drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

TRUTH, PREDICTION = (60, 220, 60), (255, 70, 50)
"""Green is where a person put a point, red where the network puts it."""

Lines = Sequence[Sequence[int]]

_SMALLEST = 192
_GAP = 4


def drawn(
    picture: np.ndarray,
    lines: Lines,
    truth: np.ndarray | None = None,
    prediction: np.ndarray | None = None,
    smallest: int = _SMALLEST,
) -> np.ndarray:
    """A copy with the points on it, enlarged where it is small, uint8 (height, width, 3).

    Args:
        picture: uint8 or float (height, width, 3), range [0, 255].
        lines: points to be joined.
        truth: drawn in green under the prediction; None to leave it out.
        prediction: drawn in red.
        smallest: a picture whose longer side is smaller is enlarged to it, in pixels.
    """
    image = Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    factor = max(1.0, smallest / max(image.size))
    image = image.resize(
        (round(factor * image.width), round(factor * image.height)), Image.Resampling.BICUBIC
    )
    pencil = ImageDraw.Draw(image)
    for points, colour in ((truth, TRUTH), (prediction, PREDICTION)):
        if points is not None:
            _draw(pencil, np.reshape(points, (-1, 2)) * image.size, lines, colour, image.size)
    return np.asarray(image)


def _draw(
    pencil: ImageDraw.ImageDraw,
    points: np.ndarray,
    lines: Lines,
    colour: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    visible = points.any(axis=1)
    thick = max(1, round(max(size) / 300))
    for line in lines:
        for first, second in itertools.pairwise(line):
            if visible[first] and visible[second]:
                ends = (*points[first], *points[second])
                pencil.line([float(value) for value in ends], fill=colour, width=thick)
    r = max(1.2, max(size) / 150)
    for x, y in points[visible].tolist():
        pencil.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def drawn_batch(pictures: np.ndarray, truth: np.ndarray, lines: Lines) -> np.ndarray:
    """Pictures of one size with their true points, uint8 (n, height, width, 3)."""
    return np.stack(
        [
            drawn(picture, lines, truth=points)
            for picture, points in zip(pictures, truth, strict=True)
        ]
    )


def sheet(
    pictures: np.ndarray, truth: np.ndarray, predictions: np.ndarray, lines: Lines
) -> np.ndarray:
    """Pictures side by side with truth and prediction, uint8 (height, width, 3)."""
    cells = [
        drawn(picture, lines, *points)
        for picture, *points in zip(pictures, truth, predictions, strict=True)
    ]
    columns = math.ceil(math.sqrt(len(cells)))
    height, width = (side + _GAP for side in cells[0].shape[:2])
    page = np.full((-(-len(cells) // columns) * height, columns * width, 3), 255, np.uint8)
    for number, cell in enumerate(cells):
        top, left = number // columns * height, number % columns * width
        page[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return page
