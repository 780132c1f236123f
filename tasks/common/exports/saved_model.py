"""TensorFlow SavedModel, for TensorFlow Serving and any TensorFlow program.

Signatures, all with one output unless stated:

- `serving_default` and `image`: `image`, uint8, shape (batch, height, width, 3), RGB ->
  `probabilities`, float32, shape (batch, classes).
- `encoded`: `encoded`, strings, shape (batch,), each the bytes of one JPEG, PNG, BMP or GIF file
  of any size -> `probabilities`. Of an animation the first frame counts, transparency is dropped,
  grey becomes RGB. **EXIF rotation is not applied**: TensorFlow's decoders do not read it, so turn
  such pictures upright before sending them. One undecodable picture fails its whole batch.
- `class_names`: no input -> `class_names`, strings, shape (classes,), UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tasks.common.exports import class_names as names
from tasks.common.exports.agreement import answer

# Pictures decoded at the same time in one request. TensorFlow keeps the decoded pictures of all
# that are under way in memory: ten photographs of 24 megapixels are 0.7 GB.
DECODE_PARALLELISM = 8

ResizePicture = Callable[[tf.Tensor], tf.Tensor]


def export(
    model: keras.Model,
    class_names: Sequence[str],
    folder: Path,
    resize_picture: ResizePicture | None = None,
) -> None:
    """Writes the model as a SavedModel; `verified` writes to a staged place and compares.

    Args:
        model: pictures, uint8, (batch, height, width, 3) -> probabilities, (batch, classes).
        class_names: one name per class.
        folder: where to write; must not exist.
        resize_picture: TensorFlow operations from one picture, uint8, shape (any, any, 3), to
            uint8, shape (height, width, 3): the one the model was trained with. None: see
            `bilinear`.

    Raises:
        ValueError: the class names do not fit the model.
    """
    names.check(model, class_names)
    height, width = model.input_shape[1:3]
    resize_picture = resize_picture or bilinear(height, width)

    def from_pictures(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": answer(model, image)}

    def from_encoded(encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        pictures = tf.map_fn(
            lambda picture: tf.ensure_shape(resize_picture(decode(picture)), (height, width, 3)),
            encoded,
            fn_output_signature=tf.TensorSpec((height, width, 3), tf.uint8),
            parallel_iterations=DECODE_PARALLELISM,
        )
        # The traced function: tracing the model again would store its graph once more.
        return traced(pictures)

    # The archive finds the weights in its endpoints. Tracking the model as well stores them twice.
    archive = keras.export.ExportArchive()
    pictures_spec = tf.TensorSpec((None, height, width, 3), tf.uint8, name="image")
    traced = archive.add_endpoint("serving_default", from_pictures, [pictures_spec])
    archive.add_endpoint("image", traced, [pictures_spec])
    archive.add_endpoint(
        "encoded", from_encoded, [tf.TensorSpec((None,), tf.string, name="encoded")]
    )
    archive.add_endpoint("class_names", lambda: {"class_names": tf.constant(class_names)}, [])
    archive.write_out(str(folder), verbose=False)


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """The picture in the bytes of one JPEG, PNG, BMP or GIF file.

    Args:
        encoded: scalar string.

    Returns:
        uint8, shape (any, any, 3), RGB.
    """
    return tf.cond(
        tf.io.is_jpeg(encoded),
        # The accurate inverse DCT is that of Pillow, and so of training; TensorFlow's default is
        # a faster one that differs by some grey levels.
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )


def bilinear(height: int, width: int) -> ResizePicture:
    """Bilinear resizing with anti-aliasing, rounded to uint8, stretching to the size."""

    def resize(picture: tf.Tensor) -> tf.Tensor:
        resized = tf.image.resize(picture, (height, width), method="bilinear", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)

    return resize


def load(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The exported model as a function from pictures, as above, to probabilities."""
    restored = tf.saved_model.load(str(folder))

    def predict(images: np.ndarray) -> np.ndarray:
        # Naming `restored` keeps it: a signature alone does not keep its variables alive.
        signature = restored.signatures["serving_default"]
        return signature(image=tf.constant(images))["probabilities"].numpy()

    return predict


def load_encoded(folder: Path) -> Callable[[Sequence[bytes]], np.ndarray]:
    """The exported model as a function from the bytes of picture files to probabilities."""
    restored = tf.saved_model.load(str(folder))

    def predict(encoded: Sequence[bytes]) -> np.ndarray:
        signature = restored.signatures["encoded"]
        return signature(encoded=tf.constant(list(encoded), tf.string))["probabilities"].numpy()

    return predict


def read_class_names(folder: Path) -> tuple[str, ...]:
    """The class names stored in the export, in order of the outputs."""
    restored = tf.saved_model.load(str(folder))
    stored = restored.signatures["class_names"]()["class_names"].numpy()
    return tuple(name.decode("utf-8") for name in stored)
