"""Layers of networks that predict where people look.

Tensor contract: maps are (batch, height, width, 1), floating point.
"""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_models")
class RelativeDensity(keras.layers.Layer):
    """Logits to a density over the places of each picture, relative to its highest place.

        s_i = exp(z_i - max_j z_j)

    Divided by its sum, it is the softmax over all places, which is what a density of fixations
    should be (Jetley, Murray & Vig, "End-to-End Saliency Mapping via Probability Distribution
    Prediction", CVPR 2016). In [0, 1], 1 in the most salient place; always float32.
    """

    def __init__(self, *, dtype="float32", **kwargs):
        """Take Keras's own arguments of a layer."""
        # In float32 under mixed precision too: bfloat16 has three digits for all of a picture.
        super().__init__(dtype=dtype, **kwargs)

    def call(self, logits):
        """Same shape as `logits`."""
        return ops.exp(logits - ops.max(logits, axis=(1, 2), keepdims=True))

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape


@keras.saving.register_keras_serializable(package="keras_models")
class CentreBias(keras.layers.Layer):
    """Adds the logits of a Gaussian over the picture, whose middle and widths are learned.

        z + -1/2 ((x - a) / s)^2 - 1/2 ((y - b) / t)^2,   x and y in shares of width and height

    People look at the middle of a picture whatever it shows, and pictures are taken with what
    matters in their middle (Tatler, "The central fixation bias in scene viewing", Journal of Vision
    2007). A network of convolutions cannot tell where it is: this layer tells it. Learned Gaussians
    as priors: Cornia et al., "Predicting Human Eye Fixations via an LSTM-based Saliency Attentive
    Model", 2018, section III-C.

    Args:
        spread: widths (x, y) to begin with, above 0, in shares of the picture.

    Raises:
        ValueError: a width is not positive.
    """

    def __init__(self, spread: tuple[float, float] = (0.25, 0.2), **kwargs):
        """Check and keep the first widths."""
        super().__init__(**kwargs)
        self.spread = tuple(float(value) for value in spread)
        if len(self.spread) != 2 or min(self.spread) <= 0:
            raise ValueError(f"`spread` must be two positive widths. Received: {spread=}")

    def build(self, input_shape):
        """Make the four weights: the middle, and logarithms of the widths."""
        self.middle = self.add_weight(
            shape=(2,), initializer=keras.initializers.Constant(0.5), name="middle"
        )
        # Their logarithms: a width then stays positive whatever a step does.
        self.log_spread = self.add_weight(
            shape=(2,), initializer=self._first_log_spread, name="log_spread"
        )

    def _first_log_spread(self, shape, dtype=None):
        return ops.cast(ops.log(ops.convert_to_tensor(self.spread, "float32")), dtype)

    def call(self, logits):
        """Same shape as `logits`."""
        height, width = logits.shape[1:3]
        down = (ops.arange(height, dtype="float32") + 0.5) / height
        across = (ops.arange(width, dtype="float32") + 0.5) / width
        middle, spread = ops.cast(self.middle, "float32"), ops.exp(self.log_spread)
        spread = ops.cast(spread, "float32")
        x = ops.square((across - middle[0]) / spread[0])
        y = ops.square((down - middle[1]) / spread[1])
        bias = -0.5 * (y[:, None] + x[None, :])
        return logits + ops.cast(bias[None, :, :, None], logits.dtype)

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "spread": self.spread}


@keras.saving.register_keras_serializable(package="keras_models")
class Maxout(keras.layers.Layer):
    """The larger of each two neighbouring units: (batch, 2 n) to (batch, n).

    Goodfellow et al., "Maxout Networks", ICML 2013, with two pieces.
    """

    def build(self, input_shape):
        """Check that there are pairs.

        Raises:
            ValueError: the number of units is odd.
        """
        if input_shape[-1] % 2:
            raise ValueError(f"Maxout needs pairs of units. Received: {tuple(input_shape)}")

    def call(self, units):
        """(batch, n)."""
        return ops.max(ops.reshape(units, (-1, units.shape[-1] // 2, 2)), axis=-1)

    def compute_output_shape(self, input_shape):
        """Half of the units."""
        return (*input_shape[:-1], input_shape[-1] // 2)
