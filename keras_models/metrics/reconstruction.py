"""The error of rebuilt pictures, averaged over pictures.

Tensor contract: as in `keras_models.losses.reconstruction`.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras

from keras_models.losses.reconstruction import standardised_squared_error


@keras.saving.register_keras_serializable(package="keras_models")
class SquaredError(keras.metrics.MeanMetricWrapper):
    """Mean over pictures of `standardised_squared_error`.

    Args:
        deviation: a number above 0 per channel. Where it is that of the pixels of the true
            pictures, at their size, 1 is what their plain mean colour has.
    """

    def __init__(
        self, deviation: Sequence[float], name: str = "squared_error", dtype: object = None
    ) -> None:
        """Keep the deviations."""
        self.deviation = tuple(float(value) for value in deviation)
        super().__init__(standardised_squared_error, name, dtype, deviation=self.deviation)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype, "deviation": self.deviation}
