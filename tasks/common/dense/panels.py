"""Maps as pictures: colours for quantities, classes and errors. With Pillow's speed, for any epoch.

All results are uint8, (height, width, 3), RGB.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from PIL import Image, ImageDraw

_UNKNOWN = (0, 0, 0)
_GAP = 4
_HEADING = 16
# Panels of fewer pixels are enlarged for TensorBoard, whose page shows pictures as they are.
_SMALLEST = 128


def paint_quantity(
    values: np.ndarray, low: float, high: float, colour_map: str = "viridis"
) -> np.ndarray:
    """A quantity in the colours of a map of Matplotlib; black where it is not finite.

    Args:
        values: (height, width).
        low: what has the first colour, and all below.
        high: what has the last colour, and all above.
        colour_map: a name that Matplotlib knows.
    """
    known = np.isfinite(values)
    share = (np.where(known, values, low) - low) / max(high - low, 1e-12)
    colours = matplotlib.colormaps[colour_map](np.clip(share, 0, 1))[..., :3]
    return np.where(known[..., None], np.rint(255 * colours), _UNKNOWN).astype(np.uint8)


def paint_classes(ids: np.ndarray, colours: Sequence[Sequence[int]]) -> np.ndarray:
    """Class ids in their colours; black where there is no such class, as in void.

    Args:
        ids: integers or whole floats, (height, width).
        colours: RGB in [0, 255] by class id.
    """
    ids = np.asarray(ids).astype(np.int64)
    table = np.array([*colours, _UNKNOWN], np.uint8)
    return table[np.where((ids >= 0) & (ids < len(colours)), ids, len(colours))]


def paint_difference(values: np.ndarray, limit: float) -> np.ndarray:
    """What is too large in red, too small in blue, right in white; black where it is unknown.

    Args:
        values: prediction minus truth, (height, width); not finite where the truth is unknown.
        limit: what has the full colour, and all beyond.
    """
    return paint_quantity(values, -limit, limit, "bwr")


def overlay(picture: np.ndarray, painted: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """A painted map laid over its picture, both (height, width, 3)."""
    mixed = (1 - opacity) * picture.astype(np.float32) + opacity * painted
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def beside(panels: Sequence[np.ndarray], headings: Sequence[str] = ()) -> np.ndarray:
    """Pictures of one size side by side, small ones enlarged, each with its heading above it."""
    scale = max(1, -(-_SMALLEST // max(panels[0].shape[:2])))
    large = [np.repeat(np.repeat(panel, scale, axis=0), scale, axis=1) for panel in panels]
    height, width = large[0].shape[:2]
    top = _HEADING if headings else 0
    page = Image.new("RGB", (len(large) * (width + _GAP) - _GAP, top + height), "white")
    pencil = ImageDraw.Draw(page)
    for number, panel in enumerate(large):
        left = number * (width + _GAP)
        page.paste(Image.fromarray(panel), (left, top))
        if headings:
            pencil.text((left + 2, 2), headings[number], "black")
    return np.asarray(page)


def below(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one width below each other."""
    gap = np.full((_GAP, rows[0].shape[1], 3), 255, np.uint8)
    parts = [part for row in rows for part in (row, gap)][:-1]
    return np.concatenate(parts)
