"""CC, SIM and KL against their definitions, place by place, and where they could break."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from keras_models.metrics import saliency
from keras_models.metrics.saliency import (
    MATLAB_EPSILON,
    MapCorrelation,
    MapDivergence,
    MapSimilarity,
    map_correlation,
    map_divergence,
    map_similarity,
)

EVERY = pytest.mark.parametrize(
    "function", [map_correlation, map_similarity, map_divergence], ids=lambda f: f.__name__
)
CLASSES = {
    MapCorrelation: map_correlation,
    MapSimilarity: map_similarity,
    MapDivergence: map_divergence,
}


def random_maps() -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.random.default_rng(3).random((2, 4, 5, 7, 1)).astype(np.float32)
    truth[0, :3] = 0
    return truth, prediction


def numbers(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def brute_force(truth: np.ndarray, prediction: np.ndarray) -> dict:
    """Of one picture, by sums written out; float lists."""
    q, p = truth.ravel().tolist(), prediction.ravel().tolist()
    n = len(q)
    mean_q, mean_p = sum(q) / n, sum(p) / n
    covariance = sum((a - mean_q) * (b - mean_p) for a, b in zip(q, p, strict=True)) / n
    sigma_q = math.sqrt(sum((a - mean_q) ** 2 for a in q) / n)
    sigma_p = math.sqrt(sum((b - mean_p) ** 2 for b in p) / n)
    q = [a / (mean_q * n) for a in q]
    p = [b / (mean_p * n) for b in p]
    divergence = sum(
        a * math.log(MATLAB_EPSILON + a / (MATLAB_EPSILON + b)) for a, b in zip(q, p, strict=True)
    )
    return {
        map_correlation: covariance / (sigma_q * sigma_p),
        map_similarity: sum(min(a, b) for a, b in zip(q, p, strict=True)),
        map_divergence: divergence,
    }


@EVERY
def test_by_brute_force(function) -> None:
    truth, prediction = random_maps()
    expected = [brute_force(*pair)[function] for pair in zip(truth, prediction, strict=True)]
    np.testing.assert_allclose(numbers(function(truth, prediction)), expected, rtol=1e-5)


def test_equal_and_opposite_maps() -> None:
    truth, _ = random_maps()
    np.testing.assert_allclose(numbers(map_correlation(truth, truth)), 1, rtol=1e-6)
    np.testing.assert_allclose(numbers(map_correlation(truth, -truth)), -1, rtol=1e-6)
    np.testing.assert_allclose(numbers(map_similarity(truth, truth)), 1, rtol=1e-6)
    np.testing.assert_allclose(numbers(map_divergence(truth, truth)), 0, atol=1e-6)


def test_scales_do_not_matter() -> None:
    truth, prediction = random_maps()
    for function in (map_correlation, map_similarity, map_divergence):
        plain = numbers(function(truth, prediction))
        np.testing.assert_allclose(
            numbers(function(3 * truth, 1e30 * prediction)), plain, rtol=1e-4
        )
    shifted = numbers(map_correlation(truth, 5 + prediction))
    np.testing.assert_allclose(shifted, numbers(map_correlation(truth, prediction)), rtol=1e-4)


@EVERY
@pytest.mark.parametrize("value", [0.0, 0.1, -3.0, 1e30, -1e30])
def test_flat_and_empty_maps_are_finite(function, value: float) -> None:
    truth, _ = random_maps()
    flat = np.full_like(truth, value)
    for pair in ((truth, flat), (flat, truth), (flat, flat)):
        result = numbers(function(*pair))
        assert np.isfinite(result).all()
        if function is map_correlation:
            np.testing.assert_array_equal(result, 0)
    if function is map_similarity:
        np.testing.assert_allclose(numbers(function(flat, flat)), 1, rtol=1e-5)


def test_what_is_below_zero_counts_as_zero_in_a_distribution() -> None:
    maps = np.array([-1.0, 0, 1, 3]).reshape(1, 2, 2, 1)
    np.testing.assert_allclose(numbers(saliency.as_distribution(maps)), [[0, 0, 0.25, 0.75]])
    flat = np.zeros((1, 2, 2, 1))
    np.testing.assert_allclose(numbers(saliency.as_distribution(flat)), np.full((1, 4), 0.25))


@EVERY
def test_shapes_are_compared(function) -> None:
    for one, other in [((2, 3, 4, 1), (2, 4, 3, 1)), ((2, 3, 4, 1), (1, 3, 4, 1))]:
        with pytest.raises(ValueError, match="same shape"):
            function(np.ones(one), np.ones(other))
    with pytest.raises(ValueError, match="same shape"):
        function(np.ones((2, 3, 4)), np.ones((2, 3, 4)))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_metrics_average_over_pictures_not_batches(kind) -> None:
    truth, prediction = random_maps()
    metric = kind.from_config(kind().get_config())
    assert float(metric.result()) == 0
    for rows in (slice(0, 1), slice(1, 4)):
        metric.update_state(truth[rows], prediction[rows])
    expected = numbers(CLASSES[kind](truth, prediction))
    assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-6)
    metric.reset_state()
    metric.update_state(truth, prediction, sample_weight=np.array([1.0, 0, 0, 3]))
    assert float(metric.result()) == pytest.approx((expected[0] + 3 * expected[3]) / 4, rel=1e-5)


def test_the_names_are_those_of_the_field() -> None:
    assert [kind().name for kind in CLASSES] == ["cc", "sim", "kl"]
