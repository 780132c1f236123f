"""Local response normalisation over neighbouring channels, of AlexNet."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_models")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each value by what its neighbours in other channels give at the same place.

        b_i = a_i / (k + alpha * sum_j a_j^2)^beta,   j from i - n // 2 to i + n // 2

    Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural
    Networks", NeurIPS 2012, section 3.3, with the paper's values as defaults. The sum ends at the
    first and the last channel. Input and output: (batch, height, width, channels).

    Args:
        k: added to the sum, above 0, so that nothing is divided by 0.
        n: channels in the sum, odd.
        alpha: weight of the sum, at least 0.
        beta: the exponent.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self, k: float = 2.0, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, **kwargs
    ):
        """Check and keep the arguments."""
        super().__init__(**kwargs)
        if k <= 0 or alpha < 0 or n < 1 or n % 2 == 0:
            raise ValueError(
                "`k` must be above 0, `alpha` at least 0 and `n` odd. "
                f"Received: k={k}, alpha={alpha}, n={n}"
            )
        self.k, self.n, self.alpha, self.beta = k, n, alpha, beta

    def call(self, x):
        """Same shape as `x`."""
        channels, half = x.shape[-1], self.n // 2
        squares = ops.pad(ops.square(x), [(0, 0), (0, 0), (0, 0), (half, half)])
        total = sum(squares[..., first : first + channels] for first in range(self.n))
        return x * ops.power(self.k + self.alpha * total, -self.beta)

    def get_config(self):
        """The constructor's arguments."""
        own = {"k": self.k, "n": self.n, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}
