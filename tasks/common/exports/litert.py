"""LiteRT (`.tflite`), for phones and small devices.

One signature, `serving_default`: `image`, uint8, shape (batch, height, width, 3), RGB -> float32
probabilities, shape (batch, classes). Quantisation changes what is stored and computed inside,
never the types of input and output. The file uses built-in operations only, so that it runs in
every LiteRT runtime.

The class names lie in the file as `labels.txt`, one a line: LiteRT's associated files are a zip
archive at the file's end, which the interpreter ignores and any unzip program reads.

Loaded with `ai_edge_litert`, the runtime that users deploy; `tf.lite.Interpreter` is deprecated in
its favour.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tasks.common.exports import class_names as names
from tasks.common.exports import formats

LABELS_FILE = "labels.txt"


def export(
    model: keras.Model,
    class_names: Sequence[str],
    path: Path,
    quantize: str | None = None,
    representative: np.ndarray | None = None,
) -> None:
    """Writes the model as a LiteRT file; `verified` writes to a staged place and compares.

    Args:
        model: pictures, uint8, (batch, height, width, 3) -> probabilities, (batch, classes).
        class_names: one name per class.
        path: where to write; ends with `.tflite`.
        quantize: None for float32; "float16" weights (half the size); "dynamic", int8 weights
            with activations quantised as they come (a quarter); "int8" weights and activations,
            with ranges measured on `representative` (a quarter, fastest on small devices).
        representative: pictures of the training split, uint8, (n, height, width, 3), for "int8"
            only. LiteRT's guide asks for 100 to 500.

    Raises:
        ValueError: unknown quantisation, "int8" without pictures, or unfit class names.
    """
    formats.check("litert", quantize)
    names.check(model, class_names)
    model.export(
        str(path), format="litert", verbose=False, **_converter_options(quantize, representative)
    )
    _append_labels(path, class_names)


def _converter_options(
    quantize: str | None, representative: np.ndarray | None
) -> dict[str, object]:
    """The attributes of `tf.lite.TFLiteConverter` for a quantisation.

    Source: TensorFlow, "Post-training quantization", the table of its options.
    """
    float_operations = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    if quantize is None:
        return {"target_spec": float_operations}
    options = {"optimizations": [tf.lite.Optimize.DEFAULT], "target_spec": float_operations}
    if quantize == "float16":
        options["target_spec"] = float_operations | {"supported_types": [tf.float16]}
    if quantize == "int8":
        pictures = formats.representative_pictures(representative)

        def one_by_one() -> Iterator[list[np.ndarray]]:
            return ([picture[np.newaxis]] for picture in pictures)

        options["representative_dataset"] = one_by_one
        # Conversion fails, rather than falls back to float, where an operation has no int8 kernel.
        options["target_spec"] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]}
    return options


def _append_labels(path: Path, class_names: Sequence[str]) -> None:
    """Adds the zip archive with the class names to the end of the file."""
    # ZipInfo's fixed default date keeps two exports of one model equal byte for byte.
    entry = zipfile.ZipInfo(LABELS_FILE)
    with zipfile.ZipFile(path, mode="a") as archive:
        archive.writestr(entry, "\n".join(class_names))


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The exported model as a function from pictures, as above, to probabilities.

    Not for several threads at once: an interpreter holds one set of buffers.
    """
    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    image = interpreter.get_input_details()[0]["index"]
    probabilities = interpreter.get_output_details()[0]["index"]

    def predict(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(image, images.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image, images)
        interpreter.invoke()
        return interpreter.get_tensor(probabilities)

    return predict


def read_class_names(path: Path) -> tuple[str, ...]:
    """The class names stored in the export, in order of the outputs."""
    with zipfile.ZipFile(path) as archive:
        return tuple(archive.read(LABELS_FILE).decode("utf-8").split("\n"))
