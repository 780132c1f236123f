"""Where maps go: painted copies and videos, arrays, clouds of points.

For a file called NAME: `NAME.map.png`, the map in colours, and `NAME.overlay.png`, the picture with
the map laid over it; `NAME.npy`; `NAME.ply`; for a video `NAME.map.mp4` and `NAME.overlay.mp4`, and
the arrays and clouds of its frames as `NAME/000012.npy`. All have the size of the given picture.
Where channels are classes, `legend.png` says which colour is which.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import numpy as np
from PIL import Image

from datasets.core import DataError
from keras_models.map_output import MapOutput, map_layer
from tasks.common import annotated_pictures
from tasks.common.answers import Answer, Write
from tasks.common.dense import answer_lines, legend, own_size, video
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.mapped import Mapped, WriteMapped
from tasks.common.errors import reason_unwritten
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun
from tasks.common.wording import one_line


@contextlib.contextmanager
def writers(
    options: PredictOptions, saved: SavedRun, kind: DenseKind
) -> Iterator[tuple[Write, Callable[[], None]]]:
    """All that the options of `tasks.predict` ask for.

    A copy that cannot be written is named and does not stop the rest.

    Yields:
        What takes answer after answer, and what ends the last video.

    Raises:
        OSError: a line cannot be written, or no copy at all.
    """
    with contextlib.ExitStack() as stack:
        line, end_line = stack.enter_context(answer_lines.terminal())
        lines, copies, ends = [line], [], [end_line]
        complain = [lambda answer: print(f"not read: {one_line(answer.error)}", file=sys.stderr)]
        if options.json is not None:
            entry, note = stack.enter_context(answer_lines.json_lines(options.json))
            lines.append(entry)
            complain.append(note)
        if options.csv is not None:
            lines.append(stack.enter_context(answer_lines.csv_table(options.csv)))
        if options.pictures is not None:
            copies.append(legend_once(options.pictures, map_layer(saved.model)))
            copies.append(painted_pictures(options.pictures))
            frame, end_video = stack.enter_context(painted_videos(options.pictures))
            copies.append(frame)
            ends.append(end_video)
        if options.arrays is not None:
            copies.append(arrays(options.arrays, kind.output == "probabilities"))
        if options.point_cloud is not None:
            copies.append(point_clouds(options.point_cloud, options.focal_length))
        # Frame after frame of a video may fail for one reason: it is said once.
        said: set[str] = set()

        def write(answer: Answer) -> None:
            if answer.output is None:
                for one in complain:
                    one(answer)
                return
            mapped = Mapped(answer, saved.model, kind)
            for one in lines:
                with _told(said):
                    one(mapped)
            for one in copies:
                with _told(said, answer.name):
                    one(mapped)

        def end() -> None:
            for one in ends:
                one()

        yield write, end


def legend_once(folder: Path, layer: MapOutput) -> WriteMapped:
    """`legend.png` beside the first painted copy, where channels are classes with colours."""
    due = layer.colours is not None

    def write(mapped: Mapped) -> None:
        nonlocal due
        if due:
            due = False
            with annotated_pictures.replacing_below(folder, PurePath("legend.png")) as path:
                legend.drawn(layer.names, layer.colours).save(path)

    return write


def painted_pictures(folder: Path) -> WriteMapped:
    """`NAME.map.png` and `NAME.overlay.png` of each picture, not of frames of videos."""

    def write(mapped: Mapped) -> None:
        if mapped.frame is None:
            for word, pixels in (("map", mapped.painted), ("overlay", mapped.overlaid)):
                place = _with_ending(mapped.place, f".{word}.png")
                with annotated_pictures.replacing_below(folder, place) as path:
                    Image.fromarray(pixels).save(path)

    return write


@contextlib.contextmanager
def painted_videos(folder: Path) -> Iterator[tuple[WriteMapped, Callable[[], None]]]:
    """`NAME.map.mp4` and `NAME.overlay.mp4` of each video, as long as it and as fast.

    A video appears under its name once it has ended. One that cannot be written is given up at the
    first fault: nothing of it stays, and its other frames are not tried.

    Yields:
        What takes a picture, which only ends a video, or a frame, and what ends the last video.
    """
    with contextlib.ExitStack() as stack:
        of_video: list[Callable[[np.ndarray], None]] = []
        name = ""

        def end() -> None:
            of_video.clear()
            # Told here, because what follows the video must be written all the same.
            with _told(set(), name):
                stack.close()

        def begin(mapped: Mapped) -> None:
            nonlocal name
            name = mapped.answer.name
            for word in ("map", "overlay"):
                place = _with_ending(mapped.answer.picture.place, f".{word}.mp4")
                path = stack.enter_context(annotated_pictures.replacing_below(folder, place))
                film = video.written(path, mapped.answer.rate, mapped.answer.picture.path)
                of_video.append(stack.enter_context(film))

        def write(mapped: Mapped) -> None:
            if not mapped.frame:
                end()
            try:
                if mapped.frame == 0:
                    begin(mapped)
                if mapped.frame is not None and of_video:
                    for put, pixels in zip(
                        of_video, (mapped.painted, mapped.overlaid), strict=True
                    ):
                        put(pixels)
            except (DataError, OSError):
                of_video.clear()
                # With the fault in hand the temporary files are removed, not put in place.
                stack.__exit__(*sys.exc_info())
                raise

        yield write, end


def arrays(folder: Path, of_classes: bool) -> WriteMapped:
    """`NAME.npy` of each picture, at its own size.

    Class ids, uint8 or for more than 256 classes uint16 (height, width), or quantities, float32
    (height, width, channels). Written band by band, so that no whole map is in memory.
    """

    def write(mapped: Mapped) -> None:
        channels = mapped.answer.output.shape[-1]
        shape = mapped.size if of_classes else (*mapped.size, channels)
        ids = np.uint8 if channels <= 256 else np.uint16
        place = _with_ending(mapped.place, ".npy")
        with annotated_pictures.replacing_below(folder, place, "--arrays") as path:
            array = np.lib.format.open_memmap(path, "w+", ids if of_classes else np.float32, shape)
            start = 0
            for band in own_size.bands(mapped.scores, mapped.size):
                rows = slice(start, start + len(band))
                array[rows] = band.argmax(axis=-1) if of_classes else band
                start += len(band)
            array.flush()

    return write


def point_clouds(folder: Path, focal_length: float | None) -> WriteMapped:
    """`NAME.ply` of each picture: its pixels in space, as the kind of the run makes them.

    Args:
        folder: where to.
        focal_length: in pixels of the given pictures; None where the user named none.
    """

    def write(mapped: Mapped) -> None:
        output, pixels, focal = mapped.held, mapped.pixels, focal_length
        if pixels.shape[:2] != output.shape[:2]:
            if focal is not None:
                focal *= output.shape[1] / pixels.shape[1]
            pixels = np.asarray(Image.fromarray(pixels).resize(output.shape[1::-1]))
        cloud = mapped.kind.point_cloud(mapped.model, pixels, output, focal)
        place = _with_ending(mapped.place, ".ply")
        with annotated_pictures.replacing_below(folder, place, "--point-cloud") as path:
            path.write_bytes(cloud)

    return write


def _with_ending(place: PurePath, ending: str) -> PurePath:
    """The place with more behind its whole name, so that a.png and a.jpg stay apart."""
    return place.with_name(place.name + ending)


@contextlib.contextmanager
def _told(said: set[str], name: str | None = None) -> Iterator[None]:
    """Says why something cannot be written, once, without stopping the rest.

    Args:
        said: what was said before; grows.
        name: of the picture or video whose copy is written; None for what stops the rest where the
            system does not write it.

    Raises:
        OSError: as said of `name`; or nothing else can be written either.
    """
    try:
        yield
    except DataError as error:
        sentence = str(error)
    except OSError as error:
        if name is None:
            raise
        sentence = f"a copy of {name}: {reason_unwritten(error)}"
    else:
        return
    if sentence not in said:
        said.add(sentence)
        print(f"not written: {one_line(sentence)}", file=sys.stderr)
