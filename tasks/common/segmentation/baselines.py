"""What a sceptic would try first: no network at all.

- the most common class, everywhere;
- the most common class of each place: a street has its sky above and its road below;
- the most common class of each place and colour, counted in coarse cells of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

# A cell of the last baseline: a 12 x 16 grid of places, and 4 levels of red, green and blue.
_GRID = (12, 16)
_LEVELS = 4
# So many pixels of the cell's place are added to those of its colour, for colours that are rare
# there.
_PRIOR_PIXELS = 5.0

Baseline = Callable[[np.ndarray], np.ndarray]
"""uint8 pictures (n, height, width, 3) -> class ids, int64 (n, height, width)."""


def fit(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], size: tuple[int, int], class_count: int
) -> Mapping[str, Baseline]:
    """Counts classes in the training pictures.

    Args:
        batches: uint8 pictures (n, height, width, 3) and true ids (n, height, width); ids outside
            of [0, class_count) are void.
        size: height and width.
        class_count: number of classes.

    Returns:
        The baselines by their names.
    """
    places = np.zeros((*size, class_count), np.int64)
    cells = np.zeros((int(np.prod(_GRID)) * _LEVELS**3, class_count), np.int64)
    for pictures, truth in batches:
        ids = np.asarray(truth).astype(np.int64)
        for class_id in range(class_count):
            places[..., class_id] += (ids == class_id).sum(axis=0)
        valid = (ids >= 0) & (ids < class_count)
        flat = _cells(pictures)[valid] * class_count + ids[valid]
        cells += np.bincount(flat, minlength=cells.size).reshape(cells.shape)
    common = int(places.sum(axis=(0, 1)).argmax())
    # Where nothing but void was ever seen, the most common class.
    of_place = np.where(places.any(axis=-1), places.argmax(axis=-1), common)
    of_cell = _with_prior(cells, common)
    return {
        "most common class": lambda pictures: np.full(pictures.shape[:3], common),
        "most common class by place": lambda pictures: np.tile(of_place, (len(pictures), 1, 1)),
        "most common class by place and colour": lambda pictures: of_cell[_cells(pictures)],
    }


def _cells(pictures: np.ndarray) -> np.ndarray:
    """The number of the cell of place and colour that each pixel is in, int64 (n, h, w)."""
    _, height, width, _ = pictures.shape
    row = np.arange(height) * _GRID[0] // height
    column = np.arange(width) * _GRID[1] // width
    levels = pictures.astype(np.int64) * _LEVELS // 256
    colour = (levels[..., 0] * _LEVELS + levels[..., 1]) * _LEVELS + levels[..., 2]
    return (row[:, None] * _GRID[1] + column) * _LEVELS**3 + colour


def _with_prior(cells: np.ndarray, common: int) -> np.ndarray:
    """The most common class of each cell, int64 (cells,), with help from its place."""
    counts = cells.reshape(-1, _LEVELS**3, cells.shape[-1]).astype(np.float64)
    of_place = counts.sum(axis=1, keepdims=True)
    totals = of_place.sum(axis=-1, keepdims=True)
    counts += _PRIOR_PIXELS * np.divide(
        of_place, totals, out=np.zeros_like(of_place), where=totals > 0
    )
    return np.where(counts.any(axis=-1), counts.argmax(axis=-1), common).ravel()
