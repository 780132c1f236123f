"""Losses between maps of where people look.

Tensor contract: truth and prediction are (batch, height, width, 1), floating point; a loss
function gives (batch,), a value a picture. The paper of the deep and the shallow network (Pan et
al. 2016) trains by the mean squared error, `keras.losses.MeanSquaredError`.
"""

from __future__ import annotations

import keras
from keras import ops

from keras_models.metrics.saliency import as_distributions, map_correlation

EPSILON = 1e-7
"""Added to every place of the prediction, whose sum is then made 1 again. The metric's 2e-16 would
let a prediction of 0 where somebody looked have a gradient of 10^15, which ends a training."""


def divergence_loss(y_true, y_pred):
    """KL of the true distribution Q from the predicted one P, at least 0, in nats.

        KL = sum_i Q_i log(Q_i / P'_i),   P' = (P + epsilon) / (1 + places * epsilon)

    For a prediction that is a softmax over places it is, but for the entropy of the truth, the
    negative logarithm of the fixations' likelihood. Scales do not matter: both maps are divided by
    their sums, what is below 0 counts as 0, and a map of zeros is uniform.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = as_distributions(y_true, y_pred)
    smoothed = (prediction + EPSILON) / (1 + prediction.shape[-1] * EPSILON)
    # Where nobody looked the term is 0; its logarithm must not be taken.
    looked = truth > 0
    ratio = ops.where(looked, truth, 1.0) / ops.where(looked, smoothed, 1.0)
    return ops.sum(truth * ops.log(ratio), axis=-1)


def correlation_loss(y_true, y_pred):
    """1 - CC, in [0, 2]; 1, with gradient 0, where one of the maps is flat.

    Raises:
        ValueError: the shapes differ.
    """
    return 1.0 - map_correlation(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_models")
class DivergenceLoss(keras.losses.Loss):
    """`divergence_loss` for `keras.Model.compile`."""

    def __init__(self, name="divergence_loss", **kwargs):
        """Take Keras's own arguments of a loss."""
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """The divergence of each picture, (batch,)."""
        return divergence_loss(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_models")
class CorrelationLoss(keras.losses.Loss):
    """`correlation_loss` for `keras.Model.compile`."""

    def __init__(self, name="correlation_loss", **kwargs):
        """Take Keras's own arguments of a loss."""
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """1 - CC of each picture, (batch,)."""
        return correlation_loss(y_true, y_pred)
