"""Exports of a run, compared with its model on its own pictures."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from datasets import check, images, pipeline
from datasets.core import DataError
from datasets.files import PictureFiles
from tasks.common import run_pictures
from tasks.common.exports import agreement, formats, verified
from tasks.common.exports.precision import float32_twin
from tasks.common.saved_run import SavedRun
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, percent

# LiteRT, "Post-training integer quantization", asks for 100 to 500 pictures to calibrate on.
CALIBRATION_PICTURES = 300
# Enough to see a wrong class in a hundred, few enough to be computed in seconds.
COMPARED_PICTURES = 128
# Below this spread of the probabilities a model answers all pictures nearly alike.
TELLING_SPREAD = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class ExportPictures:
    """What exports are calibrated and compared on.

    Attributes:
        calibration: uint8, shape (n, height, width, 3), like those the model was trained on;
            None where no export needs them.
        compared: uint8, shape (n, height, width, 3), n > 0.
        kind: what `compared` shows, in words.
    """

    calibration: np.ndarray | None
    compared: np.ndarray
    kind: str


def own_pictures(saved: SavedRun, calibrate: bool) -> ExportPictures:
    """Training pictures to calibrate on, if asked for, and validation pictures to compare on.

    Where the run's data is gone, a comparison is still possible on drawn patches of colour, and
    standard error says so; a calibration is not.

    Raises:
        DataError: the pictures are needed to calibrate and cannot be read.
    """
    try:
        splits = run_pictures.load_splits(saved)
    except DataError as error:
        if calibrate:
            raise DataError(
                f"int8 is calibrated on training pictures, and those of the run cannot be read: "
                f"{error} Or name a folder of similar pictures with --data-dir."
            ) from error
        print(
            f"note: compared on drawn patches of colour, because the run's pictures cannot be "
            f"read: {error}",
            file=sys.stderr,
        )
        return ExportPictures(None, colour_patches(saved), "drawn patches of colour")
    calibration = None
    if calibrate:
        calibration = run_pictures.picture_sample(saved, splits.train, CALIBRATION_PICTURES)
    compared = run_pictures.picture_sample(saved, splits.validation, COMPARED_PICTURES)
    return ExportPictures(calibration, compared, "validation pictures")


def folder_pictures(saved: SavedRun, folder: Path) -> ExportPictures:
    """Pictures of any folder, spread evenly over it; those that cannot be read are left out.

    Raises:
        DataError: there is no such folder, or no readable picture in it.
    """
    folder = folder.expanduser()
    paths = images.list_pictures(folder) if folder.is_dir() else []
    spread = np.unique(np.linspace(0, len(paths) - 1, CALIBRATION_PICTURES).astype(int))
    chosen = [paths[index] for index in spread] if paths else []
    every = PictureFiles(chosen, [0] * len(chosen))
    bad = {picture.index for picture in check.find_bad_pictures(every, None, saved.config.workers)}
    kept = [path for index, path in enumerate(chosen) if index not in bad]
    if not kept:
        raise DataError(
            f"{folder} must be a folder with pictures that can be read, received "
            f"{len(paths)} pictures: name another one with --data-dir."
        )
    readable = PictureFiles(kept, [0] * len(kept))
    pictures = run_pictures.picture_sample(saved, readable, len(kept))
    compared = pictures[np.unique(np.linspace(0, len(kept) - 1, COMPARED_PICTURES).astype(int))]
    return ExportPictures(pictures, compared, f"pictures of {folder}")


def colour_patches(saved: SavedRun) -> np.ndarray:
    """Random soft patches of colour, uint8, shape (n, height, width, 3), of the model's size."""
    how = run_pictures.batching(saved, COMPARED_PICTURES)
    generator = np.random.default_rng(saved.config.seed)
    coarse = generator.integers(0, 256, (COMPARED_PICTURES, 4, 4, 3), dtype=np.uint8)
    return np.stack([pipeline.resize(one, how.image_size, "squash").numpy() for one in coarse])


def export(
    saved: SavedRun,
    folder: Path,
    names: Sequence[str],
    quantize: str | None,
    pictures: ExportPictures,
) -> Iterator[verified.ExportRow]:
    """One finished, compared export per format, each as soon as it is done.

    A format that has not the quantisation asked for stays float32, and its row says so.

    Raises:
        ExportError: an export does not compute what the model computes.
    """
    how = run_pictures.batching(saved, 1)

    def resize_picture(picture: tf.Tensor) -> tf.Tensor:
        return pipeline.resize(picture, how.image_size, how.resizing)

    for name in names:
        yield verified.export_verified(
            saved.model,
            saved.class_names,
            folder,
            name,
            pictures.compared,
            quantize=quantize if quantize in formats.FORMATS[name].quantisations else None,
            representative=pictures.calibration,
            resize_picture=resize_picture,
        )


def table(saved: SavedRun, rows: Sequence[verified.ExportRow], picture: np.ndarray) -> str:
    """The model itself and its exports: file, size, agreement and time for one picture.

    Args:
        saved: the run.
        rows: its exports.
        picture: a picture to time the model on, uint8, shape (1, height, width, 3).
    """
    model = float32_twin(saved.model)
    cells = [
        [
            "keras",
            "float32",
            saved.folder.model.name,
            _megabytes(agreement.size_bytes(saved.folder.model)),
            MISSING,
            MISSING,
            _digits(agreement.latency(_prediction(model), picture)),
        ]
    ]
    cells += [
        [
            row.format,
            row.quantize or "float32",
            row.path.name,
            _megabytes(row.size_bytes),
            f"{row.agreement.largest_difference:.1e}",
            percent(row.agreement.top1_agreement),
            _digits(row.latency_ms),
        ]
        for row in rows
    ]
    header = ["format", "numbers", "file", "MB", "largest difference", "same class", "ms a picture"]
    return text_table(header, cells)


def _prediction(model: keras.Model) -> agreement.Predict:
    # Compiled, as the exports are: an eager call would mostly measure Python.
    function = tf.function(lambda images: model(images, training=False))
    return lambda images: function(tf.constant(images)).numpy()


def _megabytes(size: int) -> str:
    """Megabytes of 10^6 bytes."""
    return _digits(size / 1e6)


def _digits(value: float) -> str:
    """A positive number with about three digits that count."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 4
    return f"{value:.{decimals}f}"


def tells_little(rows: Sequence[verified.ExportRow]) -> bool:
    """Whether the model answered the pictures so alike that agreement proves nothing."""
    return any(row.agreement.spread < TELLING_SPREAD for row in rows)
