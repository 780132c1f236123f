"""Depth as colours: near is bright, far is dark, unknown is black."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tasks.common.dense import panels

COLOUR_MAP = "magma_r"
HEADINGS = ("input", "truth", "prediction", "error")
ERROR_TEXT = (
    "Depth is bright where it is near and dark where it is far, on a logarithmic scale that truth "
    "and prediction share; black is unknown. The error is red where the prediction is too far and "
    "blue where it is too near, in full colour from a factor of 1.56 (1.25^2) on."
)
_FULL_COLOUR = 2 * math.log(1.25)
# Shares of the pixels beyond which colours no longer change: one far pixel dims no picture.
_ENDS = (2, 98)


def colour_range(depth: np.ndarray) -> tuple[float, float]:
    """The depths, metres, that get the first and the last colour; 1 and 2 where all is unknown."""
    known = depth[depth > 0]
    if not len(known):
        return 1.0, 2.0
    low, high = np.percentile(known, _ENDS)
    return float(low), float(max(high, 1.05 * low))


def paint_depth(depth: np.ndarray, low: float, high: float) -> np.ndarray:
    """Depth in colours, on a logarithmic scale.

    Args:
        depth: (height, width), metres, 0 unknown.
        low: metres, above 0, painted brightest.
        high: metres, painted darkest.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    logarithms = np.log(np.where(depth > 0, depth, np.nan))
    return panels.paint_quantity(logarithms, math.log(low), math.log(high), COLOUR_MAP)


def draw(picture: np.ndarray, truth: np.ndarray, output: np.ndarray) -> Sequence[np.ndarray]:
    """Input, truth, prediction and error of one picture, all of the picture's size.

    Args:
        picture: uint8 (height, width, 3).
        truth: float32 (h, w, 1), metres, 0 unknown, of any size.
        output: float32 (h, w, 1), metres, of any size.
    """
    size = picture.shape[:2]
    true, said = (_enlarged(maps[..., 0], size) for maps in (truth, output))
    low, high = colour_range(true)
    known = true > 0
    error = np.where(known, np.log(said / np.where(known, true, 1.0)), np.nan)
    return (
        picture.astype(np.uint8),
        paint_depth(true, low, high),
        paint_depth(said, low, high),
        panels.paint_difference(error, _FULL_COLOUR),
    )


def _enlarged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map at another size, its pixels repeated or left out."""
    rows, columns = (
        np.arange(wanted) * had // wanted for wanted, had in zip(size, values.shape, strict=True)
    )
    return values[rows][:, columns]
