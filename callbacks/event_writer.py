"""Writing into TensorBoard's event files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


@contextlib.contextmanager
def event_writer(folder: Path) -> Iterator[None]:
    """What `tf.summary` writes inside goes to a new event file in `folder`, complete at the end.

    A file that is closed at once matters: a TensorBoard without its fast data server reads the
    files of a folder in turn and does not come back to an earlier one.
    """
    writer = tf.summary.create_file_writer(str(folder))
    try:
        with writer.as_default():
            yield
    finally:
        writer.close()
