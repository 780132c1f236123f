"""How far a rebuilt picture is from the original, in deviations of its pixels.

Tensor contract: truth and prediction are (batch, height, width, channels), floating point, pixel
values in [0, 255]; a deviation for each channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops


def standardised_squared_error(y_true, y_pred, deviation):
    """Mean squared error of standardised pixels, of each picture.

    mean over pixels and channels of ((p - t) / s_c)^2. With p and t both standardised by the same
    mean m_c, (p - m_c) / s_c, the means cancel. A picture of one colour, the mean, has an error of
    1 on average over the pictures that mean and deviation were taken from.

    Args:
        y_true: (batch, height, width, channels).
        y_pred: of the same shape.
        deviation: s_c, a number above 0 per channel.

    Returns:
        Shape (batch,).

    Raises:
        ValueError: the shapes differ.
    """
    prediction = ops.convert_to_tensor(y_pred)
    truth = ops.cast(y_true, prediction.dtype)
    if truth.shape[1:] != prediction.shape[1:]:
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape. "
            f"Received: y_true.shape={tuple(truth.shape)}, y_pred.shape={tuple(prediction.shape)}"
        )
    scale = ops.convert_to_tensor(deviation, prediction.dtype)
    return ops.mean(ops.square((prediction - truth) / scale), axis=(1, 2, 3))


@keras.saving.register_keras_serializable(package="keras_models")
class StandardisedSquaredError(keras.losses.Loss):
    """The mean over pictures of `standardised_squared_error`.

    Args:
        deviation: a number above 0 per channel.

    Raises:
        ValueError: a deviation is not above 0.
    """

    def __init__(
        self, deviation: Sequence[float], name: str = "standardised_squared_error", **options
    ):
        """Check and keep the deviations."""
        super().__init__(name=name, **options)
        self.deviation = tuple(float(value) for value in deviation)
        if not self.deviation or not min(self.deviation) > 0:
            raise ValueError(f"`deviation` must be above 0. Received: {deviation=}")

    def call(self, y_true, y_pred):
        """Shape (batch,)."""
        return standardised_squared_error(y_true, y_pred, self.deviation)

    def get_config(self):
        """The constructor's arguments."""
        return super().get_config() | {"deviation": self.deviation}
