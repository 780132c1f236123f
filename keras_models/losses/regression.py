"""Losses for points in the plane of which some are missing.

Tensor contract: truth and prediction are (batch, 2 N), floating point, in the order x00, y00, x01,
y01, ...; a point whose truth is exactly (0, 0) is missing and counts in no loss, whatever was
predicted for it. All losses are masked: without, each missing point would pull its prediction into
the corner of the picture.
"""

from __future__ import annotations

import keras
from keras import ops


def masked_euclidean_loss(y_true, y_pred):
    """Mean distance between predicted and true points, over the points that are not missing.

    sum_i v_i |p_i - t_i| / max(1, sum_i v_i), where i runs over the points of the whole batch and
    v_i is 0 for a missing point, else 1. Its gradient has length 1 / (number of visible points) at
    every point, near or far, and is 0 where a prediction is perfect.

    Args:
        y_true: (batch, 2 N); (0, 0) is a missing point.
        y_pred: (batch, 2 N).

    Returns:
        A scalar in the unit of the points; 0 where all points are missing.

    Raises:
        ValueError: the shapes differ, or are not of points.
    """
    differences, visible = _masked_differences(y_true, y_pred)
    return _mean(_lengths(differences), visible)


def masked_mean_squared_loss(y_true, y_pred):
    """Mean of the squared coordinate errors over the points that are not missing.

    sum_i v_i |p_i - t_i|^2 / max(1, 2 sum_i v_i): as `keras.losses.MeanSquaredError` without the
    missing points. The gradient grows with the error, so the farthest points lead.

    Args, returns and raises as `masked_euclidean_loss`; in the unit of the points, squared.
    """
    differences, visible = _masked_differences(y_true, y_pred)
    return _mean(ops.mean(ops.square(differences), axis=-1), visible)


def masked_mean_absolute_loss(y_true, y_pred):
    """Mean of the absolute coordinate errors over the points that are not missing (L1).

    sum_i v_i (|px_i - tx_i| + |py_i - ty_i|) / max(1, 2 sum_i v_i): as
    `keras.losses.MeanAbsoluteError` without the missing points.

    Args, returns and raises as `masked_euclidean_loss`.
    """
    differences, visible = _masked_differences(y_true, y_pred)
    return _mean(ops.mean(ops.abs(differences), axis=-1), visible)


def _masked_differences(y_true, y_pred):
    """Prediction minus truth, (batch, N, 2), 0 at missing points; and the mask, (batch, N)."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if y_true.shape != y_pred.shape or len(y_pred.shape) != 2 or y_pred.shape[-1] % 2:
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape (batch, 2 * points). "
            f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    points = (-1, y_pred.shape[-1] // 2, 2)
    truth, prediction = ops.reshape(y_true, points), ops.reshape(y_pred, points)
    visible = ops.any(ops.not_equal(truth, 0.0), axis=-1)
    # Replaced before the subtraction: whatever a missing point was predicted as, even infinity,
    # then leaves no trace in the gradient.
    prediction = ops.where(visible[..., None], prediction, truth)
    return prediction - truth, ops.cast(visible, y_pred.dtype)


def _lengths(vectors):
    """Euclidean lengths of (..., 2), with a finite gradient at 0 and at any size."""
    # Divided by the larger coordinate before squaring: squares of large numbers overflow. The
    # length does not depend on the divisor, so no gradient has to pass through it.
    largest = ops.stop_gradient(ops.max(ops.abs(vectors), axis=-1))
    moved = largest > 0
    divisor = ops.where(moved, largest, 1.0)
    squared = ops.sum(ops.square(vectors / divisor[..., None]), axis=-1)
    # The root has no finite slope at 0, and `where` alone would multiply it by 0 into NaN.
    return divisor * ops.where(moved, ops.sqrt(ops.where(moved, squared, 1.0)), 0.0)


def _mean(values, visible):
    """Mean of (batch, N) where `visible` is 1; 0 where it is nowhere."""
    return ops.sum(values * visible) / ops.maximum(ops.sum(visible), 1.0)


class _PointLoss(keras.losses.Loss):
    """A loss that is one number for a batch: the mean over its visible points.

    A point counts by being visible, so examples cannot be weighted besides.
    """

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            raise ValueError(
                f"{type(self).__name__} takes no `sample_weight`: every visible point counts "
                "alike. Mark a point as missing by the truth (0, 0)."
            )
        return super().__call__(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_models")
class MaskedEuclideanLoss(_PointLoss):
    """`masked_euclidean_loss` for `keras.Model.compile`."""

    def __init__(self, name="masked_euclidean_loss", **kwargs):
        """Take Keras's own arguments of a loss."""
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """The mean distance over the visible points of the batch, a scalar."""
        return masked_euclidean_loss(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_models")
class MaskedMeanSquaredLoss(_PointLoss):
    """`masked_mean_squared_loss` for `keras.Model.compile`."""

    def __init__(self, name="masked_mean_squared_loss", **kwargs):
        """Take Keras's own arguments of a loss."""
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """The mean squared coordinate error over the visible points of the batch, a scalar."""
        return masked_mean_squared_loss(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_models")
class MaskedMeanAbsoluteLoss(_PointLoss):
    """`masked_mean_absolute_loss` for `keras.Model.compile`."""

    def __init__(self, name="masked_mean_absolute_loss", **kwargs):
        """Take Keras's own arguments of a loss."""
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """The mean absolute coordinate error over the visible points of the batch, a scalar."""
        return masked_mean_absolute_loss(y_true, y_pred)
