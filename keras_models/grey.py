"""From colour to grey as a layer inside the model, so that pictures stay RGB outside it.

Tensor contract: input (batch, height, width, 3), RGB, uint8 or floating point, range [0, 255];
output (batch, height, width, 1) in the layer's compute dtype, same range.
"""

from __future__ import annotations

import keras
from keras import ops

LUMINANCE = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the luma Y of ITU-R recommendation BT.601; they sum to 1."""


@keras.saving.register_keras_serializable(package="keras_models")
class GreyPixels(keras.layers.Layer):
    """The luma of RGB pixels: a picture with three equal channels keeps its values."""

    def __init__(self, **kwargs):
        """Take the pictures as they are: the layer casts by itself."""
        super().__init__(autocast=False, **kwargs)

    def call(self, images):
        """Weighted sum of the channels in float32, then cast to the compute dtype."""
        pixels = ops.cast(images, "float32")
        weights = ops.convert_to_tensor(LUMINANCE, "float32")
        return ops.cast(ops.sum(pixels * weights, axis=-1, keepdims=True), self.compute_dtype)

    def compute_output_spec(self, images):
        """One channel, compute dtype."""
        return keras.KerasTensor((*images.shape[:-1], 1), dtype=self.compute_dtype)
