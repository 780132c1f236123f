"""How alike two maps of where people look are: CC, SIM and KL.

Z. Bylinskii, T. Judd, A. Oliva, A. Torralba, F. Durand, "What Do Different Evaluation Metrics Tell
Us About Saliency Models?", IEEE TPAMI 2019, section 4.

Tensor contract: truth and prediction are (batch, height, width, 1), floating point; all functions
give (batch,), float32. Neither needs a scale: CC is the same for any brightness and contrast of a
map, and SIM and KL make both to distributions first. Every result is finite for finite maps.
"""

from __future__ import annotations

import keras
from keras import ops

MATLAB_EPSILON = 2.220446049250313e-16
"""What Bylinskii et al. add before they divide and take logarithms (their `KLdiv.m`)."""

# Deviations below this share of a map's largest value are rounding: the map is flat.
_FLAT = 1e-6


def as_distribution(maps):
    """Maps as distributions over the places of each picture, (batch, places), sum 1.

    What is below 0 counts as 0; a map without a positive value becomes the uniform distribution.
    """
    flat = _flat(maps)
    positive = ops.maximum(flat, 0.0)
    # Divided by the largest first: the sum of large numbers overflows.
    largest = ops.stop_gradient(ops.max(positive, axis=-1, keepdims=True))
    known = largest > 0
    shares = ops.where(known, positive / ops.where(known, largest, 1.0), 1.0)
    return shares / ops.sum(shares, axis=-1, keepdims=True)


def as_distributions(y_true, y_pred):
    """Both maps `as_distribution`.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = _same_shape(y_true, y_pred)
    return as_distribution(truth), as_distribution(prediction)


def map_correlation(y_true, y_pred):
    """CC: Pearson's correlation of the two maps of each picture, in [-1, 1]; 0 for a flat map.

        CC = cov(P, Q) / (sigma(P) sigma(Q))

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = (_centred(maps) for maps in _same_shape(y_true, y_pred))
    varies = ops.logical_and(_varies(truth), _varies(prediction))
    # Replaced before the root, whose slope at 0 is infinite.
    squared = ops.sum(ops.square(truth), axis=-1) * ops.sum(ops.square(prediction), axis=-1)
    norm = ops.sqrt(ops.where(varies, squared, 1.0))
    return ops.where(varies, ops.sum(truth * prediction, axis=-1) / norm, 0.0)


def map_similarity(y_true, y_pred):
    """SIM: the part that the two distributions have in common, in [0, 1].

        SIM = sum_i min(P_i, Q_i)

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = as_distributions(y_true, y_pred)
    return ops.sum(ops.minimum(truth, prediction), axis=-1)


def map_divergence(y_true, y_pred):
    """KL: information lost where the prediction P stands for the truth Q, in nats; 0 where equal.

        KL = sum_i Q_i log(epsilon + Q_i / (epsilon + P_i)),   epsilon = `MATLAB_EPSILON`

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = as_distributions(y_true, y_pred)
    return ops.sum(truth * ops.log(MATLAB_EPSILON + truth / (MATLAB_EPSILON + prediction)), axis=-1)


def _same_shape(y_true, y_pred):
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if y_true.shape != y_pred.shape or len(y_pred.shape) != 4 or y_pred.shape[-1] != 1:
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape (batch, height, width, 1). "
            f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    return y_true, y_pred


def _flat(maps):
    """(batch, height, width, 1) as (batch, places), float32."""
    maps = ops.cast(maps, "float32")
    return ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2]))


def _centred(maps):
    """Deviations from the mean in units of the largest absolute value, (batch, places)."""
    flat = _flat(maps)
    largest = ops.stop_gradient(ops.max(ops.abs(flat), axis=-1, keepdims=True))
    shares = flat / ops.where(largest > 0, largest, 1.0)
    return shares - ops.mean(shares, axis=-1, keepdims=True)


def _varies(deviations):
    return ops.max(ops.abs(deviations), axis=-1) > _FLAT


class _MapMean(keras.metrics.Mean):
    """Mean over pictures of a comparison of two maps."""

    compare = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add the pictures of a batch; y_true and y_pred (batch, height, width, 1)."""
        values = type(self).compare(y_true, y_pred)
        if sample_weight is not None:
            sample_weight = ops.reshape(ops.cast(sample_weight, self.dtype), (-1,))
        return super().update_state(values, sample_weight)


@keras.saving.register_keras_serializable(package="keras_models")
class MapCorrelation(_MapMean):
    """Mean over pictures of `map_correlation`; 0 without a picture."""

    compare = staticmethod(map_correlation)

    def __init__(self, name="cc", **kwargs):
        """Take Keras's own arguments of a metric."""
        super().__init__(name=name, **kwargs)


@keras.saving.register_keras_serializable(package="keras_models")
class MapSimilarity(_MapMean):
    """Mean over pictures of `map_similarity`; 0 without a picture."""

    compare = staticmethod(map_similarity)

    def __init__(self, name="sim", **kwargs):
        """Take Keras's own arguments of a metric."""
        super().__init__(name=name, **kwargs)


@keras.saving.register_keras_serializable(package="keras_models")
class MapDivergence(_MapMean):
    """Mean over pictures of `map_divergence`; 0 without a picture."""

    compare = staticmethod(map_divergence)

    def __init__(self, name="kl", **kwargs):
        """Take Keras's own arguments of a metric."""
        super().__init__(name=name, **kwargs)
