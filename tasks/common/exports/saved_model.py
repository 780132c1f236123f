"""TensorFlow SavedModel, for TensorFlow Serving and any TensorFlow program.

Signatures, all with one output unless stated:

- `serving_default`, and one called like the model's input: that input, by its name, type and
  shape, such as `image`, uint8, shape (batch, height, width, 3), RGB -> `probabilities` or
  `points`, float32, shape (batch, columns); or of a network that answers with maps `probabilities`
  or `maps`, float32, shape (batch, height, width, columns), or `classes`, int32, shape (batch,
  height, width).
- `encoded`, of a model that takes pictures: `encoded`, strings, shape (batch,), each the bytes of
  one JPEG, PNG, BMP or GIF file of any size -> the same output. Of an animation
  the first frame counts, transparency is dropped, grey becomes RGB. **EXIF rotation is not
  applied**: TensorFlow's decoders do not read it, so turn such pictures upright before sending
  them. One undecodable picture fails its whole batch. Where the model takes pictures of any size
  and answers at that size, all pictures of a batch must have the same one; a batch of one always
  has.
- `class_names`, or for points `output_names` and for maps `channel_names`: no input -> under the
  same name the names of the output's columns, strings, shape (columns,), UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tasks.common.exports import model_input, output_names
from tasks.common.exports.agreement import answer

# Pictures decoded at the same time in one request. TensorFlow keeps the decoded pictures of all
# that are under way in memory: ten photographs of 24 megapixels are 0.7 GB.
DECODE_PARALLELISM = 8

ResizePicture = Callable[[tf.Tensor], tf.Tensor]


def export(
    model: keras.Model,
    names: Sequence[str],
    folder: Path,
    resize_picture: ResizePicture | None = None,
    output: str = "probabilities",
) -> None:
    """Writes the model as a SavedModel; `verified` writes to a staged place and compares.

    Args:
        model: one input -> one output, (batch, columns).
        names: one per column of the output.
        folder: where to write; must not exist.
        resize_picture: TensorFlow operations from one picture, uint8, shape (any, any, 3), to
            uint8, shape (height, width, 3): the one the model was trained with. None: see
            `bilinear`. No matter where the model takes no pictures, or pictures of any size.
        output: what the output holds, one of `output_names.KEYS`.

    Raises:
        ValueError: the names do not fit the model.
    """
    output_names.check(model, names)
    taken = model_input.of(model)

    def from_inputs(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output_names.tensor(output): answer(model, inputs)}

    # The archive finds the weights in its endpoints. Tracking the model as well stores them twice.
    archive = keras.export.ExportArchive()
    spec = tf.TensorSpec((None, *taken.shape), taken.dtype, name=taken.name)
    # What is traced once is used again: tracing the model again would store its graph once more.
    traced = archive.add_endpoint("serving_default", from_inputs, [spec])
    archive.add_endpoint(taken.name, traced, [spec])
    if taken.is_picture:
        height, width, _ = taken.shape
        if None in (height, width):
            decoded = _decoded_alike
        else:
            decoded = _decoding(height, width, resize_picture or bilinear(height, width))
        strings = tf.TensorSpec((None,), tf.string, name="encoded")
        archive.add_endpoint("encoded", lambda encoded: traced(decoded(encoded)), [strings])
    key = output_names.KEYS[output]
    archive.add_endpoint(key, lambda: {key: tf.constant(names)}, [])
    archive.write_out(str(folder), verbose=False)


def _decoding(
    height: int, width: int, resize_picture: ResizePicture
) -> Callable[[tf.Tensor], tf.Tensor]:
    """From the bytes of picture files, strings (n,), to uint8 (n, height, width, 3)."""

    def decoded(encoded: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(
            lambda picture: tf.ensure_shape(resize_picture(decode(picture)), (height, width, 3)),
            encoded,
            fn_output_signature=tf.TensorSpec((height, width, 3), tf.uint8),
            parallel_iterations=DECODE_PARALLELISM,
        )

    return decoded


def _decoded_alike(encoded: tf.Tensor) -> tf.Tensor:
    """From the bytes of picture files of one size, strings (n,), to uint8 (n, height, width, 3)."""
    size = tf.shape(decode(encoded[0]))

    def decoded(picture: tf.Tensor) -> tf.Tensor:
        pixels = decode(picture)
        message = "All pictures of a batch must have one size: send those of another size apart."
        with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(pixels), size, message)]):
            return tf.identity(pixels)

    return tf.map_fn(
        decoded,
        encoded,
        fn_output_signature=tf.TensorSpec((None, None, 3), tf.uint8),
        parallel_iterations=DECODE_PARALLELISM,
    )


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
    """The exported model as a function from inputs, shape (n, ...), to outputs, (n, columns)."""
    return _signature(folder, "serving_default")


def load_encoded(folder: Path) -> Callable[[Sequence[bytes]], np.ndarray]:
    """The exported model as a function from the bytes of picture files to outputs."""
    predict = _signature(folder, "encoded")
    return lambda encoded: predict(np.array(list(encoded), object))


def _signature(folder: Path, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """One signature as a function from its one input to its one output."""
    restored = tf.saved_model.load(str(folder))
    (taken,) = restored.signatures[name].structured_input_signature[1]
    (given,) = restored.signatures[name].structured_outputs

    def predict(inputs: np.ndarray) -> np.ndarray:
        # Naming `restored` keeps it: a signature alone does not keep its variables alive.
        return restored.signatures[name](**{taken: tf.constant(inputs)})[given].numpy()

    return predict


def read_output_names(folder: Path) -> tuple[str, ...]:
    """The names stored in the export, in order of the output's columns."""
    signatures = tf.saved_model.load(str(folder)).signatures
    key = next(key for key in output_names.KEYS.values() if key in signatures)
    return tuple(name.decode("utf-8") for name in signatures[key]()[key].numpy())
