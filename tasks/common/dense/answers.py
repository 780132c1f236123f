"""Maps of pictures and of the frames of videos, one after another, in bounded memory."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from datasets import images, pipeline
from datasets.core import DataError
from tasks.common import prediction, run_pictures
from tasks.common.answers import Answer
from tasks.common.dense import own_size, video
from tasks.common.found_pictures import FoundPicture, find_pictures
from tasks.common.predict_options import PredictOptions
from tasks.common.saved_run import SavedRun

# Frames of one batch take so many bytes at most, besides what the network makes of them.
_FRAMES = 1 << 28


@dataclasses.dataclass(frozen=True, eq=False)
class FrameAnswer(Answer):
    """What the model says about one frame of a video; `picture` is the video's file.

    Attributes:
        frame: its number, from 0; None where the answer is that the video cannot be read (on).
        rate: frames a second.
        pixels: uint8 (height, width, 3), RGB; None where there is no frame.
    """

    frame: int | None = None
    rate: float = 0.0
    pixels: np.ndarray | None = None


def answers(saved: SavedRun, options: PredictOptions) -> Iterator[Answer]:
    """An answer for each picture and each frame that the command line names, in their order.

    Raises:
        DataError: a folder cannot be listed.
    """
    batch_size = own_size.batch_size(saved.model.output_shape[1:], options.batch_size)
    found = find_pictures(options.paths, (*images.PICTURE_SUFFIXES, *video.SUFFIXES))
    for moving, group in itertools.groupby(found, _is_video):
        if moving:
            for file in group:
                yield from _of_video(saved, file, batch_size)
        else:
            yield from prediction.answers(saved, group, batch_size)


def _is_video(found: FoundPicture) -> bool:
    return found.path.suffix.lower() in video.SUFFIXES


def _of_video(saved: SavedRun, file: FoundPicture, batch_size: int) -> Iterator[Answer]:
    """Frame by frame; where the video cannot be read, or ends too early, the last one says why."""
    try:
        with video.opened(file.path) as film:
            for batch in _batches(enumerate(film.frames), batch_size):
                yield from _of_frames(saved, file, film.rate, batch)
    except DataError as error:
        yield FrameAnswer(str(file.path), None, str(error), file)


def _batches(
    numbered: Iterable[tuple[int, np.ndarray]], batch_size: int
) -> Iterator[list[tuple[int, np.ndarray]]]:
    """At most `batch_size` frames at once, fewer where they are large.

    Raises:
        DataError: that of `numbered`, after the frames before it.
    """
    batch = []
    try:
        for number, pixels in numbered:
            batch.append((number, pixels))
            if len(batch) >= max(1, min(batch_size, _FRAMES // pixels.nbytes)):
                yield batch
                batch = []
    except DataError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _of_frames(
    saved: SavedRun, file: FoundPicture, rate: float, batch: list[tuple[int, np.ndarray]]
) -> Iterator[Answer]:
    batching = run_pictures.batching_of(saved, len(batch))
    with tf.device("CPU"):
        squashed = [
            pipeline.resize(pixels, batching.image_size, batching.resizing).numpy()
            for _, pixels in batch
        ]
    outputs = saved.model.predict_on_batch(np.stack(squashed))
    for (number, pixels), output in zip(batch, outputs, strict=True):
        yield FrameAnswer(str(file.path), output, None, file, number, rate, pixels)
