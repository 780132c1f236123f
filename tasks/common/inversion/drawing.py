"""Rebuilt pictures beside their originals."""

from __future__ import annotations

import numpy as np

from tasks.common.dense.panels import paint_quantity

HEADINGS = ("original", "rebuilt", "error")
EXPLANATION = (
    "In the panel of the error black is none, and the brightest colour stands for 64 grey levels "
    "or more, on average over the three channels."
)
# Grey levels by which a pixel is off that have the brightest colour: a quarter of the range.
_LIMIT = 64.0


def as_picture(pixels: np.ndarray) -> np.ndarray:
    """Pixels of any range as a picture, uint8, what lies outside of [0, 255] cut off.

    Args:
        pixels: float (height, width, 3).
    """
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def panels(original: np.ndarray, rebuilt: np.ndarray) -> list[np.ndarray]:
    """Original, rebuilt picture, and the mean difference of their channels, dark where none.

    Args:
        original: float (height, width, 3), range [0, 255].
        rebuilt: of the same shape, of any range.
    """
    seen = as_picture(rebuilt)
    off = np.abs(seen.astype(np.float32) - original).mean(axis=-1)
    return [as_picture(original), seen, paint_quantity(off, 0.0, _LIMIT, "magma")]
