"""Losses for maps of depth of which parts are unknown.

Tensor contract: maps are (batch, height, width, 1), floating point; a mask is bool, of the same
shape, true where the truth is known. What lies outside of the mask has no part in any value or
gradient, whatever is predicted or stored there. All three terms are those of Alhashim & Wonka,
"High Quality Monocular Depth Estimation via Transfer Learning", arXiv 1812.11941 (2018), section
3.2, equations 1 to 4.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from keras_models.depth_quantity import known_depth, quantity_limits, to_quantity

WINDOW_SIGMA = 1.5
"""Of the Gaussian window of SSIM, pixels (Wang et al. 2004, section III.B)."""
WINDOW_RADIUS = 5
"""The window has 11 x 11 pixels (Wang et al. 2004, section III.B)."""
_K1, _K2 = 0.01, 0.03
# Values beyond so many ranges are cut off, so that their fourth powers stay within float32.
_LARGEST = 1e4


def depth_l1_loss(y_true, y_pred, mask):
    """Mean absolute difference of the known pixels: sum_i m_i |p_i - t_i| / max(1, sum_i m_i).

    Args:
        y_true: (batch, height, width, 1).
        y_pred: of the same shape.
        mask: bool, of the same shape.

    Returns:
        A scalar in the unit of the maps, over the pixels of the whole batch; 0 where all are
        unknown.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = _masked(y_true, y_pred, mask)
    return _mean(ops.abs(prediction - truth), mask)


def depth_gradient_loss(y_true, y_pred, mask):
    """How far the slopes differ: mean over down and mean over right of |dp_i - dt_i|, added.

    dp_i is the next pixel minus this one; it counts where both are known.

    Args, returns and raises as `depth_l1_loss`; in the unit of the maps, per pixel.
    """
    truth, prediction = _masked(y_true, y_pred, mask)
    error = prediction - truth
    down = ops.abs(error[:, 1:] - error[:, :-1])
    right = ops.abs(error[:, :, 1:] - error[:, :, :-1])
    both_down = ops.logical_and(mask[:, 1:], mask[:, :-1])
    both_right = ops.logical_and(mask[:, :, 1:], mask[:, :, :-1])
    return _mean(down, both_down) + _mean(right, both_right)


def depth_ssim_loss(y_true, y_pred, mask, data_range):
    """Mean of (1 - SSIM) / 2 over the known pixels with a whole window around them, in [0, 1].

    Args, returns and raises as `depth_l1_loss`; see `structural_similarity`.
    """
    similarity = structural_similarity(y_true, y_pred, mask, data_range)
    return _mean((1.0 - similarity) / 2.0, _middle(mask))


def structural_similarity(y_true, y_pred, mask, data_range):
    """SSIM of each pixel that has a whole window around it (Wang et al. 2004, equation 13).

    (2 a b + C1) (2 cov + C2) / ((a^2 + b^2 + C1) (va + vb + C2)), where a, b, va, vb and cov are
    means, variances and covariance in a Gaussian window, C1 = (0.01 R)^2, C2 = (0.03 R)^2 and R is
    the range. In a window with unknown pixels the weights of the known ones are divided by their
    sum. Equal to `skimage.metrics.structural_similarity` with its options `gaussian_weights=True,
    sigma=1.5, use_sample_covariance=False`.

    Args:
        y_true: (batch, height, width, 1), height and width at least 11.
        y_pred: of the same shape.
        mask: bool, of the same shape.
        data_range: R, the distance between the smallest and the largest possible value.

    Returns:
        (batch, height - 10, width - 10, 1), at most 1; without a meaning where the pixel itself is
        unknown.

    Raises:
        ValueError: the shapes differ, or the maps are smaller than the window.
    """
    truth, prediction = _masked(y_true, y_pred, mask)
    if min(truth.shape[1:3]) < 2 * WINDOW_RADIUS + 1:
        raise ValueError(
            f"SSIM needs maps of at least {2 * WINDOW_RADIUS + 1} x {2 * WINDOW_RADIUS + 1} "
            f"pixels. Received: y_true.shape={tuple(truth.shape)}"
        )
    truth, prediction = (
        ops.clip(values / data_range, -_LARGEST, _LARGEST) for values in (truth, prediction)
    )
    weight = ops.cast(mask, prediction.dtype)
    # A variance is the small difference of two squares: less so around the middle of the values.
    middle = ops.sum(truth * weight, axis=(1, 2, 3), keepdims=True) / ops.maximum(
        ops.sum(weight, axis=(1, 2, 3), keepdims=True), 1.0
    )
    a, b = (truth - middle) * weight, (prediction - middle) * weight
    parts = _windowed(ops.concatenate([weight, a, b, a * a, b * b, a * b], axis=0))
    total, *sums = ops.split(parts, 6, axis=0)
    total = ops.where(total > 0, total, 1.0)
    mean_a, mean_b, square_a, square_b, product = (part / total for part in sums)
    variances = ops.relu(square_a - mean_a**2) + ops.relu(square_b - mean_b**2)
    # Twice a covariance is never more than the two variances; rounding would make it more.
    covariance = ops.maximum(product - mean_a * mean_b, -variances / 2)
    covariance = ops.minimum(covariance, variances / 2)
    mean_a, mean_b = mean_a + middle, mean_b + middle
    luminance = (2 * mean_a * mean_b + _K1**2) / (mean_a**2 + mean_b**2 + _K1**2)
    return luminance * (2 * covariance + _K2**2) / (variances + _K2**2)


def depth_loss(
    y_true,
    y_pred,
    quantity="inverse",
    depth_range=(0.1, 10.0),
    term_weights=(0.1, 1.0, 1.0),
):
    """w1 L1 + w2 gradient + w3 (1 - SSIM) / 2 of the quantity that is learnt.

    Args:
        y_true: depth, metres, (batch, height, width, 1); 0 is unknown. Beyond the range it counts
            as the end of the range.
        y_pred: depth, metres, of the same shape.
        quantity: in which the terms are measured, see `depth_quantity.to_quantity`.
        depth_range: smallest and largest depth, metres; R of SSIM is the distance of the two as
            the quantity.
        term_weights: w1, w2, w3; the paper's are 0.1, 1, 1, with depth inverse.

    Returns:
        A scalar; 0 where everything is unknown.

    Raises:
        ValueError: the shapes differ, or there is no such quantity.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    _require_maps(y_true, y_pred)
    mask = known_depth(y_true)
    minimum, maximum = depth_range
    # Replaced before the logarithm and the division, which know no 0.
    truth = ops.clip(ops.where(mask, y_true, maximum), minimum, maximum)
    prediction = ops.clip(ops.where(mask, y_pred, truth), minimum, maximum)
    truth = to_quantity(truth, quantity, maximum)
    prediction = to_quantity(prediction, quantity, maximum)
    low, high = quantity_limits(quantity, minimum, maximum)
    l1, gradient, ssim = term_weights
    loss = l1 * depth_l1_loss(truth, prediction, mask)
    if gradient:
        loss = loss + gradient * depth_gradient_loss(truth, prediction, mask)
    if ssim:
        loss = loss + ssim * depth_ssim_loss(truth, prediction, mask, high - low)
    return loss


def _masked(y_true, y_pred, mask):
    """Truth and prediction in one dtype, both 0 outside of the mask."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    _require_maps(y_true, y_pred, mask)
    zero = ops.zeros_like(y_pred)
    return ops.where(mask, y_true, zero), ops.where(mask, y_pred, zero)


def _require_maps(*maps):
    """Nothing is broadcast in silence."""
    shapes = [tuple(values.shape) for values in maps]
    if len(set(shapes)) > 1 or len(shapes[0]) != 4:
        raise ValueError(
            "Truth, prediction and mask must have the same shape (batch, height, width, 1). "
            f"Received: {', '.join(map(str, shapes))}"
        )


def _mean(values, mask):
    """Mean of the values inside of the mask; 0 where it is empty."""
    weight = ops.cast(mask, values.dtype)
    return ops.sum(values * weight) / ops.maximum(ops.sum(weight), 1.0)


def _middle(maps):
    """Maps without the pixels whose window would reach over the edge."""
    inner = slice(WINDOW_RADIUS, -WINDOW_RADIUS)
    return maps[:, inner, inner]


def _windowed(maps):
    """Weighted sums of (n, height, width, 1) in every whole Gaussian window."""
    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    weights = np.exp(-(offsets**2) / (2 * WINDOW_SIGMA**2))
    kernel = ops.cast(ops.convert_to_tensor(weights / weights.sum()), maps.dtype)
    # A Gaussian is the product of one down and one across.
    maps = ops.conv(maps, ops.reshape(kernel, (-1, 1, 1, 1)), data_format="channels_last")
    return ops.conv(maps, ops.reshape(kernel, (1, -1, 1, 1)), data_format="channels_last")


@keras.saving.register_keras_serializable(package="keras_models")
class DepthLoss(keras.losses.Loss):
    """`depth_loss` for `keras.Model.compile`.

    A pixel counts by being known, so examples cannot be weighted besides.
    """

    def __init__(
        self,
        quantity="inverse",
        depth_range=(0.1, 10.0),
        term_weights=(0.1, 1.0, 1.0),
        name="depth_loss",
        **kwargs,
    ):
        """Keep the arguments of `depth_loss`."""
        super().__init__(name=name, **kwargs)
        self.quantity = quantity
        self.depth_range = tuple(depth_range)
        self.term_weights = tuple(term_weights)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The loss of a batch, a scalar."""
        if sample_weight is not None:
            raise ValueError(
                "DepthLoss takes no `sample_weight`: every known pixel counts alike. Mark a pixel "
                "as unknown by the truth 0."
            )
        return super().__call__(y_true, y_pred)

    def call(self, y_true, y_pred):
        """The loss of a batch, a scalar."""
        return depth_loss(y_true, y_pred, self.quantity, self.depth_range, self.term_weights)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "quantity": self.quantity,
            "depth_range": self.depth_range,
            "term_weights": self.term_weights,
        }
