"""Exports of a run, compared with its model on its own pictures, and timed beside it."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from datasets import check, images, pipeline
from datasets.core import DataError, LabelledSource, Splits
from datasets.files import PictureFiles
from tasks.common import evaluation, run_folder, run_pictures
from tasks.common.exports import agreement, benchmark, formats, timing, verified
from tasks.common.exports.folded import fold
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


@dataclasses.dataclass(frozen=True, eq=False)
class BenchmarkExamples:
    """What a benchmark counts right answers on.

    Attributes:
        source: the examples, under the class ids of the model.
        kind: what they are, in words.
    """

    source: LabelledSource
    kind: str


def own_splits(saved: SavedRun, quantize: str | None, benchmarked: bool) -> Splits | None:
    """The run's examples; None where they are gone and nothing needs them.

    A comparison is possible without them, on drawn patches of colour, and standard error says so.

    Raises:
        DataError: the pictures are needed, to calibrate or to test on, and cannot be read.
    """
    try:
        return run_pictures.load_splits(saved)
    except DataError as error:
        if benchmarked:
            raise DataError(
                f"--benchmark tests on the run's test pictures, and they cannot be read: {error} "
                "Or name class folders of other test pictures with --data-dir."
            ) from error
        if quantize == "int8":
            raise DataError(
                f"int8 is calibrated on training pictures, and those of the run cannot be read: "
                f"{error} Or name a folder of similar pictures with --data-dir."
            ) from error
        print(
            f"note: compared on drawn patches of colour, because the run's pictures cannot be "
            f"read: {error}",
            file=sys.stderr,
        )
        return None


def own_pictures(saved: SavedRun, splits: Splits | None, calibrate: bool) -> ExportPictures:
    """Training pictures to calibrate on, if asked for, and validation pictures to compare on."""
    if splits is None:
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
    size = tuple(saved.model.input_shape[1:3])
    readable = PictureFiles(kept, [0] * len(kept), image_size=size)
    pictures = run_pictures.picture_sample(saved, readable, len(kept))
    compared = pictures[np.unique(np.linspace(0, len(kept) - 1, COMPARED_PICTURES).astype(int))]
    return ExportPictures(pictures, compared, f"pictures of {folder}")


def colour_patches(saved: SavedRun) -> np.ndarray:
    """Random soft patches of colour, uint8, shape (n, height, width, 3), of the model's size."""
    how = run_pictures.batching(saved, COMPARED_PICTURES)
    generator = np.random.default_rng(saved.config.seed)
    coarse = generator.integers(0, 256, (COMPARED_PICTURES, 4, 4, 3), dtype=np.uint8)
    return np.stack([pipeline.resize(one, how.image_size, "squash").numpy() for one in coarse])


def folder_test_examples(saved: SavedRun, folder: Path) -> BenchmarkExamples:
    """The pictures in class folders named like the model's classes; its `test` part if it has one.

    Raises:
        DataError: see `evaluation.folder_examples`.
    """
    folder = folder.expanduser()
    source = evaluation.folder_examples(
        folder,
        "test",
        saved.class_names,
        skip_bad_images=True,
        workers=saved.config.workers,
        image_size=tuple(saved.model.input_shape[1:3]),
    )
    return BenchmarkExamples(source, str(folder))


def variants(
    names: Sequence[str], quantize: str | None, side_by_side: bool
) -> list[tuple[str, str | None]]:
    """Each format with its quantisation: a format that has not the one asked for stays float32.

    Args:
        names: formats; one named twice counts once.
        quantize: the quantisation asked for, or None.
        side_by_side: write each quantised format in float32 as well.
    """
    found = []
    for name in dict.fromkeys(names):
        able = quantize in formats.FORMATS[name].quantisations
        if side_by_side or not able:
            found.append((name, None))
        if able:
            found.append((name, quantize))
    return found


def export(
    saved: SavedRun,
    folder: Path,
    wanted: Sequence[tuple[str, str | None]],
    pictures: ExportPictures,
) -> Iterator[verified.ExportRow | agreement.ExportError]:
    """One finished, compared export after another, or the reason why it was not kept.

    Args:
        saved: the run.
        folder: where to.
        wanted: see `variants`.
        pictures: to calibrate and compare on.
    """
    how = run_pictures.batching(saved, 1)
    model = float32_twin(saved.model)
    folded = fold(model, pictures.compared)
    if folded.sentence is not None:
        print(folded.sentence, flush=True)

    def resize_picture(picture: tf.Tensor) -> tf.Tensor:
        return pipeline.resize(picture, how.image_size, how.resizing)

    for name, quantize in wanted:
        try:
            yield verified.export_verified(
                model,
                saved.class_names,
                folder,
                name,
                pictures.compared,
                written=folded.model,
                quantize=quantize,
                representative=pictures.calibration,
                resize_picture=resize_picture,
            )
        except agreement.ExportError as error:
            yield error


def table(saved: SavedRun, rows: Sequence[verified.ExportRow], picture: np.ndarray | None) -> str:
    """The model itself and its exports: file, size, agreement and time for one picture.

    Args:
        saved: the run.
        rows: its exports.
        picture: a picture to time the model on, uint8, shape (1, height, width, 3); None leaves
            the times out.
    """
    header = ["format", "numbers", "file", "MB", "largest difference", "same class"]
    size = _megabytes(agreement.size_bytes(saved.folder.model))
    cells = [["keras", "float32", saved.folder.model.name, size, MISSING, MISSING]]
    cells += [
        [
            row.format,
            row.quantize or "float32",
            row.path.name,
            _megabytes(row.size_bytes),
            f"{row.agreement.largest_difference:.1e}",
            percent(row.agreement.top1_agreement),
        ]
        for row in rows
    ]
    if picture is not None:
        predict = benchmark.compiled(float32_twin(saved.model))
        times = [timing.latency(functools.partial(predict, picture))]
        times += [row.latency_ms for row in rows]
        header.append("ms a picture")
        cells = [[*line, _digits(time)] for line, time in zip(cells, times, strict=True)]
    return text_table(header, cells)


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


def run_benchmark(
    saved: SavedRun, rows: Sequence[verified.ExportRow], examples: BenchmarkExamples
) -> list[benchmark.Result]:
    """The model of a run and its exports, each timed and each tested on every example."""
    how = run_pictures.batching(saved, benchmark.BATCH_SIZE)
    batches = pipeline.evaluation_batches(examples.source, how).as_numpy_iterator()
    pictures = run_pictures.picture_sample(saved, examples.source, benchmark.BATCH_SIZE)
    entrants = benchmark.contenders(saved.model, rows)
    return benchmark.measure(entrants, benchmark.batch_of(pictures), batches)


def write_benchmark(
    saved: SavedRun, folder: Path, results: Sequence[benchmark.Result], kind: str
) -> list[Path]:
    """Writes `benchmark.json` and `benchmark.md` beside the exports; their places."""
    machine = run_folder.describe("export", saved.config.seed)
    made = {
        "run": str(saved.folder.path),
        "benchmarked": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        **{key: machine[key] for key in ("command", "processor", "cores", "platform", "python")},
        "packages": machine["packages"],
    }
    document = benchmark.document(results, kind, made)
    texts = {
        "benchmark.json": json.dumps(document, indent=2) + "\n",
        "benchmark.md": benchmark.page(results, kind, made),
    }
    for name, text in texts.items():
        run_folder.replace_text(folder / name, text)
    return [folder / name for name in texts]
