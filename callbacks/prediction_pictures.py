"""Shows in TensorBoard what the model says about some validation pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from callbacks.captioned_pictures import contact_sheet

# Drawing waits until training has taken this many times as long as the last drawing did, so
# that pictures cost about one percent of a run.
TRAINING_PER_DRAWING = 100
SECONDS_TO_FIRST_DRAWING = 30.0

RIGHT, WRONG = (0, 110, 0), (190, 0, 0)


class PredictionPictures(keras.callbacks.Callback):
    """Writes a picture of the model's predictions every few epochs.

    The last epoch of a fit has one always. Before, pictures are left out in the first
    `SECONDS_TO_FIRST_DRAWING` seconds and where drawing is slow beside training: see
    `TRAINING_PER_DRAWING`.

    Args:
        folder: TensorBoard folder of the run; the picture goes to its part `pictures`.
        draw: gets the model that is trained and returns the picture, uint8, shape
            (height, width, 3). `classification_pictures` makes such a function.
        every: least number of epochs from one picture to the next.
    """

    def __init__(self, folder: Path, draw: Callable[[keras.Model], np.ndarray], every: int = 1):
        super().__init__()
        self.folder = folder
        self.draw = draw
        self.every = every
        self._writer: tf.summary.SummaryWriter | None = None
        self._undrawn_epoch: int | None = None
        self._next_epoch, self._next_time = 0, 0.0

    def on_train_begin(self, logs=None):
        self._undrawn_epoch = None
        self._next_epoch, self._next_time = 0, time.monotonic() + SECONDS_TO_FIRST_DRAWING

    def on_epoch_end(self, epoch, logs=None):
        self._undrawn_epoch = epoch
        if epoch >= self._next_epoch and time.monotonic() >= self._next_time:
            self._write(epoch)

    def on_train_end(self, logs=None):
        if self._undrawn_epoch is not None:
            self._write(self._undrawn_epoch)
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, epoch: int) -> None:
        started = time.monotonic()
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.folder / "pictures"))
        with self._writer.as_default():
            tf.summary.image("predictions", self.draw(self.model)[None], step=epoch + 1)
        self._writer.flush()
        ended = time.monotonic()
        self._undrawn_epoch = None
        self._next_epoch = epoch + self.every
        self._next_time = ended + TRAINING_PER_DRAWING * (ended - started)


def classification_pictures(
    pictures: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    predict: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Callable[[keras.Model], np.ndarray]:
    """A function that draws pictures with the most probable class and the truth.

    A caption is green where the two agree, else red.

    Args:
        pictures: uint8 or float, range [0, 255], shape (n, height, width, 1 or 3).
        labels: class ids, integers, shape (n,).
        class_names: names by class id.
        predict: gives class probabilities, shape (n, classes), range [0, 1], for `pictures`. By
            default the model that is trained is called in inference mode; name another where
            that model does not take pictures, such as a tail that learns from stored features.

    Returns:
        What `PredictionPictures` takes as `draw`.
    """

    def draw(model: keras.Model) -> np.ndarray:
        if predict is None:
            probabilities = keras.ops.convert_to_numpy(model(pictures, training=False))
        else:
            probabilities = predict(pictures)
        best = probabilities.argmax(axis=-1)
        captions = [
            f"{class_names[guess]} {row[guess]:.0%}\ntruth: {class_names[label]}"
            for row, guess, label in zip(probabilities, best, labels, strict=True)
        ]
        colours = [RIGHT if right else WRONG for right in best == np.asarray(labels)]
        return contact_sheet(pictures, captions, colours)

    return draw
