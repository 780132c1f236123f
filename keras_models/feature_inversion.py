"""Networks that rebuild a picture from the features that another network has of it.

A. Dosovitskiy, T. Brox, "Inverting Visual Representations with Convolutional Networks", CVPR 2016
(arXiv 1506.02753). One decoder a layer: from maps three convolutions and then up-convolutions, from
vectors three dense layers first; after each, but the last, a leaky ReLU of slope 0.2.

An up-convolution doubles height and width: zeros between the values, then a convolution, which is
a transposed convolution of stride 2.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output `maps`
(batch, target height, target width, 3), float32, the same picture's pixels, not clipped. The
preprocessing of the encoder and the mean and deviation of pixels are inside the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_models.cut_encoder import Encoder
from keras_models.map_output import MapOutput
from keras_models.standardization import FeatureStandardization, PixelRange

WIDTH, DENSE_UNITS = 256, 4096
"""Maps of the widest layers and units of the dense ones (tables of the supplement)."""

SLOPE = 0.2
"""Of the leaky ReLU below 0 (section 3.2)."""

CHANNELS = ("red", "green", "blue")
UNIT = "pixel value"

# Vectors become maps of at least so many places a side: 4 x 4 x 256 in the paper.
_FIRST_SIDE = 4
# What doubles up to here is as wide as `width`; each doubling nearer the picture halves the maps:
# 256, 256, 128, 64, 32 before the picture's 3, in both tables of the paper.
_WIDE_DOUBLINGS = 4
_KERNEL, _UP_KERNEL = 3, 5


def build_decoder(
    feature_shape: tuple[int, ...],
    target_size: tuple[int, int],
    width: int = WIDTH,
    dense_units: int = DENSE_UNITS,
) -> keras.Model:
    """From features to standardised pixels, by the paper's recipe.

    From the 6 x 6 x 256 of AlexNet's CONV5 and from the 1,000 of FC8, with the target 192 x 192
    and 128 x 128, these are the two networks of the paper's tables. Other sizes keep the widths by
    the distance to the picture. Where doubling misses the target, the last maps are interpolated.

    Args:
        feature_shape: (h, w, channels) of maps or (units,) of a vector.
        target_size: height and width of the picture to rebuild; see `natural_size`.
        width: maps of the widest layers, at least 1.
        dense_units: units of the first two dense layers for vectors, at least 1.

    Returns:
        A model called `decoder`: (batch, *feature_shape) to (batch, *target_size, 3). Its layers
        are `conv1` to `conv3` or `fc1` to `fc3`, then `uconv1`, `uconv2`, ...

    Raises:
        ValueError: an argument is out of its range.
    """
    if len(feature_shape) not in (1, 3) or min((*feature_shape, *target_size)) < 1:
        raise ValueError(
            "`feature_shape` must be (h, w, channels) or (units,), and `target_size` positive. "
            f"Received: {feature_shape=}, {target_size=}"
        )
    if width < 1 or dense_units < 1:
        raise ValueError(
            f"`width` and `dense_units` must be at least 1. Received: {width=}, {dense_units=}"
        )
    features = keras.Input(feature_shape, name="features")
    if len(feature_shape) == 1:
        x, doublings = _dense_part(features, target_size, width, dense_units)
    else:
        doublings = _doublings(feature_shape[:2], target_size)
        x = features
        for number in (1, 2, 3):
            maps = _maps(width, doublings)
            x = keras.layers.Conv2D(
                maps, _KERNEL, padding="same", name=f"conv{number}", **_start()
            )(x)
            x = _leaky(f"conv{number}_relu")(x)
    x = _up_convolutions(x, doublings, width)
    if tuple(x.shape[1:3]) != tuple(target_size):
        x = keras.layers.Resizing(*target_size, interpolation="bilinear", name="resizing")(x)
    return keras.Model(features, x, name="decoder")


def natural_size(feature_shape: tuple[int, ...], image_size: tuple[int, int]) -> tuple[int, int]:
    """The size of the picture that up-convolutions rebuild without interpolation.

    The largest that doubling the maps reaches within the picture: 192 of 227 for the 6 x 6 of
    AlexNet's CONV5. For vectors 4 x 4 is doubled, to 128 of 227, as the paper has it.

    Args:
        feature_shape: (h, w, channels) or (units,).
        image_size: height and width of the encoder's pictures.
    """
    height, width = (_FIRST_SIDE, _FIRST_SIDE) if len(feature_shape) == 1 else feature_shape[:2]
    factor = min(image_size[0] / height, image_size[1] / width)
    doubled = 2 ** math.floor(math.log2(max(factor, 1)))
    return height * doubled, width * doubled


def build_inverter(
    encoder: Encoder,
    image_size: tuple[int, int],
    target_size: tuple[int, int],
    mean: Sequence[float],
    deviation: Sequence[float],
    width: int = WIDTH,
    dense_units: int = DENSE_UNITS,
) -> keras.Model:
    """A picture to what can be rebuilt of it from one layer of a frozen encoder.

    The features are standardised before the decoder, which the paper does not do: with it one
    learning rate suits every layer of every network. `standardization(model).learn` sets it.

    Args:
        encoder: of `cut_encoder.cut`.
        image_size: height and width of its pictures.
        target_size: height and width of the picture to rebuild.
        mean: of the pixels of each channel, range [0, 255]: what the decoder's 0 stands for.
        deviation: of each channel: what the decoder's 1 stands for.
        width: as for `build_decoder`.
        dense_units: as for `build_decoder`.

    Returns:
        A functional model; its layers are `image`, `preprocessing`, `encoder`, `standardization`,
        `decoder`, `pixels`, `maps`. Nothing but the decoder trains.

    Raises:
        ValueError: as `build_decoder`.
    """
    image = keras.Input((*image_size, 3), dtype="uint8", name="image")
    features = encoder.network(encoder.preprocessing(image))
    decoder = build_decoder(encoder.feature_shape, target_size, width, dense_units)
    x = decoder(FeatureStandardization(name="standardization")(features))
    x = PixelRange(mean, deviation, name="pixels")(x)
    return keras.Model(image, MapOutput(CHANNELS, UNIT)(x), name="feature_inverter")


def standardization(model: keras.Model) -> FeatureStandardization:
    """The layer of a model of `build_inverter` that knows the size of its features."""
    return model.get_layer("standardization")


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a model of `build_inverter`, also a reloaded one, behind its encoder.

    Both parts share the layers of `model`: training the tail trains `model`.

    Returns:
        trunk: from pictures, uint8, to the features of the frozen encoder.
        tail: from these to the rebuilt pictures.
    """
    features = standardization(model).input
    boundary = keras.Input(batch_shape=features.shape, dtype=features.dtype, name="boundary")
    rebuilt = keras.Function(features, model.output).call(boundary)
    trunk = keras.Model(model.input, features, name=f"{model.name}_trunk")
    return trunk, keras.Model(boundary, rebuilt, name=f"{model.name}_tail")


def _dense_part(
    features: keras.KerasTensor, target_size: tuple[int, int], width: int, dense_units: int
) -> tuple[keras.KerasTensor, int]:
    """Three dense layers, the last one as maps, and how often these are to be doubled."""
    doublings = max(0, math.floor(math.log2(max(1, min(target_size) / _FIRST_SIDE))))
    side = 2**doublings
    shape = (-(-target_size[0] // side), -(-target_size[1] // side), _maps(width, doublings))
    x = features
    for number, units in enumerate((dense_units, dense_units, math.prod(shape)), start=1):
        x = keras.layers.Dense(units, name=f"fc{number}", **_start())(x)
        x = _leaky(f"fc{number}_relu")(x)
    return keras.layers.Reshape(shape, name="reshape")(x), doublings


def _doublings(map_size: tuple[int, int], target_size: tuple[int, int]) -> int:
    """How often maps are doubled until they are no smaller than the target on any side."""
    factor = max(target_size[0] / map_size[0], target_size[1] / map_size[1])
    return max(0, math.ceil(math.log2(factor)))


def _maps(width: int, doublings_left: int) -> int:
    """Maps of a layer from which the picture is so many doublings away."""
    return max(1, width // 2 ** max(0, _WIDE_DOUBLINGS - doublings_left))


def _up_convolutions(x: keras.KerasTensor, doublings: int, width: int) -> keras.KerasTensor:
    """Doubles the maps so often; the last layer gives the three channels of the picture."""
    if doublings == 0:
        return keras.layers.Conv2D(len(CHANNELS), _UP_KERNEL, padding="same", name="uconv0")(x)
    for number in range(1, doublings + 1):
        last = number == doublings
        maps = len(CHANNELS) if last else _maps(width, doublings - number)
        # Keras's own start (Glorot) for the last layer, since no leaky ReLU follows.
        x = keras.layers.Conv2DTranspose(
            maps,
            _UP_KERNEL,
            strides=2,
            padding="same",
            name=f"uconv{number}",
            **({} if last else _start()),
        )(x)
        if not last:
            x = _leaky(f"uconv{number}_relu")(x)
    return x


def _start() -> dict[str, Any]:
    """Weights that keep the size of a signal through leaky ReLUs (He et al. 2015)."""
    return {"kernel_initializer": "he_normal"}


def _leaky(name: str) -> keras.layers.Layer:
    return keras.layers.LeakyReLU(negative_slope=SLOPE, name=name)
