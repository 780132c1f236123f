"""How far predicted points lie from the true ones, measured in sizes of the face.

Tensor contract: points are (batch, 2 N), floating point, in the order x00, y00, x01, y01, ..., in
a unit that is the same along x and y, such as pixels; a point whose truth is exactly (0, 0) is
missing. All functions give float tensors of (batch,) or (batch, N); what is not defined is NaN in
results for people and has the weight 0 in the Keras metric.
"""

from __future__ import annotations

import keras
from keras import ops

FAILURE_THRESHOLD = 0.1
"""A face with a larger normalised error counts as a failure: a tenth of the distance of the eyes
(Burgos-Artizzu, Perona & Dollar, "Robust face landmark estimation under occlusion", ICCV 2013)."""


def visible_points(y_true):
    """Which points are not missing: (batch, 2 N) to bool (batch, N)."""
    return ops.any(ops.not_equal(_as_points(y_true), 0.0), axis=-1)


def point_errors(y_true, y_pred):
    """Distance of each predicted point from the true one, (batch, N); 0 at missing points.

    Raises:
        ValueError: the shapes differ.
    """
    prediction = _as_points(y_pred)
    truth = ops.cast(_as_points(y_true), prediction.dtype)
    if truth.shape != prediction.shape:
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape (batch, 2 * points). "
            f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    distances = ops.norm(prediction - truth, axis=-1)
    return ops.where(visible_points(y_true), distances, 0.0)


def inter_ocular_distance(y_true, eye_corners):
    """Distance of the two outer eye corners, (batch,); 0 where one of them is missing.

    Args:
        y_true: (batch, 2 N).
        eye_corners: the numbers of the two points: (36, 45) in the 68-point scheme of iBUG,
            (27, 32) in the 76-point scheme of MUCT.
    """
    truth, (left, right) = _as_points(y_true), eye_corners
    visible = visible_points(y_true)
    distance = ops.norm(truth[:, left] - truth[:, right], axis=-1)
    return ops.where(ops.logical_and(visible[:, left], visible[:, right]), distance, 0.0)


def box_size(y_true):
    """Square root of width times height of the box around the visible points, (batch,).

    It is 0 where fewer than two points span one. Defined for any pose, and where the eyes are
    turned away or missing (Bulat & Tzimiropoulos, "How far are we from solving the 2D & 3D face
    alignment problem?", ICCV 2017, section 3).
    """
    truth = _as_points(y_true)
    visible = visible_points(y_true)[..., None]
    infinity = float("inf")
    lowest = ops.min(ops.where(visible, truth, infinity), axis=1)
    highest = ops.max(ops.where(visible, truth, -infinity), axis=1)
    # With no visible point the two are infinite; their difference would be NaN, not 0.
    sides = ops.where(lowest <= highest, highest, 0.0) - ops.where(lowest <= highest, lowest, 0.0)
    return ops.sqrt(sides[:, 0] * sides[:, 1])


def normalised_errors(y_true, y_pred, sizes):
    """Mean distance of the visible points of each face, divided by the face's size.

    Args:
        y_true: (batch, 2 N).
        y_pred: (batch, 2 N).
        sizes: (batch,), of `inter_ocular_distance` or `box_size`.

    Returns:
        (batch,); NaN where the size is 0, so that no error can be told.
    """
    errors = point_errors(y_true, y_pred)
    counts = ops.sum(ops.cast(visible_points(y_true), errors.dtype), axis=-1)
    sizes = ops.cast(sizes, errors.dtype)
    defined = ops.logical_and(sizes > 0, counts > 0)
    divisor = ops.where(defined, counts * sizes, 1.0)
    return ops.where(defined, ops.sum(errors, axis=-1) / divisor, float("nan"))


def failure_rate(errors, threshold=FAILURE_THRESHOLD):
    """Share of the defined normalised errors (n,) above `threshold`; NaN without any."""
    defined = ops.logical_not(ops.isnan(errors))
    failed = ops.logical_and(defined, errors > threshold)
    count = ops.sum(ops.cast(defined, "float32"))
    failures = ops.sum(ops.cast(failed, "float32"))
    return ops.where(count > 0, failures / ops.maximum(count, 1.0), float("nan"))


def cumulative_distribution(errors, thresholds):
    """Share of the defined normalised errors (n,) at most at each threshold (k,), float32 (k,).

    The curve of all of 300-W: at 0.1 it is 1 minus the failure rate.
    """
    defined = ops.logical_not(ops.isnan(errors))
    within = ops.logical_and(
        defined[None], errors[None] <= ops.convert_to_tensor(thresholds)[:, None]
    )
    count = ops.maximum(ops.sum(ops.cast(defined, "float32")), 1.0)
    return ops.sum(ops.cast(within, "float32"), axis=-1) / count


def _as_points(flat):
    """(batch, 2 N) as (batch, N, 2)."""
    flat = ops.convert_to_tensor(flat)
    return ops.reshape(flat, (-1, flat.shape[-1] // 2, 2))


@keras.saving.register_keras_serializable(package="keras_models")
class NormalisedMeanError(keras.metrics.Mean):
    """Mean over faces of the mean distance of their visible points in sizes of the face.

    A face without a size, because an eye corner is missing or fewer than two points are visible,
    is left out of the mean.

    Args:
        image_size: height and width that the coordinates, in [0, 1], are shares of.
        eye_corners: the two points whose distance is the size (`inter_ocular_distance`); None
            takes the box of the visible points (`box_size`).
    """

    def __init__(self, image_size, eye_corners=None, name="normalised_mean_error", **kwargs):
        """Keep what turns coordinates into sizes of the face."""
        super().__init__(name=name, **kwargs)
        self.image_size = tuple(int(side) for side in image_size)
        self.eye_corners = None if eye_corners is None else tuple(int(i) for i in eye_corners)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add the faces of a batch; y_true and y_pred (batch, 2 N), coordinates in [0, 1]."""
        height, width = self.image_size
        scale = ops.tile(
            ops.convert_to_tensor([width, height], self.dtype), [y_pred.shape[-1] // 2]
        )
        truth = ops.cast(y_true, self.dtype) * scale
        errors = normalised_errors(truth, ops.cast(y_pred, self.dtype) * scale, self._sizes(truth))
        defined = ops.logical_not(ops.isnan(errors))
        weight = ops.cast(defined, self.dtype)
        if sample_weight is not None:
            weight = weight * ops.reshape(ops.cast(sample_weight, self.dtype), (-1,))
        return super().update_state(ops.where(defined, errors, 0.0), weight)

    def _sizes(self, truth):
        if self.eye_corners is None:
            return box_size(truth)
        return inter_ocular_distance(truth, self.eye_corners)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "eye_corners": self.eye_corners,
        }
