"""LiteRT (`.tflite`), for phones and small devices.

One signature, `serving_default`: the model's input, by its name, type and shape, -> its output,
float32, shape (batch, columns), or of a network that answers with maps (batch, height, width,
columns), or class ids, int32, (batch, height, width). Of a model for pictures of any size the input
is 1 x 1 x 1 x 3 until the interpreter's `resize_tensor_input` has given it the picture's size.
Quantisation changes what is stored and computed inside, never the types of input and output. The
file uses built-in operations only, so that it runs in every LiteRT runtime.

The names of the output's columns, such as the classes, lie in the file as `labels.txt`, one a line:
LiteRT's associated files are a zip archive at the file's end, which the interpreter ignores and any
unzip program reads.

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

from tasks.common.exports import formats, model_input, output_names

LABELS_FILE = "labels.txt"


def export(
    model: keras.Model,
    names: Sequence[str],
    path: Path,
    quantize: str | None = None,
    representative: np.ndarray | None = None,
) -> None:
    """Writes the model as a LiteRT file; `verified` writes to a staged place and compares.

    Args:
        model: one input -> one output, (batch, columns).
        names: one per column of the output.
        path: where to write; ends with `.tflite`.
        quantize: None for float32; "float16" weights (half the size); "dynamic", int8 weights
            with activations quantised as they come (a quarter); "int8" weights and activations,
            with ranges measured on `representative` (a quarter, fastest on small devices).
        representative: inputs of the training split, shape (n, ...), for "int8" only. LiteRT's
            guide asks for 100 to 500.

    Raises:
        ValueError: unknown quantisation, "int8" without inputs, or unfit names.
    """
    formats.check("litert", quantize)
    output_names.check(model, names)
    if quantize == "int8":
        representative = model_input.representative(representative, model_input.of(model))
    model.export(
        str(path), format="litert", verbose=False, **_converter_options(quantize, representative)
    )
    _append_labels(path, names)


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

        def one_by_one() -> Iterator[list[np.ndarray]]:
            return ([one[np.newaxis]] for one in representative)

        options["representative_dataset"] = one_by_one
        # Conversion fails, rather than falls back to float, where an operation has no int8 kernel.
        options["target_spec"] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]}
    return options


def _append_labels(path: Path, names: Sequence[str]) -> None:
    """Adds the zip archive with the names to the end of the file."""
    # ZipInfo's fixed default date keeps two exports of one model equal byte for byte.
    entry = zipfile.ZipInfo(LABELS_FILE)
    with zipfile.ZipFile(path, mode="a") as archive:
        archive.writestr(entry, "\n".join(names))


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The exported model as a function from inputs, shape (n, ...), to outputs, shape (n, columns).

    Not for several threads at once: an interpreter holds one set of buffers.
    """
    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    taken = interpreter.get_input_details()[0]["index"]
    given = interpreter.get_output_details()[0]["index"]

    def predict(inputs: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != inputs.shape:
            interpreter.resize_tensor_input(taken, inputs.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken, inputs)
        interpreter.invoke()
        return interpreter.get_tensor(given)

    return predict


def read_output_names(path: Path) -> tuple[str, ...]:
    """The names stored in the export, in order of the output's columns."""
    with zipfile.ZipFile(path) as archive:
        return tuple(archive.read(LABELS_FILE).decode("utf-8").split("\n"))
