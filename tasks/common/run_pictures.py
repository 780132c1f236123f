"""The pictures of a run, in the form its model takes them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

from datasets import core, pipeline
from tasks.common import saved_run
from tasks.common.errors import UserError
from tasks.common.image_classifier_config import ImageClassifierConfig
from tasks.common.resume import read_position
from tasks.common.saved_run import SavedRun

SPLITS = ("train", "validation", "test")


def open_classifier(name: str, runs_dir: Path) -> SavedRun:
    """Opens the run of an image classifier by its folder, its name or `latest`.

    Raises:
        UserError: as `saved_run.open_run`, or the run is of another kind.
    """
    saved = saved_run.open_run(name, runs_dir)
    if not isinstance(saved.config, ImageClassifierConfig):
        raise UserError(
            f"{saved.folder.path} is a run of {saved.task.name}; this command needs a run of an "
            "image classification task."
        )
    return saved


def batching(saved: SavedRun, batch_size: int) -> pipeline.Batching:
    """How examples become batches of the size and shape that the run's model takes."""
    return pipeline.Batching(
        batch_size=batch_size,
        image_size=tuple(saved.model.input_shape[1:3]),
        class_count=len(saved.class_names),
        resizing=saved.config.resizing,
        workers=saved.config.workers,
    )


def load_splits(saved: SavedRun) -> core.Splits:
    """The examples of the run, split as they were for its training.

    Where they are not those it was trained on, a warning goes to standard error.

    Raises:
        DataError: the data is gone or cannot be read.
    """
    # Looked at once, so not worth a place on the disk.
    config = dataclasses.replace(saved.config, decoded_cache=False)
    splits = saved.task.load_data(config)
    if _changed(saved, splits):
        print(
            "warning: these are not the training and validation examples that the run started "
            "with: files were added, removed or renamed, so it may have learned from some of the "
            "test examples.",
            file=sys.stderr,
        )
    return splits


def _changed(saved: SavedRun, splits: core.Splits) -> bool:
    """Whether the run's state, if it is still there, names other examples."""
    if not saved.folder.state.is_file():
        return False
    return read_position(saved.folder).data != core.fingerprint([splits.train, splits.validation])


def picture_sample(saved: SavedRun, source: core.LabelledSource, count: int) -> np.ndarray:
    """At most `count` pictures of a source, each class in its share, resized for the model.

    Returns:
        uint8, shape (n, height, width, 3), RGB, range [0, 255].
    """
    chosen = core.limit(source, count, saved.config.seed)
    batches = pipeline.evaluation_batches(chosen, batching(saved, 32))
    return np.concatenate([images.numpy() for images, _ in batches])
