"""AlexNet: the network that won ImageNet in 2012, in its own size or a smaller one.

A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NeurIPS 2012.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
probabilities (batch, classes), float32. Preprocessing is a layer inside the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras

from keras_models.grouped_convolution import GroupedConvolution
from keras_models.heads import ClassProbabilities
from keras_models.local_response_normalization import LocalResponseNormalization
from keras_models.preprocessing import IMAGENET_MEAN_BGR, ImagePreprocessing

IMAGE_SIZE = (227, 227)
"""The paper says 224, but its first layer's 55 x 55 maps need 227: 54 strides of 4, and 11."""

SMALLEST_SIDE = 67
"""Pixels that the three poolings leave one value of: 67 -> 15 -> 7 -> 3 -> 1."""


def build_alexnet(
    image_size: tuple[int, int],
    class_names: Sequence[str],
    width: float = 1.0,
    towers: int = 2,
    dropout: float = 0.5,
    initialization: Literal["paper", "balanced"] = "paper",
) -> keras.Model:
    """Five convolutions and three dense layers (section 3.5): 60,965,224 weights for 1,000 classes.

    Args:
        image_size: height and width in pixels, at least `SMALLEST_SIDE` each; 227 in the paper.
        class_names: one name per class id.
        width: multiple of the maps and units, above 0.
        towers: 2 as in the paper, where convolutions 2, 4 and 5 see only the maps of their own
            GPU; 1 connects everything, 62,378,344 weights.
        dropout: share of the units of fc6 and fc7 dropped while training, in [0, 1); 0.5 there.
        initialization: `paper` (section 5): weights from a normal distribution of deviation 0.01,
            biases 1 in convolutions 2, 4, 5 and the dense layers, pixels minus their mean.
            `balanced`: He et al. 2015, for runs too short to leave those small weights; pixels also
            divided by their deviation.

    Raises:
        ValueError: an argument is out of its range.
    """
    _check(image_size, width, towers)
    image = keras.Input((*image_size, 3), dtype="uint8", name="image")
    x = _preprocessing(initialization)(image)

    def maps(count: int) -> int:
        return towers * max(1, round(count * width / towers))

    x = _convolution("conv1", maps(96), 11, initialization, strides=4, padding="valid")(x)
    x = _pooled(LocalResponseNormalization(name="norm1")(x), "pool1")
    x = _convolution("conv2", maps(256), 5, initialization, groups=towers)(x)
    x = _pooled(LocalResponseNormalization(name="norm2")(x), "pool2")
    x = _convolution("conv3", maps(384), 3, initialization)(x)
    x = _convolution("conv4", maps(384), 3, initialization, groups=towers)(x)
    x = _convolution("conv5", maps(256), 3, initialization, groups=towers)(x)
    x = keras.layers.Flatten(name="flatten")(_pooled(x, "pool5"))
    for name in ("fc6", "fc7"):
        # Dropout in the first two dense layers alone: section 4.2.
        starts = _start(name, initialization)
        x = keras.layers.Dense(maps(4096), activation="relu", name=name, **starts)(x)
        x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
    x = keras.layers.Dense(len(class_names), name="logits", **_start("fc8", initialization))(x)
    return keras.Model(
        image, ClassProbabilities(class_names, name="probabilities")(x), name="AlexNet"
    )


def _preprocessing(initialization: str) -> keras.layers.Layer:
    """Pixels around 0: of the size they are for the paper's small weights, else of size 1."""
    if initialization == "balanced":
        return ImagePreprocessing("torch", name="preprocessing")
    # Section 2: the mean activity over the training set, subtracted from each pixel; here that of
    # ImageNet's channels.
    offset = [-mean for mean in reversed(IMAGENET_MEAN_BGR)]
    return keras.layers.Rescaling(1.0, offset, name="preprocessing")


def _convolution(
    name: str, maps: int, size: int, initialization: str, **options: Any
) -> keras.layers.Layer:
    options = {"padding": "same", **options, **_start(name, initialization)}
    return GroupedConvolution(maps, size, activation="relu", name=name, **options)


def _pooled(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Overlapping pooling (section 3.4): fields of 3 at strides of 2."""
    return keras.layers.MaxPooling2D(3, strides=2, name=name)(x)


def _start(name: str, initialization: str) -> dict[str, Any]:
    """How the weights of a layer begin."""
    if initialization == "balanced":
        return {"kernel_initializer": "he_normal"}
    # Biases of 1 hand the ReLUs positive inputs, so that they learn from the start (section 5).
    begins_at_one = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
    return {
        "kernel_initializer": keras.initializers.RandomNormal(stddev=0.01),
        "bias_initializer": "ones" if begins_at_one else "zeros",
    }


def _check(image_size: tuple[int, int], width: float, towers: int) -> None:
    if min(image_size) < SMALLEST_SIDE:
        raise ValueError(
            f"`image_size` must be at least {SMALLEST_SIDE} pixels in height and width for "
            f"AlexNet. Received: image_size={tuple(image_size)}"
        )
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    if towers not in (1, 2):
        raise ValueError(f"`towers` must be 1 or 2. Received: towers={towers}")
