"""LeNet-5: as it was published in 1998, and with what has been learned since.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86(11), 1998, section II.B and appendix A.

Tensor contract: input `image` (batch, 28, 28, 3), uint8, RGB, range [0, 255], bright strokes on
dark ground; output probabilities (batch, classes), float32. Grey, the frame up to 32 x 32 pixels
and the range are layers inside the model. A layer called `logits` stands before the softmax.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from keras_models.digit_bitmaps import digit_codes
from keras_models.grey import GreyPixels
from keras_models.heads import ClassProbabilities

Initialization = Literal["paper", "balanced"]

IMAGE_SIZE = (28, 28)
"""Height and width of the pictures; a frame of two pixels makes them 32 x 32, so that strokes
near the border still reach the middle of a unit's field of view."""

C3_TABLE = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
"""Which maps of S2 each of the 16 maps of C3 sees: table I of the paper."""

_AMPLITUDE, _SLOPE = 1.7159, 2 / 3
# Values of the ground and of the ink, so that the pixels have mean near 0 and variance near 1.
_GROUND, _INK = -0.1, 1.175


@keras.saving.register_keras_serializable(package="keras_models")
def scaled_tanh(x):
    """1.7159 tanh(2x / 3): appendix A of the paper; f(1) = 1, f(-1) = -1, steepest in between."""
    return _AMPLITUDE * ops.tanh(_SLOPE * x)


def _limit(fan_in: int, initialization: str) -> float:
    """First weights are uniform between minus this and this."""
    if initialization == "paper":
        return 2.4 / fan_in
    return math.sqrt(3 / fan_in)


def _uniform(fan_in: int, initialization: str = "paper") -> keras.initializers.Initializer:
    limit = _limit(fan_in, initialization)
    return keras.initializers.RandomUniform(-limit, limit)


@keras.saving.register_keras_serializable(package="keras_models")
class SubSampling(keras.layers.Layer):
    """The sum of each 2 x 2 field, times a coefficient, plus a bias, squashed; one pair a map.

    Layers S2 and S4 of the paper: (batch, h, w, maps) to (batch, h / 2, w / 2, maps).
    """

    def build(self, input_shape):
        """One coefficient and one bias a map."""
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(maps, initializer=_uniform(4), name="coefficient")
        self.bias = self.add_weight(maps, initializer="zeros", name="bias")

    def call(self, x):
        """Average pooling gives a quarter of the sum."""
        # Strides are named, since on JAX the default for them fails in Keras.
        total = 4.0 * ops.average_pool(x, 2, strides=2, data_format="channels_last")
        return scaled_tanh(total * self.coefficient + self.bias)


@keras.saving.register_keras_serializable(package="keras_models")
class TableConvolution(keras.layers.Layer):
    """A convolution in which each output map sees its own choice of the input maps.

    Layer C3 of the paper, which "breaks the symmetry" between the maps. Only connections that
    exist have weights. Output: (batch, h - size + 1, w - size + 1, len(table)), squashed.

    Args:
        table: the numbers of the input maps for each output map.
        size: side of the square fields, in pixels.
        initialization: of the weights; see `build_lenet5`.
    """

    def __init__(
        self,
        table: Sequence[Sequence[int]] = C3_TABLE,
        size: int = 5,
        initialization: Initialization = "paper",
        **kwargs,
    ):
        """Keep the arguments."""
        super().__init__(**kwargs)
        self.table = tuple(tuple(inputs) for inputs in table)
        self.size = size
        self.initialization = initialization

    def build(self, input_shape):
        """One square of weights for each entry of the table, one bias for each output map."""
        pairs = [(source, number) for number, row in enumerate(self.table) for source in row]
        if max(source for source, _ in pairs) >= input_shape[-1]:
            raise ValueError(
                "`table` must name maps of the input alone. "
                f"Received: {input_shape[-1]} input maps, table={self.table}"
            )
        self._placement = np.zeros((len(pairs), input_shape[-1], len(self.table)), np.float32)
        for row, (source, number) in enumerate(pairs):
            self._placement[row, source, number] = 1.0
        fan_in = [self.size**2 * len(self.table[number]) for _, number in pairs]
        limits = np.array([_limit(inputs, self.initialization) for inputs in fan_in])

        def within_limits(shape, dtype):
            return keras.initializers.RandomUniform(-1.0, 1.0)(shape, dtype) * ops.cast(
                limits, dtype
            )

        self.kernel = self.add_weight(
            (self.size, self.size, len(pairs)), initializer=within_limits, name="kernel"
        )
        self.bias = self.add_weight((len(self.table),), initializer="zeros", name="bias")

    def call(self, x):
        """The squares are put in their places of a full kernel; the rest of it stays 0."""
        placement = ops.cast(self._placement, self.compute_dtype)
        kernel = ops.tensordot(ops.cast(self.kernel, self.compute_dtype), placement, axes=1)
        x = ops.conv(x, kernel, padding="valid", data_format="channels_last")
        return scaled_tanh(x + self.bias)

    def get_config(self):
        """The constructor's arguments."""
        own = {"table": self.table, "size": self.size, "initialization": self.initialization}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="keras_models")
class DigitDistances(keras.layers.Layer):
    """Minus the squared distance to the picture of each digit: the paper's RBF output, fixed.

    y_i = sum_j (x_j - w_ij)^2 with w_ij = +1 or -1 (section II.B): 84 values to 10. The negative
    is a logit: the softmax over it has the paper's discriminative criterion (equation 9) as its
    cross-entropy, with the constant e^-j of the "rubbish class" left out.
    """

    def build(self, input_shape):
        """The pictures, which do not train."""
        codes = digit_codes()
        if input_shape[-1] != codes.shape[1]:
            raise ValueError(
                f"The pictures have {codes.shape[1]} pixels. Received: input_shape={input_shape}"
            )
        self.codes = self.add_weight(
            codes.shape,
            initializer=lambda shape, dtype: ops.cast(codes, dtype),
            trainable=False,
            name="codes",
        )

    def call(self, x):
        """(batch, 84) to (batch, 10)."""
        return -ops.sum(ops.square(ops.expand_dims(x, 1) - self.codes), axis=-1)


def _framed_pixels(image: keras.KerasTensor) -> keras.KerasTensor:
    """(batch, 32, 32, 1): grey, a frame of ground, mean near 0 and variance near 1."""
    x = GreyPixels(name="grey")(image)
    x = keras.layers.ZeroPadding2D(2, name="frame")(x)
    return keras.layers.Rescaling((_INK - _GROUND) / 255, _GROUND, name="range")(x)


def build_lenet5(
    class_names: Sequence[str], initialization: Initialization = "paper"
) -> keras.Model:
    """LeNet-5 of 1998: 60,000 weights that train, 340,908 connections.

    C1 6 maps of 28 x 28 -> S2 6 of 14 x 14 -> C3 16 of 10 x 10 -> S4 16 of 5 x 5 -> C5 120 ->
    F6 84 -> 10 distances, turned into probabilities. The order of the layers is the paper's; each
    has its name there.

    Args:
        class_names: ten names, in the order of the digits from 0 to 9.
        initialization: of the convolutions and F6. `paper`: uniform within 2.4 / fan_in (appendix
            A); from C1 to F6 the deviation of drawn digits falls from 0.11 to 0.0003, and a method
            without estimates of the curvature stays long as good as a linear classifier.
            `balanced`: uniform within sqrt(3 / fan_in), of deviation 1 / sqrt(fan_in), which keeps
            the signal's (LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998, equation 16).

    Raises:
        ValueError: there are not ten classes: the output is made of pictures of the digits.
    """
    if len(class_names) != 10:
        raise ValueError(
            "LeNet-5 of 1998 has one fixed picture for each of the ten digits, so it needs 10 "
            f"classes. Received: {len(class_names)} classes"
        )
    image = keras.Input((*IMAGE_SIZE, 3), dtype="uint8", name="image")

    def first(fan_in: int) -> dict[str, Any]:
        return {"activation": scaled_tanh, "kernel_initializer": _uniform(fan_in, initialization)}

    x = _framed_pixels(image)
    x = keras.layers.Conv2D(6, 5, name="C1", **first(25))(x)
    x = SubSampling(name="S2")(x)
    x = TableConvolution(initialization=initialization, name="C3")(x)
    x = SubSampling(name="S4")(x)
    x = keras.layers.Conv2D(120, 5, name="C5", **first(400))(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(84, name="F6", **first(120))(x)
    x = DigitDistances(name="logits")(x)
    return keras.Model(
        image, ClassProbabilities(class_names, name="probabilities")(x), name="LeNet5"
    )


def build_modern_lenet5(
    class_names: Sequence[str], width: float = 1.0, dropout: float = 0.2
) -> keras.Model:
    """The same sizes with ReLU, max pooling, batch normalisation, dropout and a plain softmax.

    Args:
        class_names: one name per class id.
        width: multiple of the maps and units, above 0; 1 is LeNet-5's 6, 16, 120 and 84.
        dropout: share of each dense layer's units dropped while training, in [0, 1).

    Raises:
        ValueError: `width` is not above 0.
    """
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    image = keras.Input((*IMAGE_SIZE, 3), dtype="uint8", name="image")
    x = _framed_pixels(image)
    for name, maps in (("C1", 6), ("C3", 16)):
        # Batch normalisation (Ioffe & Szegedy 2015) has a bias of its own.
        x = keras.layers.Conv2D(
            _wide(maps, width), 5, use_bias=False, kernel_initializer="he_normal", name=name
        )(x)
        x = keras.layers.BatchNormalization(name=f"{name}_normalised")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = keras.layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for name, units in (("C5", 120), ("F6", 84)):
        x = keras.layers.Dense(
            _wide(units, width), use_bias=False, kernel_initializer="he_normal", name=name
        )(x)
        x = keras.layers.BatchNormalization(name=f"{name}_normalised")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
    x = keras.layers.Dense(len(class_names), name="logits")(x)
    probabilities = ClassProbabilities(class_names, name="probabilities")(x)
    return keras.Model(image, probabilities, name="LeNet5_modern")


def _wide(count: int, width: float) -> int:
    return max(1, round(count * width))
