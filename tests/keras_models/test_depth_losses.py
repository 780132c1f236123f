"""The three terms of the depth loss against scikit-image, NumPy and hands; their gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from keras_models import depth_quantity
from keras_models.losses import depth

tf = pytest.importorskip("tensorflow", reason="gradients are taken with TensorFlow")
metrics = pytest.importorskip("skimage.metrics", reason="the independent SSIM")


def maps(seed: int = 0, shape=(2, 20, 24, 1), low: float = 0.5, high: float = 9.0):
    """A smooth truth and a noisy prediction of it, metres."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[1], : shape[2]]
    truth = 3 + 2 * np.sin(rows / 5)[None, ..., None] * np.cos(columns / 7)[None, ..., None]
    truth = np.clip(truth + random.normal(0, 0.1, shape), low, high).astype(np.float32)
    prediction = np.clip(truth + random.normal(0, 0.5, shape), low, high).astype(np.float32)
    return truth, prediction


def everywhere(truth):
    return ops.convert_to_tensor(np.ones(truth.shape, bool))


def gradient(function, prediction):
    variable = tf.Variable(prediction)
    with tf.GradientTape() as tape:
        value = function(variable)
    return float(value), tape.gradient(value, variable).numpy()


def test_l1_by_hand():
    truth = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    prediction = np.array([2.0, 2.0, 1.0, 99.0]).reshape(1, 2, 2, 1)
    mask = np.array([True, True, True, False]).reshape(1, 2, 2, 1)
    assert float(depth.depth_l1_loss(truth, prediction, mask)) == pytest.approx((1 + 0 + 2) / 3)


def test_gradient_by_hand():
    """Errors 0 1 / 3 7: down 3 and 6, right 1 and 4; the last pixel unknown leaves 3 and 1."""
    truth = np.zeros((1, 2, 2, 1), np.float32)
    prediction = np.array([0.0, 1.0, 3.0, 7.0], np.float32).reshape(1, 2, 2, 1)
    whole = np.ones((1, 2, 2, 1), bool)
    assert float(depth.depth_gradient_loss(truth, prediction, whole)) == pytest.approx(4.5 + 2.5)
    part = whole.copy()
    part[0, 1, 1] = False
    assert float(depth.depth_gradient_loss(truth, prediction, part)) == pytest.approx(3 + 1)


def test_a_constant_offset_has_no_gradient_loss():
    truth, _ = maps()
    assert float(depth.depth_gradient_loss(truth, truth + 2, everywhere(truth))) < 1e-6


@pytest.mark.parametrize(("seed", "data_range"), [(0, 10.0), (1, 2.5), (2, 100.0)])
def test_ssim_is_that_of_scikit_image(seed, data_range):
    truth, prediction = maps(seed)
    mine = depth.structural_similarity(truth, prediction, everywhere(truth), data_range)
    for k in range(len(truth)):
        mean, whole = metrics.structural_similarity(
            truth[k, ..., 0].astype(np.float64),
            prediction[k, ..., 0].astype(np.float64),
            data_range=data_range,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        found = ops.convert_to_numpy(mine[k, ..., 0])
        np.testing.assert_allclose(found, whole[5:-5, 5:-5], atol=2e-5)
        assert found.mean() == pytest.approx(mean, abs=1e-5)


def test_ssim_in_a_window_with_unknown_pixels_by_brute_force():
    truth, prediction = maps(shape=(1, 13, 14, 1))
    mask = np.random.default_rng(3).random(truth.shape) < 0.6
    mine = ops.convert_to_numpy(depth.structural_similarity(truth, prediction, mask, 10.0))
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    for row, column in [(0, 0), (1, 3), (2, 2)]:
        inside = slice(row, row + 11), slice(column, column + 11)
        weight = np.outer(line, line) * mask[0, :, :, 0][inside]
        weight = weight / weight.sum()
        a, b = (m[0, :, :, 0][inside].astype(np.float64) for m in (truth, prediction))
        mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
        va, vb = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
        cov = (weight * (a - mean_a) * (b - mean_b)).sum()
        c1, c2 = 0.1**2, 0.3**2
        expected = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
        expected /= (mean_a**2 + mean_b**2 + c1) * (va + vb + c2)
        assert mine[0, row, column, 0] == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("stored", [0.0, np.nan, np.inf, 1e30])
@pytest.mark.parametrize("said", [0.0, -5.0, np.nan, np.inf])
def test_what_is_outside_of_the_mask_counts_nowhere(stored, said):
    truth, prediction = maps()
    mask = np.ones(truth.shape, bool)
    mask[:, 6:9, 5:12] = False
    terms = (
        depth.depth_l1_loss,
        depth.depth_gradient_loss,
        lambda *three: depth.depth_ssim_loss(*three, 10.0),
    )
    for term in terms:
        value, slope = gradient(lambda p, term=term: term(truth, p, mask), prediction)
        other_truth, other = truth.copy(), prediction.copy()
        other_truth[~mask], other[~mask] = stored, said
        value2, slope2 = gradient(lambda p, term=term: term(other_truth, p, mask), other)  # noqa: B023
        assert value2 == pytest.approx(value, rel=1e-5)
        np.testing.assert_allclose(slope2, slope, atol=1e-7)
        assert not slope[~mask].any()


@pytest.mark.parametrize("quantity", depth_quantity.QUANTITIES)
@pytest.mark.parametrize("case", ["plain", "perfect", "unknown", "one", "far", "flat"])
def test_value_and_gradient_are_finite(quantity, case):
    truth, prediction = maps()
    if case == "perfect":
        prediction = truth.copy()
    elif case == "unknown":
        truth = np.zeros_like(truth)
    elif case == "one":
        kept = truth[0, 10, 10, 0]
        truth = np.zeros_like(truth)
        truth[0, 10, 10, 0] = kept
    elif case == "far":
        prediction = np.where(prediction > 3, np.float32(1e30), np.float32(-1e30))
    elif case == "flat":
        truth, prediction = np.full_like(truth, 2), np.full_like(truth, 2)
    loss = depth.DepthLoss(quantity)
    value, slope = gradient(lambda p: loss(truth, p), prediction)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    if case in ("perfect", "flat"):
        assert value == pytest.approx(0, abs=1e-5)
    if case == "unknown":
        assert value == 0
        assert not slope.any()


def test_extreme_maps_leave_ssim_within_its_bounds():
    truth, prediction = maps()
    for scale in (1e3, 1e8, 1e30):
        value, slope = gradient(
            lambda p, s=scale: depth.depth_ssim_loss(
                truth * np.float32(s), p * np.float32(s), everywhere(truth), 1.0
            ),
            prediction,
        )
        assert -1e-6 <= value <= 1
        assert np.isfinite(slope).all()


def test_the_loss_is_the_weighted_sum_in_the_quantity():
    truth, prediction = maps()
    truth[:, 3:5, 4:9] = 0
    mask = truth > 0
    inner_truth, inner = 10 / np.where(mask, truth, 10), 10 / prediction
    expected = (
        0.1 * depth.depth_l1_loss(inner_truth, inner, mask)
        + depth.depth_gradient_loss(inner_truth, inner, mask)
        + depth.depth_ssim_loss(inner_truth, inner, mask, 99.0)
    )
    assert float(depth.depth_loss(truth, prediction)) == pytest.approx(float(expected), rel=1e-4)
    only = depth.depth_loss(truth, prediction, "log", (0.1, 10.0), (1.0, 0.0, 0.0))
    by_hand = np.abs(np.log(prediction[mask]) - np.log(truth[mask])).mean()
    assert float(only) == pytest.approx(by_hand, rel=1e-4)


def test_a_step_against_the_gradient_lowers_the_loss():
    truth, prediction = maps()
    for quantity in depth_quantity.QUANTITIES:
        value, slope = gradient(lambda p, q=quantity: depth.depth_loss(truth, p, q), prediction)
        stepped = prediction - 0.01 * slope / np.abs(slope).max()
        assert float(depth.depth_loss(truth, stepped, quantity)) < value


def test_nothing_is_broadcast_and_small_maps_are_refused():
    truth, prediction = maps()
    with pytest.raises(ValueError, match="same shape"):
        depth.depth_loss(truth[:1], prediction)
    with pytest.raises(ValueError, match="same shape"):
        depth.depth_l1_loss(truth, prediction, everywhere(truth)[:1])
    with pytest.raises(ValueError, match="at least 11 x 11"):
        depth.depth_ssim_loss(truth[:, :8], prediction[:, :8], everywhere(truth)[:, :8], 1.0)
    with pytest.raises(ValueError, match="sample_weight"):
        depth.DepthLoss()(truth, prediction, sample_weight=np.ones(2))


def test_the_registered_class_comes_back_from_its_configuration():
    truth, prediction = maps()
    loss = depth.DepthLoss("log", (0.5, 20.0), (1.0, 0.5, 0.25))
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(truth, prediction)) == pytest.approx(float(loss(truth, prediction)))


@pytest.mark.parametrize("quantity", depth_quantity.QUANTITIES)
def test_a_quantity_and_back(quantity):
    metres = np.array([0.1, 1.0, 3.3, 10.0], np.float32)
    there = depth_quantity.to_quantity(ops.convert_to_tensor(metres), quantity, 10.0)
    low, high = depth_quantity.quantity_limits(quantity, 0.1, 10.0)
    assert float(ops.min(there)) == pytest.approx(low, rel=1e-5)
    assert float(ops.max(there)) == pytest.approx(high, rel=1e-5)
    back = depth_quantity.to_depth(there, quantity, 10.0)
    np.testing.assert_allclose(ops.convert_to_numpy(back), metres, rtol=1e-5)


@pytest.mark.parametrize("quantity", depth_quantity.QUANTITIES)
def test_any_number_becomes_a_depth_in_its_bounds(quantity):
    layer = depth_quantity.BoundedDepth(quantity, 0.5, 8.0)
    numbers = np.array([-1e3, -3.0, 0.0, 3.0, 1e3], np.float32)
    metres = ops.convert_to_numpy(layer(numbers))
    assert 0.5 <= metres.min() == pytest.approx(0.5, rel=1e-2)
    assert 8.0 >= metres.max() == pytest.approx(8.0, rel=1e-2)
    expected = {"metres": 4.25, "inverse": 8 / 8.5, "log": 2.0}[quantity]
    assert metres[2] == pytest.approx(expected, rel=1e-5)
    value, slope = gradient(lambda x: ops.sum(layer(x)), numbers)
    assert np.isfinite(value)
    assert slope.all()
    again = depth_quantity.BoundedDepth.from_config(layer.get_config())
    np.testing.assert_array_equal(ops.convert_to_numpy(again(numbers)), metres)


def test_bounds_and_quantities_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="quantity"):
        depth_quantity.BoundedDepth("feet", 0.5, 8.0)
    for low, high in [(0.0, 1.0), (2.0, 1.0), (1.0, float("inf"))]:
        with pytest.raises(ValueError, match="bounds"):
            depth_quantity.BoundedDepth("log", low, high)
