"""Maps of where people look, as pictures: input, truth, prediction and difference."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tasks.common.dense import panels
from tasks.common.saliency.measures import resized

HEADINGS = ("input", "truth", "prediction", "difference")
TEXT = (
    "Truth and prediction lie over the picture, bright where people look most; dots are fixations. "
    "The difference is red where the prediction is too high and blue where it is too low."
)

_OPACITY = 0.6
_COLOURS = "inferno"
# A dot is a hundredth of the picture's longer side wide, so that maps are seen below them. Smaller
# pictures are enlarged, where such a dot would have too few pixels to be one.
_DOTS_ACROSS = 100
_SMALLEST = 300


def relative(saliency: np.ndarray) -> np.ndarray:
    """A map in shares of its highest value, in [0, 1]; zeros where it has no positive value."""
    positive = np.maximum(saliency, 0.0)
    highest = positive.max()
    return positive / highest if highest > 0 else positive


def paint(saliency: np.ndarray) -> np.ndarray:
    """A map (height, width) in colours, uint8 (height, width, 3), RGB."""
    return panels.paint_quantity(relative(saliency), 0.0, 1.0, _COLOURS)


def rows(
    picture: np.ndarray,
    truth: np.ndarray,
    output: np.ndarray,
    fixations: np.ndarray | None = None,
) -> tuple[np.ndarray, ...]:
    """The panels of `HEADINGS`, each uint8, as large as the picture, or a multiple of it for dots.

    Args:
        picture: uint8 (height, width, 3).
        truth: float32 (map height, map width, 1).
        output: the same shape.
        fixations: (m, 2), x and y in pixels of the picture, drawn as dots on the truth.
    """
    if fixations is not None:
        scale = max(1, -(-_SMALLEST // max(picture.shape[:2])))
        picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        fixations = fixations * scale
    size = picture.shape[:2]
    wanted, found = (relative(resized(maps[..., 0], size)) for maps in (truth, output))
    covered = [panels.overlay(picture, paint(each), _OPACITY) for each in (wanted, found)]
    if fixations is not None:
        covered[0] = _dotted(covered[0], fixations)
    return picture, *covered, panels.paint_difference(found - wanted, 1.0)


def draw(picture: np.ndarray, truth: np.ndarray, output: np.ndarray) -> tuple[np.ndarray, ...]:
    """The panels for TensorBoard; see `tasks.common.dense.training.Draw`."""
    return rows(picture, truth, output)


def _dotted(picture: np.ndarray, fixations: np.ndarray) -> np.ndarray:
    page = Image.fromarray(picture)
    pencil = ImageDraw.Draw(page)
    radius = max(page.size) / _DOTS_ACROSS / 2
    for x, y in fixations:
        edges = (x - radius, y - radius, x + radius, y + radius)
        pencil.ellipse(edges, fill="white", outline="black")
    return np.asarray(page)
