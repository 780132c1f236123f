"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs on classes of pixels."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from datasets import camvid, cityscapes, class_masks
from datasets.core import LabelledSource
from keras_models.map_output import map_layer
from tasks.common import sound_pictures
from tasks.common.dense import panels
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.verbs import dense_verbs
from tasks.common.saved_run import SavedRun
from tasks.common.segmentation import evaluation, measures


def measure(saved: SavedRun, source: LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of `measures.numbers` on every example of a source."""
    batching = evaluation.batching_of(saved.model, batch_size, saved.config.workers)
    return measures.numbers(evaluation.of_model(saved.model, source, batching))


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> LabelledSource:
    """One split of a copy of the data set whose classes the model has.

    It is Cityscapes for a run on it, whose validation split are the cities that the run's options
    choose; for all others CamVid, whose classes the drawn streets have as well.

    Raises:
        DataError: there is no such split, a picture cannot be read and `skip_bad` is false, or
            the masks are void alone.
    """
    config = saved.config
    if config.data != "cityscapes":
        source = camvid.read_split(camvid.find_root(place, split), split)
    elif split == "test":
        source = cityscapes.read_test(place)
    else:
        source = cityscapes.load(place, config.validation_fraction, config.seed).validation
    source = sound_pictures.sound(source, skip_bad, config.workers)
    class_masks.require_some_class(source, len(map_layer(saved.model).names), split)
    return source


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
