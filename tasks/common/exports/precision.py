"""The float32 twin of a model trained in mixed precision."""

from __future__ import annotations

import keras

from tasks.common.exports.layers import every_layer


def float32_twin(model: keras.Model) -> keras.Model:
    """The same layers and weights, computing in float32 throughout.

    A mixed-precision model keeps float32 weights and rounds only its activations, to the 8
    significant bits of bfloat16 or the 11 of float16. Serving runtimes on CPU have few kernels
    for those types (an ONNX file with bfloat16 does not load in ONNX Runtime), and the rounding
    is no part of what was learnt. The twin therefore differs from the model by that rounding.

    Args:
        model: any model with a configuration.

    Returns:
        `model` itself when it computes in float32 already.
    """
    if not is_mixed(model):
        return model
    twin = type(model).from_config(_in_float32(model.get_config()))
    twin.set_weights(model.get_weights())
    for layer in every_layer(twin):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with what it derives from its weights here
    return twin


def is_mixed(model: keras.Model) -> bool:
    """Whether any layer of the model computes in mixed precision."""
    return _mentions_mixed(model.get_config())


def _is_mixed_policy(value: object) -> bool:
    return isinstance(value, str) and value in ("mixed_bfloat16", "mixed_float16")


def _mentions_mixed(config: object) -> bool:
    """Whether a mixed policy stands anywhere in a nested configuration."""
    if isinstance(config, dict):
        return any(_mentions_mixed(value) for value in config.values())
    if isinstance(config, (list, tuple)):
        return any(_mentions_mixed(value) for value in config)
    return _is_mixed_policy(config)


def _in_float32(config: object) -> object:
    """A copy of a nested configuration with every mixed policy replaced by float32."""
    if isinstance(config, dict):
        return {key: _in_float32(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_in_float32(value) for value in config)
    return "float32" if _is_mixed_policy(config) else config
