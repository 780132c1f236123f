"""Losses for a class at every pixel, where some pixels are void: of no class, and not counted.

Tensor contract: the truth is class ids, (batch, height, width) or (batch, height, width, 1), of any
dtype, where an id that is no class (outside [0, classes)) is void; or one-hot, (batch, height,
width, classes), where a pixel of zeros is void. The prediction is probabilities, floating point,
(batch, height, width, classes). What was predicted for a void pixel leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import ops

FOCUS = 2.0
"""Exponent of the focal loss that Lin et al. found best (table 1b)."""

# The logarithm of 0 is replaced by that of this number, so that its slope stays finite in float32.
# It lies far below every probability that a softmax still learns from: near 0 the slope 1 / p of
# the logarithm meets the slope p of the softmax.
_TINY = 1e-30
# One pixel: a class of few pixels is then not all or nothing.
_SMOOTHING = 1.0


class _Pixels(NamedTuple):
    """The n pixels of a batch in a row.

    Attributes:
        truth: one-hot, (n, classes); zeros where void.
        prediction: (n, classes), as it was given.
        probability: of the true class, (n,); 1 where void.
        valid: (n,), 1 where there is a class, else 0.
    """

    truth: keras.KerasTensor
    prediction: keras.KerasTensor
    probability: keras.KerasTensor
    valid: keras.KerasTensor


def cross_entropy_loss(y_true, y_pred, class_weights: Sequence[float] | None = None):
    """Mean of -log p of the true class over the pixels that are not void, weighted by class.

    sum_i w_i (-log p_i) / sum_i w_i, where i runs over the pixels of the whole batch, p_i is the
    probability of pixel i's true class, and w_i the weight of that class, 0 where void.

    Args:
        y_true: class ids or one-hot; see the head of this module.
        y_pred: probabilities, (batch, height, width, classes).
        class_weights: one number per class, at least 0; None weighs all alike.

    Returns:
        A scalar in nats; 0 where all pixels are void.

    Raises:
        ValueError: the shapes do not fit together.
    """
    return _focal(_pixels(y_true, y_pred), class_weights, 0.0)


def focal_loss(y_true, y_pred, class_weights: Sequence[float] | None = None, focus: float = FOCUS):
    """Cross-entropy in which pixels that are nearly right count little.

    sum_i w_i (1 - p_i)^focus (-log p_i) / sum_i w_i: Lin et al., "Focal Loss for Dense Object
    Detection", ICCV 2017, equation 5, averaged as `cross_entropy_loss`, which it is at focus 0.

    Args, returns and raises as there; `focus` is the exponent, at least 0.
    """
    return _focal(_pixels(y_true, y_pred), class_weights, focus)


def soft_dice_loss(y_true, y_pred):
    """1 minus the Dice score of probabilities, averaged over the classes that are in the truth.

    Of class c: 1 - (2 sum_i p_ic t_ic + 1) / (sum_i p_ic + sum_i t_ic + 1), over the pixels of the
    whole batch that are not void: Milletari, Navab, Ahmadi, "V-Net", 3DV 2016, section 3, for
    several classes and without squares. A small class counts as much as a large one, as it does
    in mean IoU.

    Args:
        y_true: class ids or one-hot; see the head of this module.
        y_pred: probabilities, (batch, height, width, classes).

    Returns:
        A scalar in [0, 1]; 0 where all pixels are void.

    Raises:
        ValueError: the shapes do not fit together.
    """
    return _dice(_pixels(y_true, y_pred))


def _pixels(y_true, y_pred) -> _Pixels:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    expected, received = tuple(y_pred.shape), tuple(y_true.shape)
    if len(expected) != 4 or received not in (expected, expected[:-1], (*expected[:-1], 1)):
        raise ValueError(
            "`y_true` must be class ids (batch, height, width) or one-hot with the shape of "
            "`y_pred`, which is (batch, height, width, classes). "
            f"Received: y_true.shape={received}, y_pred.shape={expected}"
        )
    count = expected[-1]
    prediction = ops.reshape(y_pred, (-1, count))
    if received == expected:
        truth = ops.cast(ops.reshape(y_true, (-1, count)), y_pred.dtype)
        known = ops.any(ops.not_equal(truth, 0), axis=-1)
    else:
        ids = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        known = ops.logical_and(ids >= 0, ids < count)
        # Of all numbers that are no class, all back ends make zeros of a negative one.
        truth = ops.one_hot(ops.where(known, ids, -1), count, dtype=y_pred.dtype)
    # Not a product with 0, which would keep what is not a number.
    prediction = ops.where(known[:, None], prediction, 0.0)
    probability = ops.where(known, ops.sum(truth * prediction, axis=-1), 1.0)
    return _Pixels(truth, prediction, probability, ops.cast(known, y_pred.dtype))


def _focal(pixels: _Pixels, class_weights: Sequence[float] | None, focus: float):
    # Rounding leaves a probability a little outside of [0, 1] now and then.
    losses = -ops.log(ops.maximum(pixels.probability, 0.0) + _TINY)
    if focus:
        # A root has no finite slope at 0; where a pixel is right, its factor may as well be fixed.
        losses = losses * ops.power(ops.maximum(1.0 - pixels.probability, 1e-7), focus)
    weights = pixels.valid
    if class_weights is not None:
        weights = ops.matmul(pixels.truth, _as_weights(class_weights, pixels.truth))
    total = ops.sum(weights)
    return ops.sum(weights * losses) / ops.where(total > 0, total, 1.0)


def _as_weights(class_weights: Sequence[float], truth):
    weights = ops.convert_to_tensor(class_weights, truth.dtype)
    if tuple(weights.shape) != (truth.shape[-1],):
        raise ValueError(
            f"`class_weights` must be one per class, {truth.shape[-1]}. Received: {class_weights}"
        )
    return weights


def _dice(pixels: _Pixels):
    # As products of matrices, for which every back end is at its fastest.
    shared = ops.matmul(pixels.probability * pixels.valid, pixels.truth)
    true = ops.matmul(pixels.valid, pixels.truth)
    predicted = ops.matmul(pixels.valid, pixels.prediction)
    scores = (2.0 * shared + _SMOOTHING) / (true + predicted + _SMOOTHING)
    present = ops.cast(true > 0, scores.dtype)
    return ops.sum(present * (1.0 - scores)) / ops.maximum(ops.sum(present), 1.0)


@keras.saving.register_keras_serializable(package="keras_models")
class SegmentationLoss(keras.losses.Loss):
    """The three losses of this module, each times a factor, added.

    It is one number for a batch, so examples cannot be weighted besides.

    Args:
        cross_entropy: factor of `cross_entropy_loss`.
        focal: factor of `focal_loss`.
        dice: factor of `soft_dice_loss`.
        class_weights: of the first two: one number per class; None weighs all alike.
        focus: exponent of the focal loss.

    Raises:
        ValueError: a number is negative, or all factors are 0.
    """

    def __init__(
        self,
        cross_entropy: float = 1.0,
        focal: float = 0.0,
        dice: float = 0.0,
        class_weights: Sequence[float] | None = None,
        focus: float = FOCUS,
        name: str = "segmentation_loss",
        **kwargs,
    ):
        """Check and keep the arguments."""
        super().__init__(name=name, **kwargs)
        self.factors = {"cross_entropy": cross_entropy, "focal": focal, "dice": dice}
        self.class_weights = None if class_weights is None else tuple(map(float, class_weights))
        self.focus = focus
        if min(*self.factors.values(), focus, *(self.class_weights or ())) < 0:
            raise ValueError(
                "Factors, class weights and focus must be at least 0. "
                f"Received: {self.factors}, {class_weights=}, {focus=}"
            )
        if not any(self.factors.values()):
            raise ValueError(f"One factor must be above 0. Received: {self.factors}")

    def __call__(self, y_true, y_pred, sample_weight=None):
        """As Keras's own, without weights of examples."""
        if sample_weight is not None:
            raise ValueError(
                "SegmentationLoss takes no `sample_weight`: every pixel counts by its class. Mark "
                "a pixel as void by an id that is no class."
            )
        return super().__call__(y_true, y_pred)

    def call(self, y_true, y_pred):
        """The sum of those losses whose factor is above 0, a scalar."""
        pixels = _pixels(y_true, y_pred)
        parts = {
            "cross_entropy": lambda: _focal(pixels, self.class_weights, 0.0),
            "focal": lambda: _focal(pixels, self.class_weights, self.focus),
            "dice": lambda: _dice(pixels),
        }
        return sum(factor * parts[name]() for name, factor in self.factors.items() if factor)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            **self.factors,
            "class_weights": self.class_weights,
            "focus": self.focus,
        }
