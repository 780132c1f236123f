"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat a network of the study."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from datasets import core, plain_pictures
from tasks.common import run_pictures, sound_pictures
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.verbs import dense_verbs
from tasks.common.inversion import drawing, measures
from tasks.common.saved_run import SavedRun


def measure(saved: SavedRun, source: core.LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of the cell's report on every picture of a source."""
    batching = run_pictures.batching_of(saved, batch_size)
    deviation = saved.model.get_layer("pixels").deviation
    return measures.numbers(
        measures.errors(measures.rebuilt_by(saved.model, source, batching), deviation)
    )


def outside_examples(
    saved: SavedRun, place: Path, split: str, skip_bad: bool
) -> core.LabelledSource:
    """All pictures of a folder, whatever the split.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    files = plain_pictures.list_folder(place, tuple(saved.config.image_size))
    return sound_pictures.sound(files, skip_bad, saved.config.workers)


def paint(model: keras.Model, output: np.ndarray) -> np.ndarray:
    """The rebuilt picture."""
    return drawing.as_picture(output)


def describe(model: keras.Model, output: np.ndarray) -> dict[str, float]:
    """The mean colour of the rebuilt picture, in grey levels: what deep layers still know."""
    colour = np.clip(output, 0, 255).mean(axis=(0, 1))
    names = ("red", "green", "blue")
    return {f"mean_{name}": float(value) for name, value in zip(names, colour, strict=True)}


KIND = DenseKind(
    measure=measure,
    outside_examples=outside_examples,
    paint=paint,
    describe=describe,
    metric=measures.HEADLINE,
    output="maps",
)

VERBS = dense_verbs(KIND)
