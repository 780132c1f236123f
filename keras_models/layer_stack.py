"""A deep stack of like layers on digits: what happens to a signal depends on its first weights.

X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
AISTATS 2010. K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.

Tensor contract: input `image` (batch, 28, 28, 3), uint8, RGB, range [0, 255]; output probabilities
(batch, classes), float32. Preprocessing is inside: grey, mean near 0 and variance near 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import keras

from keras_models.grey import GreyPixels
from keras_models.heads import ClassProbabilities

Scheme = Literal["zeros", "small", "large", "xavier", "he"]
Activation = Literal["tanh", "relu"]
Kind = Literal["dense", "convolution"]

SCHEMES: tuple[Scheme, ...] = ("zeros", "small", "large", "xavier", "he")
IMAGE_SIZE = (28, 28)
"""Height and width of the pictures in pixels."""

# Mean and deviation of MNIST's training pixels, range [0, 1]; the drawn digits have nearly these.
_MEAN, _DEVIATION = 0.1307, 0.3081


def initializer(scheme: Scheme, seed: int) -> keras.initializers.Initializer:
    """How the weights of one layer begin; equal seeds give equal weights.

    - `zeros`: all 0.
    - `small`: normal, deviation 0.01, whatever the size of the layer.
    - `large`: normal, deviation 1.
    - `xavier`: uniform within sqrt(6 / (fan_in + fan_out)): Glorot & Bengio 2010, equation 16,
      which keeps the variance of signal and gradient where the activation has slope 1 at 0.
    - `he`: normal, deviation sqrt(2 / fan_in): He et al. 2015, equation 10, with a factor 2 for
      the half of the signal that a ReLU removes.

    Raises:
        ValueError: the scheme is unknown.
    """
    made = {
        "zeros": lambda: keras.initializers.Zeros(),
        "small": lambda: keras.initializers.RandomNormal(stddev=0.01, seed=seed),
        "large": lambda: keras.initializers.RandomNormal(stddev=1.0, seed=seed),
        "xavier": lambda: keras.initializers.GlorotUniform(seed=seed),
        "he": lambda: keras.initializers.VarianceScaling(
            2.0, "fan_in", "untruncated_normal", seed=seed
        ),
    }
    if scheme not in made:
        raise ValueError(f"`scheme` must be one of {SCHEMES}. Received: scheme={scheme!r}")
    return made[scheme]()


def build_layer_stack(
    class_names: Sequence[str],
    scheme: Scheme,
    activation: Activation,
    depth: int,
    width: int,
    kind: Kind = "dense",
    seed: int = 0,
) -> keras.Model:
    """`depth` hidden layers, each followed by the activation, then `logits` and `probabilities`.

    The first weights are a function of the scheme, the seed and the layer alone; biases begin at
    0. Nothing in between (no normalisation, no shortcut) repairs what the weights do.

    Args:
        class_names: one name per class id.
        scheme: see `initializer`; it holds for all layers, the output layer too.
        activation: of the hidden layers.
        depth: number of hidden layers, at least 1.
        width: units, or maps, of each.
        kind: dense layers on the pixels; or 3 x 3 convolutions, the first and the middle one with
            strides of 2, and a mean over the places before the output layer.
        seed: of the weights, at least 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    if depth < 1 or width < 1:
        raise ValueError(f"`depth` and `width` must be at least 1. Received: {depth=}, {width=}")
    image = keras.Input((*IMAGE_SIZE, 3), dtype="uint8", name="image")
    x = GreyPixels(name="grey")(image)
    x = keras.layers.Rescaling(1 / (255 * _DEVIATION), -_MEAN / _DEVIATION, name="range")(x)
    if kind == "dense":
        x = keras.layers.Flatten(name="flatten")(x)
    for number in range(1, depth + 1):
        start = {"kernel_initializer": initializer(scheme, _layer_seed(seed, number))}
        name = f"layer_{number:02d}"
        if kind == "dense":
            x = keras.layers.Dense(width, name=name, **start)(x)
        else:
            strides = 2 if number in (1, (depth + 2) // 2) else 1
            x = keras.layers.Conv2D(width, 3, strides, padding="same", name=name, **start)(x)
        x = keras.layers.Activation(activation, name=f"{name}_{activation}")(x)
    if kind == "convolution":
        x = keras.layers.GlobalAveragePooling2D(name="pooling")(x)
    start = initializer(scheme, _layer_seed(seed, depth + 1))
    x = keras.layers.Dense(len(class_names), kernel_initializer=start, name="logits")(x)
    probabilities = ClassProbabilities(class_names, name="probabilities")(x)
    return keras.Model(image, probabilities, name=f"{scheme}_{activation}_stack")


def _layer_seed(seed: int, number: int) -> int:
    """A seed of its own for every layer of every stack; no depth comes near the factor."""
    return seed * 100_003 + number


def hidden_layers(
    model: keras.Model,
) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """The weighted layer and the activation of each hidden layer, from the input to the output.

    Raises:
        ValueError: the model is no stack of `build_layer_stack`.
    """
    layers = {layer.name: layer for layer in model.layers}
    numbered = sorted(name for name in layers if re.fullmatch(r"layer_\d+", name))
    pairs = []
    for name in numbered:
        after = [other for other in layers if re.fullmatch(rf"{name}_(tanh|relu)", other)]
        pairs += [(layers[name], layers[other]) for other in after]
    if not pairs:
        raise ValueError(
            f"`model` must be a stack of hidden layers. Received: model={model.name!r}"
        )
    return pairs
