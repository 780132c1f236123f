"""Maps of a network at the size of the picture they answer, without holding more than is allowed.

Bilinear between the middles of the pixels, as the exported models compute it
(`keras_models.any_size`). A map is float32 (height, width, channels).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

# A whole map may have so many numbers, 256 MiB in float32: a picture of 67 million pixels and one
# channel, or of 6 million pixels and eleven.
LARGEST_MAP = 1 << 26
# Numbers in memory at once where a map is made in bands.
_BAND = 1 << 22


def batch_size(shape: tuple[int, int, int], wanted: int) -> int:
    """So many pictures may be answered at once, whose maps have this shape, and at most `wanted`.

    Args:
        shape: H, W, channels.
        wanted: at least 1.
    """
    return max(1, min(wanted, LARGEST_MAP // math.prod(shape)))


def stretched(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The whole map at another size.

    Args:
        maps: (H, W, channels).
        size: height and width of the result.
    """
    return np.concatenate(list(bands(maps, size)))


def bands(maps: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """The map at another size, from the top to the bottom, some rows at once.

    Args:
        maps: (H, W, channels).
        size: height and width of the whole.

    Yields:
        float32 (rows, width, channels).
    """
    height, width = size
    rows = max(1, _BAND // (width * maps.shape[-1]))
    above, below, share = _neighbours(maps.shape[0], height)
    left, right, part = _neighbours(maps.shape[1], width)
    part = part[None, :, None]
    for start in range(0, height, rows):
        line = slice(start, start + rows)
        weight = share[line, None, None]
        band = maps[above[line]] * (1 - weight) + maps[below[line]] * weight
        yield band[:, left] * (1 - part) + band[:, right] * part


def allowed_size(size: tuple[int, int], channels: int) -> tuple[int, int]:
    """The size itself, or one of the same shape at which a whole map may be held."""
    factor = math.sqrt(LARGEST_MAP / (size[0] * size[1] * channels))
    if factor >= 1:
        return size
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))


def _neighbours(given: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of `wanted` pixels its two nearest of `given`, and the share of the second."""
    places = (np.arange(wanted, dtype=np.float32) + 0.5) * np.float32(given / wanted) - 0.5
    first = np.floor(places)
    nearest = (np.clip(first + step, 0, given - 1).astype(np.int64) for step in (0, 1))
    return *nearest, (places - first).astype(np.float32)
