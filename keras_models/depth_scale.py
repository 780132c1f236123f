"""Between depth in metres and depth in [0, 1], as a picture that a network can draw.

Tensor contract: any shape, floating point. Metres are positive; 0 is a depth that was not measured
or has no end, as in the sky, and stands for the far end of the scale. A share is in [0, 1]: 0 is
near, 1 is far.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
from keras import ops

ScaleKind = Literal["linear", "log"]


def metres_to_shares(metres, kind: ScaleKind, nearest: float, largest: float):
    """Depth as a share of the scale, in [0, 1]; what lies outside of it gets its nearer end.

    `linear`: d / largest. `log`: ln(d / nearest) / ln(largest / nearest), in which equal steps are
    equal factors, as the error of a depth that is judged by eye (Eigen, Puhrsch & Fergus 2014,
    section 3.2, compare depth in log space for the same reason).

    Args:
        metres: of any shape; 0, negative or not finite counts as `largest`.
        kind: of the scale.
        nearest: metres at which the `log` scale begins.
        largest: metres at which the scale ends.

    Raises:
        ValueError: the limits are out of order.
    """
    _check(kind, nearest, largest)
    metres = ops.cast(metres, "float32")
    known = ops.logical_and(metres > 0, ops.isfinite(metres))
    metres = ops.where(known, metres, largest)
    if kind == "linear":
        return ops.clip(metres / largest, 0.0, 1.0)
    bounded = ops.clip(metres, nearest, largest)
    return ops.log(bounded / nearest) / math.log(largest / nearest)


def shares_to_metres(shares, kind: ScaleKind, nearest: float, largest: float):
    """The inverse of `metres_to_shares` within the scale.

    Args, raises: as there; shares beyond [0, 1] give metres beyond the scale.
    """
    _check(kind, nearest, largest)
    shares = ops.cast(shares, "float32")
    if kind == "linear":
        return shares * largest
    return nearest * ops.exp(shares * math.log(largest / nearest))


def _check(kind: str, nearest: float, largest: float) -> None:
    if kind not in ("linear", "log") or not 0 < nearest < largest < math.inf:
        raise ValueError(
            "kind must be 'linear' or 'log', and 0 < nearest < largest, in metres. "
            f"Received: {kind=}, {nearest=}, {largest=}"
        )


class _DepthScale(keras.layers.Layer):
    """A scale of depth, kept in the saved model.

    Args:
        kind: `linear` or `log`.
        nearest: metres at which the `log` scale begins.
        largest: metres at which the scale ends.
        name: of the layer.

    Raises:
        ValueError: the limits are out of order.
    """

    def __init__(
        self,
        kind: ScaleKind,
        nearest: float,
        largest: float,
        name: str | None = None,
        **options: Any,
    ) -> None:
        # In half precision a far depth would have steps of centimetres, and 255 no neighbours.
        super().__init__(name=name, **{**options, "dtype": "float32"})
        _check(kind, nearest, largest)
        self.kind = kind
        self.nearest = nearest
        self.largest = largest

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return super().get_config() | {
            "kind": self.kind,
            "nearest": self.nearest,
            "largest": self.largest,
        }


@keras.saving.register_keras_serializable("keras_models")
class MetresToShares(_DepthScale):
    """`metres_to_shares` as a layer."""

    def call(self, metres: keras.KerasTensor) -> keras.KerasTensor:
        """Shares in [0, 1]."""
        return metres_to_shares(metres, self.kind, self.nearest, self.largest)


@keras.saving.register_keras_serializable("keras_models")
class SharesToMetres(_DepthScale):
    """`shares_to_metres` as a layer."""

    def call(self, shares: keras.KerasTensor) -> keras.KerasTensor:
        """Metres."""
        return shares_to_metres(shares, self.kind, self.nearest, self.largest)
