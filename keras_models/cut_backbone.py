"""A backbone that ends at any of its layers."""

from __future__ import annotations

import difflib

import keras


def cut_backbone(backbone: keras.Model, layer_name: str) -> keras.Model:
    """The part of a backbone from its input to one of its layers, sharing the weights.

    The layers of the part that is cut off belong to no stage of it: `transfer.freeze`, `split` and
    the rest take a classifier on such a backbone as any other.

    Args:
        backbone: of `backbones.build_backbone`.
        layer_name: the layer, or the operation, that gives the new output: as
            `backbone.summary()` names it.

    Returns:
        A model of the same class and name, (batch, height, width, 3) to (batch, h, w, channels).

    Raises:
        ValueError: there is no such layer, or its output is no feature map.
    """
    operations = {operation.name: operation for operation in backbone.operations}
    if layer_name not in operations:
        close = difflib.get_close_matches(layer_name, operations, n=5, cutoff=0.4)
        raise ValueError(
            f"`layer_name` must be a layer of {backbone.name}; close to it: "
            f"{', '.join(close) or ', '.join(list(operations)[-5:])}. Received: {layer_name=}"
        )
    output = operations[layer_name].output
    if isinstance(operations[layer_name], keras.layers.InputLayer) or _is_no_feature_map(output):
        raise ValueError(
            f"`layer_name` must be a layer of {backbone.name} that gives feature maps (batch, "
            f"height, width, channels). Received: {layer_name=}"
        )
    return type(backbone)(backbone.input, output, name=backbone.name)


def _is_no_feature_map(output: object) -> bool:
    return not keras.backend.is_keras_tensor(output) or len(output.shape) != 4
