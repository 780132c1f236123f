"""Answers picture files one after another: any number of them, in bounded memory."""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf

from datasets import images, pipeline
from datasets.core import DataError
from tasks.common import run_pictures
from tasks.common.answers import Answer
from tasks.common.found_pictures import FoundPicture
from tasks.common.saved_run import SavedRun


def answers(saved: SavedRun, pictures: Iterable[FoundPicture], batch_size: int) -> Iterator[Answer]:
    """An answer for each picture, in their order.

    While the model computes a batch, threads read and resize the next one; at most two batches of
    resized pictures and one decoded picture a thread are in memory.
    """
    batching = run_pictures.batching_of(saved, batch_size)
    load = functools.partial(_load, batching=batching)
    with contextlib.closing(_ahead(load, pictures, batching.workers, batch_size)) as loaded:
        for batch in iter(lambda: list(itertools.islice(loaded, batch_size)), []):
            yield from _answer(saved.model, batch)


def _answer(
    model: keras.Model, batch: list[tuple[FoundPicture, np.ndarray | str]]
) -> Iterator[Answer]:
    readable = [pixels for _, pixels in batch if not isinstance(pixels, str)]
    found = iter(model.predict_on_batch(np.stack(readable)) if readable else ())
    for picture, pixels in batch:
        if isinstance(pixels, str):
            yield Answer(str(picture.path), None, pixels, picture)
        else:
            yield Answer(str(picture.path), next(found), None, picture)


def _load(
    picture: FoundPicture, batching: pipeline.Batching
) -> tuple[FoundPicture, np.ndarray | str]:
    """The picture with its pixels as the model takes them, or with why it cannot be read."""
    try:
        pixels = images.read_picture(picture.path, batching.image_size)
    except DataError as error:
        return picture, str(error)
    # One small picture is not worth the way to a GPU.
    with tf.device("CPU"):
        return picture, pipeline.resize(pixels, batching.image_size, batching.resizing).numpy()


def _ahead(
    load: Callable, items: Iterable, workers: int, pending: int
) -> Generator[tuple[FoundPicture, np.ndarray | str]]:
    """`load` of each item, in order, done by threads for at most `pending` items ahead."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="read-pictures")
    waiting: collections.deque[Future] = collections.deque()
    try:
        for item in items:
            waiting.append(pool.submit(load, item))
            if len(waiting) > pending:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
