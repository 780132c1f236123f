"""The confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from callbacks.event_writer import event_writer

# Beyond these many classes counts and names are too small to be read.
MOST_CLASSES_WITH_COUNTS = 20
MOST_CLASSES_WITH_NAMES = 60


def write_confusion_matrix(folder: Path, matrix: np.ndarray, class_names: Sequence[str]) -> None:
    """Writes the confusion matrix of the test split.

    Args:
        folder: TensorBoard folder of the run; the picture goes to its part `test`.
        matrix: see `confusion_matrix_picture`.
        class_names: see `confusion_matrix_picture`.
    """
    picture = confusion_matrix_picture(matrix, class_names)
    with event_writer(folder / "test"):
        tf.summary.image("confusion_matrix", picture[None], step=0)


def confusion_matrix_picture(matrix: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Draws a confusion matrix: the shade is the share of the true class, the text the count.

    Args:
        matrix: counts, shape (classes, classes); entry (i, j) counts examples of class i that
            were taken for class j, as `sklearn.metrics.confusion_matrix` gives it.
        class_names: names by class id.

    Returns:
        uint8, shape (height, width, 3).

    Raises:
        ValueError: the shape does not fit the names.
    """
    matrix, count = np.asarray(matrix), len(class_names)
    if matrix.shape != (count, count):
        raise ValueError(
            f"`matrix` must have a row and a column for each of {count} classes. "
            f"Received: shape {matrix.shape}"
        )
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = float(np.clip(3 + 0.45 * count, 5, 14))
    figure = Figure(figsize=(side, side * 0.92), dpi=100, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    axes.set(xlabel="predicted", ylabel="truth")
    if count <= MOST_CLASSES_WITH_NAMES:
        size = 9 if count <= MOST_CLASSES_WITH_COUNTS else 6
        axes.set_xticks(range(count), class_names, rotation=90, fontsize=size)
        axes.set_yticks(range(count), class_names, fontsize=size)
    if count <= MOST_CLASSES_WITH_COUNTS:
        for (row, column), number in np.ndenumerate(matrix):
            if number:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, f"{number}", ha="center", va="center", color=colour)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
