"""ONNX, for ONNX Runtime and the many tools that read its files.

One input, by the name, type and shape that the model gives it; one output: `probabilities` or
`points`, float32, shape (batch, columns); of a network that answers with maps `probabilities` or
`maps`, float32, (batch, height, width, columns), or `classes`, int32, (batch, height, width). The
names of the columns are a JSON list in a metadata property: `class_names` beside probabilities and
classes, `output_names` beside points, `channel_names` beside maps. Axes that are free have a name:
`batch`, and of pictures of any size `height` and `width`.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization
from onnxruntime.quantization import shape_inference

from tasks.common.exports import formats, model_input, output_names
from tasks.common.exports.layers import every_layer


def export(
    model: keras.Model,
    names: Sequence[str],
    path: Path,
    quantize: str | None = None,
    representative: np.ndarray | None = None,
    output: str = "probabilities",
    kept: Sequence[str] = (),
) -> None:
    """Writes the model as an ONNX file; `verified` writes to a staged place and compares.

    Args:
        model: one input -> one output, (batch, columns), in float32 (see `precision`).
        names: one per column of the output.
        path: where to write.
        quantize: None for float32, or "int8" weights and activations.
        representative: inputs of the training split, shape (n, ...), for "int8" only, to measure
            the ranges of the activations on; 100 to 500 are enough.
        output: what the output holds, one of `output_names.KEYS`.
        kept: names of layers that "int8" leaves in float32.

    Raises:
        ValueError: unknown quantisation, "int8" without inputs, or unfit names.
    """
    formats.check("onnx", quantize)
    output_names.check(model, names)
    taken = model_input.of(model)
    calibration = model_input.representative(representative, taken) if quantize else None
    # Without a signature Keras refuses a model that was loaded and not called yet.
    signature = keras.InputSpec(dtype=taken.dtype, shape=(None, *taken.shape), name=taken.name)
    with _constant_normalization(model), warnings.catch_warnings():
        # Keras asks NumPy for an attribute that NumPy announces for the future.
        warnings.filterwarnings("ignore", message=".*np.object", category=FutureWarning)
        model.export(str(path), format="onnx", verbose=False, input_signature=[signature])
    _mend_resizing(path)
    if calibration is not None:
        _quantize_int8(path, calibration, kept)
    graph = onnx.load(path)
    _name_ends(graph, output_names.tensor(output))
    stored = json.dumps(list(names), ensure_ascii=False)
    onnx.helper.set_model_props(graph, {output_names.KEYS[output]: stored})
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


@contextlib.contextmanager
def _constant_normalization(model: keras.Model) -> Iterator[None]:
    """Holds mean and variance of each `Normalization` as NumPy arrays for a while.

    They are tensors outside the graph, of which the converter would make inputs of the file; as
    arrays they become constants. The EfficientNets begin with such a layer.
    """
    layers = [
        layer for layer in every_layer(model) if isinstance(layer, keras.layers.Normalization)
    ]
    kept = [(layer.mean, layer.variance) for layer in layers]
    try:
        for layer in layers:
            layer.mean = keras.ops.convert_to_numpy(layer.mean)
            layer.variance = keras.ops.convert_to_numpy(layer.variance)
        yield
    finally:
        for layer, (mean, variance) in zip(layers, kept, strict=True):
            layer.mean, layer.variance = mean, variance


def _mend_resizing(path: Path) -> None:
    """Raises the factors of resizing by a last bit, so that no side comes out a pixel short.

    The converter names no sizes but factors in float32, and the runtime rounds down: 5 / 3 is
    below five thirds in float32, so that 3 pixels became 4, and the file could not be loaded. Of
    factors that are exact, such as 2 or 3.75, nothing changes; of others a pixel lies at most a
    few millionths of the side elsewhere.
    """
    graph = onnx.load(path)
    resized = {node.input[2] for node in graph.graph.node if node.op_type == "Resize"}
    for tensor in graph.graph.initializer:
        if tensor.name in resized:
            factors = onnx.numpy_helper.to_array(tensor)
            # What ends within so many binary places is the quotient itself, not a rounded one.
            exact = factors * 4096 == np.rint(factors * 4096)
            mended = np.where(exact, factors, np.nextafter(factors, np.float32(np.inf)))
            tensor.CopyFrom(onnx.numpy_helper.from_array(mended, tensor.name))
    onnx.save(graph, path)


class _OneAtATime(quantization.CalibrationDataReader):
    """Hands the inputs to calibrate on over as batches of one."""

    def __init__(self, inputs: np.ndarray, input_name: str) -> None:
        self._feeds: Iterator[dict[str, np.ndarray]] = (
            {input_name: one[np.newaxis]} for one in inputs
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def _quantize_int8(path: Path, inputs: np.ndarray, kept: Sequence[str]) -> None:
    """Replaces the float file by one with 8-bit weights, a scale per channel, and activations.

    The pre-processing of ONNX Runtime's guide, "Quantize ONNX models", is no option here: it folds
    BatchNorm into depthwise convolutions, whose channels otherwise differ too much for one scale.
    Without it a MobileNet of width 0.25 kept its class on none of 120 pictures, with it on 82 %.

    The guide's first choice is signed numbers on both sides. Here the activations are unsigned:
    with signed ones ONNX Runtime on x86 computes the layers around each shortcut in float32. A
    MobileNetV2 of 224 pixels answers as far from the float model in 57 % of the processor time.
    """
    # Symbolic shape inference is for transformers and needs one more package.
    shape_inference.quant_pre_process(path, path, skip_symbolic_shape=True)
    graph = onnx.load(path)
    # The converter puts the names of layers into those of nodes.
    spared = [node.name for node in graph.graph.node if any(name in node.name for name in kept)]
    quantization.quantize_static(
        graph,
        path,
        _OneAtATime(inputs, graph.graph.input[0].name),
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        nodes_to_exclude=spared,
    )


def _name_ends(model: onnx.ModelProto, name: str) -> None:
    """Names the output and the free axes after what they are; converters number them."""
    output = model.graph.output[0]
    for node in model.graph.node:
        for tensors in (node.input, node.output):
            for position, tensor in enumerate(tensors):
                if tensor == output.name:
                    tensors[position] = name
    output.name = name
    free = [axis.dim_value == 0 for axis in model.graph.input[0].type.tensor_type.shape.dim]
    for tensor in (model.graph.input[0], output):
        axes = tensor.type.tensor_type.shape.dim
        for axis, axis_name, is_free in zip(axes, ("batch", "height", "width"), free, strict=False):
            if is_free:
                axis.dim_param = axis_name


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The exported model as a function from inputs, shape (n, ...), to outputs, (n, columns)."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    name = session.get_inputs()[0].name

    def predict(inputs: np.ndarray) -> np.ndarray:
        return session.run(None, {name: inputs})[0]

    return predict


def read_output_names(path: Path) -> tuple[str, ...]:
    """The names stored in the export, in order of the output's columns."""
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    key = next(key for key in output_names.KEYS.values() if key in properties)
    return tuple(json.loads(properties[key]))
