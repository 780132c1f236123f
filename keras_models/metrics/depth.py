"""How far predicted depth lies from the true one, over the pixels whose depth is known.

Tensor contract: depth is floating point, metres, any shape, the same for truth and prediction; a
true depth of 0, or one that is no finite number, is unknown. The functions give a value for each
pixel, 0 where it is unknown. The metrics are means over all known pixels of all pictures together,
as in Eigen, Puhrsch, Fergus, "Depth Map Prediction from a Single Image using a Multi-Scale Deep
Network", NIPS 2014, section 4.
"""

from __future__ import annotations

import keras
from keras import ops

from keras_models.depth_quantity import known_depth

RATIO = 1.25
"""The factor of the three thresholds 1.25, 1.25^2, 1.25^3 (Eigen et al. 2014, section 4)."""
# A prediction of 0 or less is wrong by any factor, not by an infinite one.
_SMALLEST = 1e-6


def within_ratio(y_true, y_pred, power=1):
    """1 where max(p / t, t / p) < 1.25 ** power, else 0.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction, known = _safe(y_true, y_pred)
    prediction = ops.maximum(prediction, _SMALLEST)
    ratio = ops.maximum(prediction / truth, truth / prediction)
    return ops.cast(ops.logical_and(known, ratio < RATIO**power), prediction.dtype)


def absolute_relative_error(y_true, y_pred):
    """|p - t| / t (AbsRel); raises as `within_ratio`."""
    truth, prediction, _ = _safe(y_true, y_pred)
    return ops.abs(prediction - truth) / truth


def squared_error(y_true, y_pred):
    """(p - t)^2, square metres: what RMSE is the root of the mean of; raises as `within_ratio`."""
    truth, prediction, _ = _safe(y_true, y_pred)
    return ops.square(prediction - truth)


def log10_error(y_true, y_pred):
    """|log10 p - log10 t|; raises as `within_ratio`."""
    truth, prediction, _ = _safe(y_true, y_pred)
    return ops.abs(ops.log10(ops.maximum(prediction, _SMALLEST)) - ops.log10(truth))


def rounding_agreement(y_true, y_pred, step):
    """1 where prediction and truth are the same after rounding to whole multiples of `step`.

    A step as large as the largest depth is depth scaled to [0, 1] and rounded to 0 or 1: it tells
    the nearer half of the range from the farther one, and nothing else.

    Args:
        y_true: depth, metres.
        y_pred: of the same shape.
        step: metres, above 0.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction, known = _safe(y_true, y_pred)
    same = ops.equal(ops.round(prediction / step), ops.round(truth / step))
    return ops.cast(ops.logical_and(known, same), prediction.dtype)


def _safe(y_true, y_pred):
    """Truth and prediction, both 1 where the truth is unknown; and where it is known, bool."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape. Received: "
            f"y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    known = known_depth(y_true)
    one = ops.ones_like(y_pred)
    return ops.where(known, y_true, one), ops.where(known, y_pred, one), known


class _OverKnownPixels(keras.metrics.Mean):
    """The mean over all known pixels of what a subclass says of each pixel."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch; y_true and y_pred (batch, height, width, 1), metres."""
        y_pred = ops.cast(y_pred, self.dtype)
        y_true = ops.cast(y_true, self.dtype)
        weight = ops.cast(known_depth(y_true), self.dtype)
        if sample_weight is not None:
            of_example = ops.reshape(ops.cast(sample_weight, self.dtype), (-1, 1, 1, 1))
            weight = weight * of_example
        return super().update_state(self.of_pixels(y_true, y_pred), weight)

    def of_pixels(self, y_true, y_pred):
        """A value for each pixel, of the shape of `y_true`."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="keras_models")
class ThresholdAccuracy(_OverKnownPixels):
    """Share of the known pixels with max(p / t, t / p) < 1.25 ** power (delta)."""

    def __init__(self, power=1, name=None, **kwargs):
        """Keep the power of 1.25."""
        super().__init__(name=name or f"delta{power}", **kwargs)
        self.power = power

    def of_pixels(self, y_true, y_pred):
        """See `within_ratio`."""
        return within_ratio(y_true, y_pred, self.power)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "power": self.power}


@keras.saving.register_keras_serializable(package="keras_models")
class AbsoluteRelativeError(_OverKnownPixels):
    """Mean of |p - t| / t over the known pixels (AbsRel)."""

    def __init__(self, name="abs_rel", **kwargs):
        """Take Keras's own arguments of a metric."""
        super().__init__(name=name, **kwargs)

    def of_pixels(self, y_true, y_pred):
        """See `absolute_relative_error`."""
        return absolute_relative_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_models")
class DepthRootMeanSquaredError(_OverKnownPixels):
    """Root of the mean squared error over the known pixels, metres (RMSE)."""

    def __init__(self, name="rmse", **kwargs):
        """Take Keras's own arguments of a metric."""
        super().__init__(name=name, **kwargs)

    def of_pixels(self, y_true, y_pred):
        """See `squared_error`."""
        return squared_error(y_true, y_pred)

    def result(self):
        """The root of the mean so far."""
        return ops.sqrt(super().result())


@keras.saving.register_keras_serializable(package="keras_models")
class Log10Error(_OverKnownPixels):
    """Mean of |log10 p - log10 t| over the known pixels (log10).

    The runs of the suite watch the others while they train, and have log10 in their reports by
    `log10_error`; it is here so that all measures of Eigen et al. can be given to `compile`.
    """

    def __init__(self, name="log10", **kwargs):
        """Take Keras's own arguments of a metric."""
        super().__init__(name=name, **kwargs)

    def of_pixels(self, y_true, y_pred):
        """See `log10_error`."""
        return log10_error(y_true, y_pred)
