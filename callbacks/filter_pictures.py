"""The filters of a first convolution as one picture.

Tensor contract: filters are floating point, shape (n, height, width, 1 or 3), RGB.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from callbacks.event_writer import event_writer

# Width of a sheet in pixels: sharp in a report, small as a file.
SHEET_WIDTH = 640
MIDDLE_GREY = 127.5


def filter_sheet(filters: np.ndarray, columns: int | None = None) -> np.ndarray:
    """All filters in rows, enlarged without smoothing, uint8 (sheet height, sheet width, 3).

    Each filter has its own scale, symmetric about 0: middle grey is a weight of 0, white or a full
    colour the largest weight of the filter, black its negative. A filter of zeros is grey.

    Args:
        filters: shape (n, height, width, 1 or 3), n at least 1.
        columns: filters in a row; by default about twice as many as there are rows.

    Raises:
        ValueError: the shape is another.
    """
    filters = np.asarray(filters, np.float64)
    if filters.ndim != 4 or filters.shape[-1] not in (1, 3) or not len(filters):
        raise ValueError(
            "`filters` must have shape (n, height, width, 1 or 3), n at least 1. "
            f"Received: {filters.shape}"
        )
    count, height, width, _ = filters.shape
    columns = columns or min(count, math.ceil(math.sqrt(2 * count)))
    rows = -(-count // columns)
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    shades = MIDDLE_GREY * (1 + filters / np.where(largest > 0, largest, 1.0))
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), 255.0)
    for number, shade in enumerate(shades):
        top, left = number // columns * (height + 1) + 1, number % columns * (width + 1) + 1
        sheet[top : top + height, left : left + width] = shade
    enlargement = max(1, SHEET_WIDTH // sheet.shape[1])
    enlarged = sheet.repeat(enlargement, axis=0).repeat(enlargement, axis=1)
    return np.rint(enlarged).astype(np.uint8)


def write_filters(folder: Path, filters: np.ndarray) -> None:
    """Shows the filters in TensorBoard; `folder` is that of the run, the picture goes to `test`."""
    with event_writer(folder / "test"):
        tf.summary.image("filters_of_the_first_layer", filter_sheet(filters)[None], step=0)
