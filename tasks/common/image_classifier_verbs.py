"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs of image classifiers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from datasets import check, core, images, pipeline
from datasets.core import DataError
from datasets.files import PictureFiles
from keras_models import transfer
from tasks.common import (
    class_folders,
    classification,
    image_classifier,
    prediction,
    prediction_files,
    run_pictures,
)
from tasks.common.answers import hand_out
from tasks.common.classification import Predictions
from tasks.common.found_pictures import find_pictures
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun
from tasks.common.verbs import Verbs

# Patches of colour that stand for pictures; enough to see one wrong class in a hundred.
_MADE_UP = 128


def measure(saved: SavedRun, source: core.LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of `classification.metrics` on every example of a source."""
    batching = run_pictures.batching_of(saved, batch_size)
    predictions = Predictions(
        probabilities=image_classifier.predict(saved.model, source, batching),
        labels=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        class_names=transfer.class_names(saved.model),
    )
    return classification.metrics(predictions)


def outside_examples(
    saved: SavedRun, place: Path, split: str, skip_bad: bool
) -> core.LabelledSource:
    """The pictures in class folders named like the model's classes.

    Raises:
        DataError: see `class_folders.folder_examples`.
    """
    return class_folders.folder_examples(
        place.expanduser(),
        split,
        transfer.class_names(saved.model),
        skip_bad,
        saved.config.workers,
        run_pictures.batching_of(saved, 1).image_size,
    )


def predict(saved: SavedRun, options: PredictOptions) -> None:
    """Classifies picture after picture and hands each answer to everything that was asked for.

    Raises:
        UserError: no picture was found, or none could be read.
        Interrupted: the user stopped it.
    """
    names = transfer.class_names(saved.model)
    with prediction_files.writers(options, names) as writers:
        if options.pictures is not None:
            writers.append(prediction_files.annotated_copies(options.pictures, names, options.top))
        found = find_pictures(options.paths)
        answers = prediction.answers(saved, found, options.batch_size)
        hand_out(answers, writers, options, "picture", "picture files, or folders that hold some")


def outside_arrays(saved: SavedRun, place: Path, count: int) -> np.ndarray:
    """Pictures of any folder, spread evenly over it; those that cannot be read are left out.

    Returns:
        uint8, shape (n, height, width, 3), 0 < n <= count, of the model's size.

    Raises:
        DataError: there is no such folder, or no readable picture in it.
    """
    place = place.expanduser()
    paths = images.list_pictures(place) if place.is_dir() else []
    spread = np.unique(np.linspace(0, len(paths) - 1, count).astype(int))
    chosen = [paths[index] for index in spread] if paths else []
    every = PictureFiles(chosen, [0] * len(chosen))
    bad = {picture.index for picture in check.find_bad_pictures(every, None, saved.config.workers)}
    kept = [path for index, path in enumerate(chosen) if index not in bad]
    if not kept:
        raise DataError(
            f"{place} must be a folder with pictures that can be read, received "
            f"{len(paths)} pictures: name another one with --data-dir."
        )
    size = run_pictures.batching_of(saved, 1).image_size
    readable = PictureFiles(kept, [0] * len(kept), image_size=size)
    return run_pictures.picture_sample(saved, readable, len(kept))


def colour_patches(saved: SavedRun) -> np.ndarray:
    """Random soft patches of colour, uint8, shape (n, height, width, 3), of the model's size."""
    batching = run_pictures.batching_of(saved, _MADE_UP)
    generator = np.random.default_rng(saved.config.seed)
    coarse = generator.integers(0, 256, (_MADE_UP, 4, 4, 3), dtype=np.uint8)
    return np.stack([pipeline.resize(one, batching.image_size, "squash").numpy() for one in coarse])


def resize_picture(saved: SavedRun) -> Callable[[tf.Tensor], tf.Tensor]:
    """TensorFlow operations that bring a decoded picture to the model's size."""
    batching = run_pictures.batching_of(saved, 1)
    return functools.partial(
        pipeline.resize, image_size=batching.image_size, resizing=batching.resizing
    )


VERBS = Verbs(
    measure=measure,
    outside_examples=outside_examples,
    predict=predict,
    arrays=run_pictures.picture_sample,
    outside_arrays=outside_arrays,
    made_up_arrays=colour_patches,
    output_names=transfer.class_names,
    example="picture",
    metric="accuracy",
    output="probabilities",
    made_up="drawn patches of colour",
    annotates=True,
    resize_picture=resize_picture,
)
