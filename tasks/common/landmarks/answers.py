"""Where predicted points go: lines of a terminal, JSON Lines, CSV, pictures with points on them.

Everywhere points are in pixels of the given picture, upright, from its left upper corner. The CSV
has the form of the tables that `--data csv` reads.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datasets import images, landmark_frames
from datasets.core import DataError
from datasets.landmark_schemes import column_names, scheme_of
from keras_models.landmark_regressor import point_layer
from tasks.common import annotated_pictures
from tasks.common.answers import Answer, Write
from tasks.common.errors import reason_unwritten
from tasks.common.found_pictures import FoundPicture
from tasks.common.landmarks import drawing
from tasks.common.predict_options import PredictOptions
from tasks.common.prediction_files import LateFile
from tasks.common.saved_run import SavedRun
from tasks.common.wording import one_line, shorten

_NAME_WIDTH = 40
_SIDES = ("left", "top", "right", "bottom")
# A thumbnail is enlarged until its points can be told apart, in pixels.
_SMALLEST_COPY = 480


@dataclasses.dataclass(frozen=True, eq=False)
class Marked:
    """A picture with the points that were found on it.

    Attributes:
        picture: the file.
        points: float32 (N, 2), x and y in pixels.
        size: height and width of the picture, in pixels.
    """

    picture: FoundPicture
    points: np.ndarray
    size: tuple[int, int]


WriteMarked = Callable[[Marked], None]


@contextlib.contextmanager
def writers(options: PredictOptions, saved: SavedRun) -> Iterator[list[Write]]:
    """All that the options of `tasks.predict` ask for, as one writer."""
    names = point_layer(saved.model).point_names
    image_size = tuple(saved.model.input_shape[1:3])
    with contextlib.ExitStack() as stack:
        found = [terminal()]
        complain = [lambda answer: print(f"not read: {one_line(answer.error)}", file=sys.stderr)]
        if options.json is not None:
            mark, note = stack.enter_context(json_lines(options.json, names))
            found.append(mark)
            complain.append(note)
        if options.csv is not None:
            found.append(stack.enter_context(csv_table(options.csv, len(names))))
        if options.pictures is not None:
            found.append(drawn_copies(options.pictures, len(names)))

        def write(answer: Answer) -> None:
            if answer.output is None or answer.picture is None:
                for one in complain:
                    one(answer)
                return
            size = images.picture_size(answer.picture.path)
            shares = answer.output.reshape(-1, 2)
            points = landmark_frames.to_pixels(shares, size, image_size)
            for one in found:
                one(Marked(answer.picture, points, size))

        yield [write]


def terminal() -> WriteMarked:
    """A line per picture on standard output: the box around its points."""
    print("  ".join(["file".ljust(_NAME_WIDTH), *(f"{side:>7}" for side in _SIDES)]))

    def write(marked: Marked) -> None:
        box = [*marked.points.min(axis=0), *marked.points.max(axis=0)]
        name = shorten(str(marked.picture.path), _NAME_WIDTH).ljust(_NAME_WIDTH)
        print("  ".join([name, *(f"{value:7.1f}" for value in box)]))

    return write


@contextlib.contextmanager
def json_lines(path: Path, names: Sequence[str]) -> Iterator[tuple[WriteMarked, Write]]:
    """A JSON object a picture: `file`, `height`, `width` and `points`, or `file` and `error`.

    Yields:
        What writes a picture with points, and what writes one that cannot be read.
    """
    with contextlib.closing(LateFile(path)) as file:

        def write(marked: Marked) -> None:
            places = [[round(float(value), 2) for value in point] for point in marked.points]
            document = {
                "file": str(marked.picture.path),
                "height": marked.size[0],
                "width": marked.size[1],
                "points": dict(zip(names, places, strict=True)),
            }
            file.write(json.dumps(document) + "\n")

        def write_error(answer: Answer) -> None:
            file.hold(json.dumps({"file": answer.name, "error": answer.error}) + "\n")

        yield write, write_error


@contextlib.contextmanager
def csv_table(path: Path, count: int) -> Iterator[WriteMarked]:
    """A row a readable picture: `file,x00,y00,x01,...`."""
    with contextlib.closing(LateFile(path, errors="surrogateescape", newline="")) as file:
        rows = csv.writer(file)
        started = False

        def write(marked: Marked) -> None:
            nonlocal started
            if not started:
                rows.writerow(["file", *column_names(count)])
                started = True
            places = (f"{value:.2f}" for value in marked.points.ravel())
            rows.writerow([str(marked.picture.path), *places])

        yield write


def drawn_copies(folder: Path, count: int) -> WriteMarked:
    """A copy with its points a readable picture; one that cannot be made is named."""
    lines = scheme_of(count).lines

    def write(marked: Marked) -> None:
        try:
            picture = images.read_picture(marked.picture.path)
            height, width = marked.size
            copy = drawing.drawn(
                picture,
                lines,
                prediction=marked.points / [width, height],
                smallest=_SMALLEST_COPY,
            )
            annotated_pictures.put_copy(folder, marked.picture, Image.fromarray(copy))
        except DataError as error:
            print(f"not drawn: {one_line(str(error))}", file=sys.stderr)
        except OSError as error:
            said = f"the copy of {marked.picture.path}: {reason_unwritten(error)}"
            print(f"not written: {one_line(said)}", file=sys.stderr)

    return write
