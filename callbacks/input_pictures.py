"""Shows in TensorBoard what the model is given to learn from."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from callbacks.captioned_pictures import contact_sheet
from callbacks.event_writer import event_writer


class InputPictures(keras.callbacks.Callback):
    """Writes some pictures of a training batch, after augmentation, when a stage begins.

    Args:
        folder: TensorBoard folder of the run; the pictures go to its part `pictures`.
        pictures: uint8 or float, range [0, 255], shape (n, height, width, 1 or 3), as the model
            gets them.
        captions: n texts, such as the class names, or None.
        step: where the pictures stand on TensorBoard's axis: epochs complete when the stage
            begins.
    """

    def __init__(
        self, folder: Path, pictures: np.ndarray, captions: tuple[str, ...] | None, step: int
    ):
        super().__init__()
        self.folder = folder
        self.pictures = pictures
        self.captions = captions
        self.step = step

    def on_train_begin(self, logs=None):
        sheet = contact_sheet(self.pictures, self.captions)
        with event_writer(self.folder / "pictures"):
            tf.summary.image("input", sheet[None], step=self.step)
