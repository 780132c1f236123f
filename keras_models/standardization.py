"""Features brought to mean 0 and deviation 1, and standardised pixels brought back to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

# Units that are nearly always 0 behind a ReLU would be blown up in the one picture that moves them.
_LEAST_SHARE = 0.25


@keras.saving.register_keras_serializable(package="keras_models")
class FeatureStandardization(keras.layers.Layer):
    """Subtracts from each channel its mean and divides by its deviation.

    Both are weights that do not train: 0 and 1 until `learn` sets them. Not Keras's Normalization,
    which keeps copies of its weights that `set_weights` does not refresh.

    Input and output: (batch, ..., channels).
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes a mean and a deviation for each channel."""
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape, "ones", trainable=False, name="deviation")

    def learn(self, features: Any) -> None:
        """Takes mean and deviation from examples.

        A channel that moves less than a quarter of the average one is divided by that quarter
        instead, and where none moves, by 1.

        Args:
            features: NumPy array, (n, ..., channels), n > 0, finite.
        """
        axes = tuple(range(features.ndim - 1))
        mean = features.mean(axis=axes, dtype="float64")
        deviation = features.std(axis=axes, dtype="float64")
        least = _LEAST_SHARE * float(deviation.mean())
        self.mean.assign(mean.astype("float32"))
        self.deviation.assign(deviation.clip(least if least > 0 else 1.0).astype("float32"))

    def call(self, features):
        """Same shape as `features`."""
        mean, deviation = (ops.cast(one, features.dtype) for one in (self.mean, self.deviation))
        return (features - mean) / deviation

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the input."""
        return input_shape


@keras.saving.register_keras_serializable(package="keras_models")
class PixelRange(keras.layers.Layer):
    """From standardised pixels to pixels in [0, 255], not clipped: times deviation, plus mean.

    Input and output: (batch, height, width, channels); the output is float32.

    Args:
        mean: of each channel, in [0, 255].
        deviation: of each channel, above 0.

    Raises:
        ValueError: the lengths differ or a deviation is not above 0.
    """

    def __init__(self, mean: Sequence[float], deviation: Sequence[float], **options: Any) -> None:
        """Check and keep the arguments."""
        # In half precision neighbouring grey levels would fall together.
        super().__init__(**{**options, "dtype": "float32"})
        self.mean = tuple(float(value) for value in mean)
        self.deviation = tuple(float(value) for value in deviation)
        if len(self.mean) != len(self.deviation) or not min(self.deviation) > 0:
            raise ValueError(
                "mean and deviation must be equally many, deviation above 0. "
                f"Received: {mean=}, {deviation=}"
            )

    def call(self, standardised):
        """Same shape, float32."""
        scale = ops.convert_to_tensor(self.deviation, "float32")
        return standardised * scale + ops.convert_to_tensor(self.mean, "float32")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return super().get_config() | {"mean": self.mean, "deviation": self.deviation}
