"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs on classes of pixels."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from datasets import camvid
from datasets.core import DataError, LabelledSource
from keras_models.map_output import map_layer
from tasks.common import sound_pictures
from tasks.common.dense import panels
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.verbs import dense_verbs
from tasks.common.saved_run import SavedRun
from tasks.common.segmentation import evaluation, measures


def measure(saved: SavedRun, source: LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of `measures.numbers` on every example of a source."""
    how = evaluation.batching(saved.model, batch_size, saved.config.workers)
    return measures.numbers(evaluation.of_model(saved.model, source, how))


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> LabelledSource:
    """The frames of one split of a copy of CamVid.

    Raises:
        DataError: there is no such split, the model has other classes, or a frame cannot be read
            and `skip_bad` is false.
    """
    names = map_layer(saved.model).names
    if names != camvid.CLASS_NAMES[: camvid.VOID]:
        raise DataError(
            f"{place} is read as a copy of CamVid, whose classes the model must have, received the "
            f"classes {', '.join(names)}: name another run."
        )
    source = camvid.read_split(camvid.find_root(place, split), split)
    return sound_pictures.sound(source, skip_bad, saved.config.workers)


def paint(model: keras.Model, output: np.ndarray) -> np.ndarray:
    """The most probable class of each pixel in its colour, uint8 (h, w, 3)."""
    return panels.paint_classes(output.argmax(axis=-1), map_layer(model).colours)


def describe(model: keras.Model, output: np.ndarray) -> dict[str, float]:
    """The share of the picture that each class has."""
    names = map_layer(model).names
    counts = np.bincount(output.argmax(axis=-1).ravel(), minlength=len(names))
    return {
        name: round(float(count) / counts.sum(), 4)
        for name, count in zip(names, counts, strict=True)
    }


KIND = DenseKind(
    measure=measure,
    outside_examples=outside_examples,
    paint=paint,
    describe=describe,
    metric=measures.HEADLINE,
    output="probabilities",
)

VERBS = dense_verbs(KIND)
