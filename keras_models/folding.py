"""Folding of BatchNormalization into the layer before it, for a faster inference.

In inference BatchNormalization multiplies and shifts each channel by constants, and so may the
convolution before it: one pass less over the feature maps. With the scale
s = gamma / sqrt(variance + epsilon), its kernel becomes s * kernel and its bias
beta + s * (bias - mean) (Jacob et al. 2018, arXiv 1712.05877, section 3.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

FOLDING_TOLERANCE = 1e-4
"""Largest difference between a model and its folded copy, relative to the largest absolute output.

In exact arithmetic they are equal; the rounding of float32 grows with the network's depth.
"""

_HALF_PRECISION = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def fold_batch_normalization(model: keras.Model) -> keras.Model:
    """A float32 copy of a model, for inference, without the BatchNormalization that can be folded.

    One is folded where it directly follows a Conv2D, DepthwiseConv2D, SeparableConv2D or Dense
    without activation, on its channel axis, and nothing else reads that layer's output; nested
    models included. An Identity of the same name takes its place: it computes nothing, and stages
    and skip connections are still found by name. All other layers, classes and flags are kept; an
    InferenceModel remains one, because some BatchNormalization may be left in it.

    Args:
        model: functional or Sequential, built; one in half or mixed precision is read as float32.

    Returns:
        A model of the same class, with weights of its own, that saves and reloads like any other.
        It is not to be trained further: the statistics would no longer follow.

    Raises:
        ValueError: the model is not a graph of layers.
    """
    config = model.get_config()
    if "layers" not in config:
        raise ValueError(
            "`model` must be a functional or a Sequential model. "
            f"Received: model={model.name!r} of type {type(model).__name__}"
        )
    config = _in_float32(config)
    folded = type(model).from_config(_folded_config(model, config))
    _copy_weights(model, config, folded)
    return folded


def relative_difference(expected: np.ndarray, received: np.ndarray) -> float:
    """Largest absolute difference of two outputs, relative to the largest absolute expected one.

    Args:
        expected: what the model gives, float, any shape.
        received: what its folded copy gives, the same shape.

    Returns:
        At least 0; NaN where one of them holds a NaN, which no comparison with
        `FOLDING_TOLERANCE` passes.

    Raises:
        ValueError: the shapes differ.
    """
    if expected.shape != received.shape:
        raise ValueError(
            "`received` must have the shape of `expected`. "
            f"Received: expected.shape={expected.shape}, received.shape={received.shape}"
        )
    # An output of zeros alone has no scale to be relative to.
    scale = max(float(np.abs(expected).max()), 1e-12)
    return float(np.abs(received - expected).max()) / scale


def _in_float32(config: Any, key: str = "") -> Any:
    """A copy of a configuration with every dtype and dtype policy of half precision replaced."""
    if isinstance(config, dict):
        return {name: _in_float32(value, name) for name, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_in_float32(value) for value in config)
    return "float32" if key in ("dtype", "name") and config in _HALF_PRECISION else config


def _folded_config(model: keras.Model, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the folded model, given the model's own."""
    pairs = _foldable_pairs(model, config)
    layers = []
    for entry in config["layers"]:
        name = _name(entry)
        if name in pairs:
            entry = entry | {"config": entry["config"] | {"use_bias": True}}
        elif name in pairs.values():
            entry = _identity_like(entry)
        elif "layers" in entry["config"] and isinstance(model.get_layer(name), keras.Model):
            entry = entry | {"config": _folded_config(model.get_layer(name), entry["config"])}
        layers.append(entry)
    return config | {"layers": layers}


def _identity_like(entry: dict[str, Any]) -> dict[str, Any]:
    """An Identity with the name and the input of a layer, as configurations."""
    kept = {key: entry["config"][key] for key in ("name", "trainable", "dtype")}
    identity = keras.saving.serialize_keras_object(keras.layers.Identity.from_config(kept))
    if "inbound_nodes" not in entry:  # Sequential
        return identity
    # `training` and `mask`, with which BatchNormalization was called, mean nothing to Identity.
    nodes = [
        {"args": node["args"], "kwargs": {k: v for k, v in node["kwargs"].items() if k == "inputs"}}
        for node in entry["inbound_nodes"]
    ]
    return identity | {"name": entry["name"], "inbound_nodes": nodes}


def _copy_weights(model: keras.Model, config: dict[str, Any], folded: keras.Model) -> None:
    """Set the weights of the folded model from those of `model`, whose configuration is given."""
    pairs = _foldable_pairs(model, config)
    inner = {_name(entry): entry["config"] for entry in config["layers"]}
    for layer in model.layers:
        copy = folded.get_layer(layer.name)
        if layer.name in pairs:
            copy.set_weights(_folded_weights(layer, model.get_layer(pairs[layer.name])))
        elif "layers" in inner[layer.name] and isinstance(layer, keras.Model):
            _copy_weights(layer, inner[layer.name], copy)
        elif layer.name not in pairs.values():
            copy.set_weights(layer.get_weights())
            if hasattr(copy, "finalize_state"):  # Normalization computes with what it derives here
                copy.finalize_state()


def _folded_weights(layer: keras.layers.Layer, normalization: keras.layers.Layer) -> list[Any]:
    """The weights of `layer` with a bias, once `normalization` is folded into it."""
    numpy = keras.ops.convert_to_numpy
    # In float64, so that each weight is rounded once, when it is set.
    variance = numpy(normalization.moving_variance).astype("float64")
    scale = (variance + normalization.epsilon) ** -0.5
    if normalization.scale:
        scale = scale * numpy(normalization.gamma)
    *others, kernel, bias = layer.get_weights() if layer.use_bias else [*layer.get_weights(), 0.0]
    bias = (bias - numpy(normalization.moving_mean)) * scale
    if normalization.center:
        bias = bias + numpy(normalization.beta)
    if isinstance(layer, keras.layers.DepthwiseConv2D):  # (height, width, channels, multiplier)
        return [kernel * scale.reshape(kernel.shape[-2:]), bias]
    return [*others, kernel * scale, bias]


def _foldable_pairs(model: keras.Model, config: dict[str, Any]) -> dict[str, str]:
    """Names of the layers to fold in one graph: layer -> the BatchNormalization after it."""
    layers = {layer.name: layer for layer in model.layers}
    fixed = {_name(entry) for entry in config["layers"] if not _uses_batch_statistics(entry)}
    connections = list(_connections(config))
    reads = Counter(source for source, _ in connections)
    calls = Counter(reader for _, reader in connections)
    return {
        source: reader
        for source, reader in connections
        if reads[source] == calls[reader] == 1  # a layer called twice is read twice
        and reader in fixed
        and _fits(layers.get(source), layers.get(reader))
    }


def _uses_batch_statistics(entry: dict[str, Any]) -> bool:
    """Whether a layer was called with `training=True`, which a plain call of the model keeps."""
    return any(node["kwargs"].get("training") for node in entry.get("inbound_nodes", ()))


def _fits(layer: keras.layers.Layer | None, normalization: keras.layers.Layer | None) -> bool:
    """Whether the second layer only scales and shifts the output channels of the first."""
    if type(normalization) is not keras.layers.BatchNormalization:
        return False
    rank = normalization.input_spec.ndim
    axis = normalization.axis % rank
    if type(layer) is keras.layers.Dense:
        on_channels = axis == rank - 1
    elif type(layer) in (
        keras.layers.Conv2D,
        keras.layers.DepthwiseConv2D,
        keras.layers.SeparableConv2D,
    ):
        on_channels = axis == (1 if layer.data_format == "channels_first" else rank - 1)
    else:
        return False
    # More weights than these mean low-rank adapters or quantization.
    kernels = 2 if isinstance(layer, keras.layers.SeparableConv2D) else 1
    plain = len(layer.weights) == kernels + layer.use_bias
    return on_channels and plain and layer.activation is keras.activations.linear


def _connections(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(layer read, layer reading) for each tensor in a graph; "" reads the model's outputs."""
    if "output_layers" not in config:  # Sequential
        names = [_name(entry) for entry in config["layers"]]
        yield from zip(names, [*names[1:], ""], strict=True)
        return
    for entry in config["layers"]:
        for source in _sources(entry["inbound_nodes"]):
            yield source, _name(entry)
    for part in keras.tree.flatten(config["output_layers"]):
        if isinstance(part, str):
            yield part, ""


def _sources(arguments: Any) -> Iterator[str]:
    """Names of the layers whose tensors stand anywhere among a layer's arguments."""
    if isinstance(arguments, dict):
        if arguments.get("class_name") == "__keras_tensor__":
            yield arguments["config"]["keras_history"][0]
            return
        arguments = list(arguments.values())
    if isinstance(arguments, list | tuple):
        for argument in arguments:
            yield from _sources(argument)


def _name(entry: dict[str, Any]) -> str:
    """A layer's name; in a Sequential model it stands in the layer's own configuration alone."""
    return entry["name"] if "name" in entry else entry["config"]["name"]
