"""A residual network of 0.3 million weights for small pictures: transfer learning in seconds.

Tensor contract: input (batch, height, width, 3), floating point, range [-1, 1]; output feature
maps (batch, height / 16, width / 16, 128), sizes rounded up.
"""

from __future__ import annotations

import keras

STEM_CHANNELS = 16
BLOCK_CHANNELS = (32, 64, 128)
STAGES = ("stem_relu", *(f"block{number}_relu" for number in range(1, len(BLOCK_CHANNELS) + 1)))
"""The layers that end the stages, at strides 2, 4, 8 and 16."""


def build(include_top: bool, weights: str | None, input_shape: tuple[int, int, int]) -> keras.Model:
    """Stem and three basic residual blocks, each of which halves height and width.

    He et al., "Deep Residual Learning for Image Recognition", CVPR 2016: the basic block of two
    3x3 convolutions (figure 5, left), projection shortcuts (option B), and as in section 4.2 for
    pictures of 32 x 32 a stem of one 3x3 convolution and channels that double as the map halves.
    One block a stage instead of n, twice the width, and a stem that strides.

    The arguments are those of the constructors of `keras.applications`.

    Args:
        include_top: False; there is no classifier.
        weights: None (random); nobody has trained it on ImageNet.
        input_shape: (height, width, 3).

    Raises:
        ValueError: a classifier or ImageNet weights were asked for.
    """
    if include_top or weights is not None:
        raise ValueError(
            "SmallResNet has no classifier and no published weights: pass weights=None or a file "
            f"saved from it. Received: include_top={include_top}, weights={weights!r}"
        )
    image = keras.Input(input_shape)
    x = _convolution(image, STEM_CHANNELS, 3, 2, "stem")
    x = keras.layers.ReLU(name="stem_relu")(x)
    for number, channels in enumerate(BLOCK_CHANNELS, start=1):
        x = _block(x, channels, f"block{number}")
    return keras.Model(image, x, name="SmallResNet")


def _block(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """Two 3x3 convolutions beside a 1x1 convolution, both with stride 2, added."""
    residual = _convolution(x, channels, 3, 2, f"{name}_1")
    residual = keras.layers.ReLU(name=f"{name}_1_relu")(residual)
    residual = _convolution(residual, channels, 3, 1, f"{name}_2")
    shortcut = _convolution(x, channels, 1, 2, f"{name}_0")
    x = keras.layers.Add(name=f"{name}_add")([shortcut, residual])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _convolution(
    x: keras.KerasTensor, channels: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    """Convolution and BatchNormalization, whose offset makes a bias superfluous."""
    x = keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        "same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    # Momentum 0.9 as in the paper's code: the statistics follow within tens of steps.
    return keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
