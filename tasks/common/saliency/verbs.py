"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs that predict where people
look.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from datasets import saliency
from datasets.fixation_maps import Blur
from datasets.saliency import FixatedPictures
from tasks.common import sound_pictures
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.verbs import dense_verbs
from tasks.common.saliency import drawing, evaluation, report
from tasks.common.saved_run import SavedRun


def measure(saved: SavedRun, source: FixatedPictures, batch_size: int) -> dict[str, float]:
    """The numbers of `evaluation.summary` on every example of a source."""
    found = report.predict(saved.model, source, saved.config, batch_size)
    return evaluation.summary(found.scores())


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> FixatedPictures:
    """All pictures of a list of fixations; such a place has no splits of its own.

    Raises:
        DataError: as `saliency.read_all`, or a picture cannot be read and `skip_bad` is false.
    """
    config = saved.config
    blur = Blur(config.blur_degrees, config.pixels_per_degree)
    source, counted = saliency.read_all(place, blur, config.earliest_seconds, skip_bad)
    print(counted)
    return sound_pictures.sound(source, skip_bad, config.workers)


def paint(model: keras.Model, output: np.ndarray) -> np.ndarray:
    """The map in colours, bright where people look most, uint8 (h, w, 3)."""
    return drawing.paint(output[..., 0])


def describe(model: keras.Model, output: np.ndarray) -> dict[str, float]:
    """Where a map is highest, and how gathered it is.

    Returns:
        `highest_x` and `highest_y`, shares of width and height; `half_of_attention`, the smallest
        share of the picture that holds half of the map.
    """
    density = drawing.relative(output[..., 0].astype(np.float64))
    row, column = np.unravel_index(density.argmax(), density.shape)
    ordered = np.cumsum(np.sort(density, axis=None)[::-1])
    held = int(np.searchsorted(ordered, ordered[-1] / 2)) + 1 if ordered[-1] > 0 else density.size
    return {
        "highest_x": float((column + 0.5) / density.shape[1]),
        "highest_y": float((row + 0.5) / density.shape[0]),
        "half_of_attention": held / density.size,
    }


KIND = DenseKind(
    measure=measure,
    outside_examples=outside_examples,
    paint=paint,
    describe=describe,
    metric=evaluation.HEADLINE,
    output="maps",
)

VERBS = dense_verbs(KIND)
