"""Depth in metres, and the quantities that a network may learn instead of it.

Tensor contract: depth is floating point, metres along the camera's axis, above 0; a true depth of
0, or one that is no finite number, is unknown.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

QUANTITIES = ("metres", "inverse", "log")


def known_depth(depth):
    """Where the depth is known: bool, of the shape of `depth`."""
    return ops.logical_and(depth > 0, depth < float("inf"))


def to_quantity(depth, quantity: str, maximum: float):
    """Depth as the quantity that is learnt.

    Args:
        depth: metres, above 0.
        quantity: `metres` leaves depth as it is: every centimetre counts alike, near and far.
            `inverse` is maximum / depth (Alhashim & Wonka 2018, section 3.2): near things count
            most. `log` is the natural logarithm (Eigen, Puhrsch, Fergus 2014, section 3.2): every
            per cent counts alike.
        maximum: largest depth, metres; used by `inverse`.

    Raises:
        ValueError: there is no such quantity.
    """
    _require(quantity)
    if quantity == "inverse":
        return maximum / depth
    return ops.log(depth) if quantity == "log" else depth


def to_depth(value, quantity: str, maximum: float):
    """The depth in metres of which `to_quantity` makes `value`.

    Raises:
        ValueError: there is no such quantity.
    """
    _require(quantity)
    if quantity == "inverse":
        return maximum / value
    return ops.exp(value) if quantity == "log" else value


def quantity_limits(quantity: str, minimum: float, maximum: float) -> tuple[float, float]:
    """Smallest and largest value of the quantity between two depths in metres.

    Raises:
        ValueError: there is no such quantity.
    """
    _require(quantity)
    if quantity == "inverse":
        return 1.0, maximum / minimum
    return (math.log(minimum), math.log(maximum)) if quantity == "log" else (minimum, maximum)


def _require(quantity: str) -> None:
    if quantity not in QUANTITIES:
        raise ValueError(f"`quantity` must be one of {QUANTITIES}. Received: {quantity!r}")


@keras.saving.register_keras_serializable(package="keras_models")
class BoundedDepth(keras.layers.Layer):
    """What a network says without bounds, as a depth in metres between two bounds.

    A number x picks the place (1 + x / (1 + |x|)) / 2 between the limits of the quantity: as the
    sigmoid that Godard et al. (CVPR 2017) have for disparity, but with a slope that falls with
    1 / x^2. A decoder without BatchNormalization may say 50 after a few steps, where a sigmoid,
    or a value that is cut off at its limits, has no gradient left to come back by.

    Args:
        quantity: what is learnt, see `to_quantity`.
        minimum: smallest depth, metres, above 0.
        maximum: largest depth, metres.

    Raises:
        ValueError: there is no such quantity, or the bounds are not in order.
    """

    def __init__(self, quantity: str, minimum: float, maximum: float, **options: Any) -> None:
        """Check and keep what makes a depth of a number."""
        # Depth in half precision has steps of centimetres.
        super().__init__(**{**options, "dtype": "float32"})
        _require(quantity)
        if not 0 < minimum < maximum < float("inf"):
            raise ValueError(
                f"The bounds must be above 0 and in order. Received: {minimum=}, {maximum=}"
            )
        self.quantity = quantity
        self.minimum = float(minimum)
        self.maximum = float(maximum)

    def call(self, values):
        """Unbounded numbers to metres, of the same shape."""
        low, high = quantity_limits(self.quantity, self.minimum, self.maximum)
        value = low + (high - low) * (1.0 + ops.softsign(values)) / 2.0
        # Rounding may step over a bound by the last bit.
        depth = to_depth(value, self.quantity, self.maximum)
        return ops.clip(depth, self.minimum, self.maximum)

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "quantity": self.quantity,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }


def depth_layer(model: keras.Model) -> BoundedDepth:
    """The layer that knows the range of depth of a network, also of a reloaded one.

    Raises:
        ValueError: the model has none.
    """
    for layer in model.layers:
        if isinstance(layer, BoundedDepth):
            return layer
    raise ValueError(f"The model must have a BoundedDepth layer. Received: {model.name!r}")
