"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs that find points."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import keras

from datasets import landmark_files
from datasets.core import DataError
from datasets.landmark_records import LandmarkSource
from datasets.landmark_schemes import column_names
from keras_models.landmark_regressor import point_layer
from tasks.common import image_classifier_verbs, prediction, sound_pictures
from tasks.common.answers import hand_out
from tasks.common.found_pictures import find_pictures
from tasks.common.landmarks import answers as landmark_answers
from tasks.common.landmarks import measures, report
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun


def measure(saved: SavedRun, source: LandmarkSource, batch_size: int) -> dict[str, float]:
    """The numbers of `measures.metrics` on every example of a source."""
    found = report.predictions(saved.model, source, saved.config, batch_size)
    return measures.metrics(found)


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> LandmarkSource:
    """All pictures of a table of points; such a place has no splits of its own.

    Raises:
        DataError: as `landmark_files.read_all`; the table has other points than the model, or a
            picture cannot be read and `skip_bad` is false.
    """
    source, table = landmark_files.read_all(place, saved.config.person_pattern, skip_bad)
    expected, received = len(point_layer(saved.model).point_names), table.points.shape[1]
    if expected != received:
        raise DataError(
            f"{table.path} must have the model's {expected} points, received {received}: name "
            "another place with --data-dir."
        )
    if len(source) < len(table.names):
        print(
            f"note: {len(table.names) - len(source)} rows of {table.path} have no picture.",
            file=sys.stderr,
        )
    return sound_pictures.sound(source, skip_bad, saved.config.workers)


def predict(saved: SavedRun, options: PredictOptions) -> None:
    """Finds the points on picture after picture and hands them to everything that was asked for.

    Raises:
        UserError: no picture was found, or none could be read.
        Interrupted: the user stopped it.
    """
    with landmark_answers.writers(options, saved) as writers:
        answers = prediction.answers(saved, find_pictures(options.paths), options.batch_size)
        files = "picture files, or folders that hold some"
        hand_out(answers, writers, options, "picture", files, "marked")


def output_names(model: keras.Model) -> tuple[str, ...]:
    """x00, y00, x01, and so on."""
    return column_names(len(point_layer(model).point_names))


VERBS = dataclasses.replace(
    image_classifier_verbs.VERBS,
    measure=measure,
    outside_examples=outside_examples,
    predict=predict,
    output_names=output_names,
    metric="normalised_mean_error",
    output="points",
)
