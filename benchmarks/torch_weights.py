"""The weights of a Keras backbone in PyTorch: the same network of `transformers`, verified.

`python -m benchmarks.torch_weights` runs by itself, because it needs TensorFlow and PyTorch in
one process, which no contestant of a benchmark should.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.errors import UserError

if TYPE_CHECKING:
    import keras
    import torch

# ResNet v1 of Keras: blocks of each stage (He et al. 2016, table 1).
RESNET_BLOCKS = {
    "ResNet50": (3, 4, 6, 3),
    "ResNet101": (3, 4, 23, 3),
    "ResNet152": (3, 8, 36, 3),
}
BACKBONES = ("MobileNetV2", *RESNET_BLOCKS)

# Largest difference of the feature maps, as a share of their largest value.
TOLERANCE = 1e-3

# What the ResNets of Keras subtract, per channel in the order RGB, range [0, 255]; see
# `keras.applications.imagenet_utils`, mode "caffe".
_CAFFE_MEAN_RGB = (123.68, 116.779, 103.939)

_PICTURES_COMPARED = 4


@dataclasses.dataclass(frozen=True)
class Options:
    """Convert a Keras backbone to PyTorch and verify that it computes the same."""

    folder: Path
    """Where the converted model goes."""
    backbone: str = "MobileNetV2"
    """One of MobileNetV2, ResNet50, ResNet101, ResNet152."""
    weights: str = "imagenet"
    """`imagenet` or a weight file."""
    image_size: tuple[int, int] = (224, 224)
    """Height and width of the pictures, in pixels."""


def available() -> bool:
    """Whether PyTorch and transformers are installed."""
    return all(importlib.util.find_spec(name) for name in ("torch", "transformers"))


def place_of(layer_name: str) -> str | None:
    """The module of the network of `transformers` that a Keras convolution becomes.

    Args:
        layer_name: of a convolution, or of the BatchNormalization behind it.

    Returns:
        A dotted name, or None for a layer that has no convolution or normalisation.
    """
    return _place_in_mobilenet(layer_name) or _place_in_resnet(layer_name)


def _place_in_mobilenet(layer_name: str) -> str | None:
    name = layer_name.removesuffix("_BN").removesuffix("_bn").removeprefix("bn_")
    fixed = {
        "Conv1": "conv_stem.first_conv",
        "expanded_conv_depthwise": "conv_stem.conv_3x3",
        "expanded_conv_project": "conv_stem.reduce_1x1",
        "Conv_1": "conv_1x1",
    }
    if name in fixed:
        return fixed[name]
    found = re.fullmatch(r"block_(\d+)_(expand|depthwise|project)", name)
    if found is None:
        return None
    part = {"expand": "expand_1x1", "depthwise": "conv_3x3", "project": "reduce_1x1"}[found[2]]
    return f"layer.{int(found[1]) - 1}.{part}"


def _place_in_resnet(layer_name: str) -> str | None:
    if layer_name in ("conv1_conv", "conv1_bn"):
        return "embedder.embedder"
    found = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_(?:conv|bn)", layer_name)
    if found is None:
        return None
    stage, block, number = (int(group) for group in found.groups())
    # The first stage is the embedder; number 0 is the shortcut beside layers 1, 2 and 3.
    part = f"layer.{number - 1}" if number else "shortcut"
    return f"encoder.stages.{stage - 2}.layers.{block - 1}.{part}"


def modules_of(layers: Sequence[keras.layers.Layer]) -> tuple[str, ...]:
    """The modules of `transformers` that hold the weights of these Keras layers."""
    places = (place_of(layer.name) for layer in layers)
    return tuple(dict.fromkeys(place for place in places if place is not None))


def convert(backbone: keras.Model) -> dict[str, np.ndarray]:
    """All weights under the names of `transformers`, float32.

    A bias of a convolution moves into the mean of the BatchNormalization behind it, which
    subtracts it again: (x + b - mean) = (x - (mean - b)). What that layer adds to the variance
    differs from PyTorch's, and the difference moves into the variance. The first kernel of a
    ResNet is turned from BGR to RGB, the order in which PyTorch's users read pictures.
    """
    import keras

    state, biases = {}, {}
    for layer in backbone.layers:
        place = place_of(layer.name)
        if place is None:
            continue
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (np.asarray(value) for value in layer.get_weights())
            added = layer.epsilon - _epsilon(backbone.name)
            state[f"{place}.normalization.weight"] = gamma
            state[f"{place}.normalization.bias"] = beta
            state[f"{place}.normalization.running_mean"] = mean - biases.get(place, 0.0)
            state[f"{place}.normalization.running_var"] = variance + added
        else:
            kernel, *bias = layer.get_weights()
            if bias:
                biases[place] = bias[0]
            state[f"{place}.convolution.weight"] = _kernel(layer, kernel)
    if backbone.name in RESNET_BLOCKS:
        first = "embedder.embedder.convolution.weight"
        state[first] = state[first][:, ::-1]
    return {name: np.ascontiguousarray(value, np.float32) for name, value in state.items()}


def _kernel(layer: keras.layers.Layer, kernel: np.ndarray) -> np.ndarray:
    """(height, width, inputs, outputs) -> PyTorch's (outputs, inputs of a group, height, width)."""
    import keras

    if isinstance(layer, keras.layers.DepthwiseConv2D):
        # (height, width, channels, 1): each channel is a group of its own.
        return kernel.transpose(2, 3, 0, 1)
    return kernel.transpose(3, 2, 0, 1)


def _epsilon(name: str) -> float:
    """What the normalisation of `transformers` adds to the variance."""
    return 1e-3 if name == "MobileNetV2" else 1e-5


def build(name: str) -> torch.nn.Module:
    """The network of `transformers` that computes what the Keras backbone of that name does."""
    import transformers

    if name == "MobileNetV2":
        config = transformers.MobileNetV2Config(tf_padding=True)
        return transformers.MobileNetV2Model(config).eval()
    # Keras's ResNet v1 strides in the first convolution of a block, not in the second.
    config = transformers.ResNetConfig(
        depths=list(RESNET_BLOCKS[name]), downsample_in_bottleneck=True
    )
    return transformers.ResNetModel(config).eval()


def pixel_range(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation, by channel, that PyTorch takes from RGB pictures in [0, 1]."""
    if name == "MobileNetV2":
        return (0.5,) * 3, (0.5,) * 3
    return tuple(mean / 255 for mean in _CAFFE_MEAN_RGB), (1 / 255,) * 3


def fill(network: torch.nn.Module, weights: dict[str, np.ndarray]) -> None:
    """Puts converted weights into a network, in place.

    Raises:
        ValueError: a weight is missing or left over, or has another shape.
    """
    import torch

    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    # How many batches a normalisation has averaged: not kept by Keras, and read by nobody.
    counters = {name for name in network.state_dict() if name.endswith("num_batches_tracked")}
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ValueError(f"weights do not fit. Received: {error}") from error
    if set(missing) - counters or unexpected:
        raise ValueError(
            "weights must be those of the network. "
            f"Received: missing={sorted(set(missing) - counters)}, left over={unexpected}"
        )


def largest_difference(
    backbone: keras.Model, network: torch.nn.Module, preprocessing: str
) -> float:
    """Largest difference of the feature maps, as a share of their largest value.

    Both see the same seeded pictures, at the size of the backbone.
    """
    import torch

    from keras_models.preprocessing import ImagePreprocessing

    shape = (_PICTURES_COMPARED, *backbone.input_shape[1:])
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    expected = np.asarray(backbone(ImagePreprocessing(preprocessing)(pictures), training=False))
    mean, deviation = (np.array(value, np.float32) for value in pixel_range(backbone.name))
    pixels = (pictures.astype(np.float32) / 255 - mean) / deviation
    with torch.no_grad():
        features = network(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))
    received = features.last_hidden_state.numpy().transpose(0, 2, 3, 1)
    return float(np.abs(received - expected).max() / np.abs(expected).max())


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts, verifies and saves; gives the exit status."""

    def act(options: Options) -> None:
        if options.backbone not in BACKBONES:
            raise UserError(
                f"--backbone must be one of {', '.join(BACKBONES)}. Received: {options.backbone}."
            )
        import_tensorflow_quietly()
        _convert_and_save(options)

    return run_command(Options, "benchmarks.torch_weights", act, arguments)


def _convert_and_save(options: Options) -> None:
    from keras_models import backbones

    try:
        backbone = backbones.build_backbone(options.backbone, options.image_size, options.weights)
    except (ValueError, ConnectionError) as error:
        raise UserError(str(error)) from None
    network = build(options.backbone)
    fill(network, convert(backbone))
    preprocessing = backbones.lookup(options.backbone).preprocessing
    difference = largest_difference(backbone, network, preprocessing)
    if not difference <= TOLERANCE:
        raise UserError(
            f"{options.backbone} in PyTorch must compute what it computes in Keras, within "
            f"{TOLERANCE:g} of its largest feature. Received: a difference of {difference:.3g}."
        )
    network.save_pretrained(options.folder)
    mean, deviation = pixel_range(options.backbone)
    preprocessor = {"image_mean": mean, "image_std": deviation}
    (options.folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    print(f"largest difference of a feature: {difference:.2g} of the largest one")


if __name__ == "__main__":
    sys.exit(main())
