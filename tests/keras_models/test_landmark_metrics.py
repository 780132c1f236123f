"""The metrics of points against values by hand and NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models.metrics import landmarks
from keras_models.metrics.landmarks import NormalisedMeanError

# Two faces of three points: eye corners 6 apart, a nose below; the second nose is missing.
TRUTH = np.array([[1, 1, 7, 1, 4, 5], [2, 2, 2, 10, 0, 0]], np.float32)
OFF = np.array([[0, 3, 0, 0, 3, 4], [0, 0, 1, 0, 9, 9]], np.float32)


def numbers(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_distances_and_sizes_by_hand() -> None:
    assert numbers(landmarks.visible_points(TRUTH)).tolist() == [[True] * 3, [True, True, False]]
    np.testing.assert_allclose(
        numbers(landmarks.point_errors(TRUTH, TRUTH + OFF)), [[3, 0, 5], [0, 1, 0]]
    )
    assert numbers(landmarks.inter_ocular_distance(TRUTH, (0, 1))).tolist() == [6, 8]
    assert numbers(landmarks.inter_ocular_distance(TRUTH, (0, 2))).tolist() == [5, 0]
    np.testing.assert_allclose(numbers(landmarks.box_size(TRUTH)), [np.sqrt(6 * 4), 0])


def test_normalised_errors_by_hand() -> None:
    sizes = landmarks.inter_ocular_distance(TRUTH, (0, 1))
    errors = landmarks.normalised_errors(TRUTH, TRUTH + OFF, sizes)
    np.testing.assert_allclose(numbers(errors), [8 / 3 / 6, 1 / 2 / 8], rtol=1e-6)


def test_what_is_not_defined_is_nan_and_nothing_else() -> None:
    """Faces without a size, and without a point."""
    truth = np.array([[1, 1, 7, 1, 4, 5], [2, 2, 2, 10, 0, 0], [0] * 6], np.float32)
    errors = numbers(landmarks.normalised_errors(truth, truth, landmarks.box_size(truth)))
    assert errors[0] == 0
    assert np.isnan(errors[1:]).all()
    assert numbers(landmarks.box_size(truth)).tolist()[1:] == [0, 0]


def test_the_box_takes_visible_points_alone() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(3, 9, (5, 8, 2))
    truth[:, ::3] = 0
    sides = np.ptp(truth[:, truth[0].any(axis=1)], axis=1)
    received = numbers(landmarks.box_size(truth.reshape(5, 16)))
    np.testing.assert_allclose(received, np.sqrt(sides.prod(axis=1)), rtol=1e-6)


def test_failures_and_their_distribution() -> None:
    errors = np.array([0.02, 0.05, 0.1, 0.11, 0.4, np.nan], np.float32)
    assert float(landmarks.failure_rate(errors)) == pytest.approx(2 / 5)
    assert float(landmarks.failure_rate(errors, 0.03)) == pytest.approx(4 / 5)
    shares = numbers(landmarks.cumulative_distribution(errors, [0.0, 0.05, 0.1, 1.0]))
    np.testing.assert_allclose(shares, [0, 0.4, 0.6, 1.0], rtol=1e-6)
    assert np.isnan(float(landmarks.failure_rate(np.array([np.nan], np.float32))))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="same shape"):
        landmarks.point_errors(np.ones((2, 4)), np.ones((2, 6)))


def test_the_metric_over_batches_leaves_out_faces_without_a_size() -> None:
    """Pictures twice as wide as high: x counts twice in the size and in the error."""
    scale = np.tile([20.0, 10.0], 3).astype(np.float32)
    truth = np.concatenate([TRUTH, [[2, 2, 0, 0, 3, 3]]]).astype(np.float32)
    prediction = truth + np.concatenate([OFF, OFF[:1]])
    metric = NormalisedMeanError((10, 20), eye_corners=(0, 1))
    for rows in (slice(0, 1), slice(1, 3)):
        metric.update_state(truth[rows] / scale, prediction[rows] / scale)
    assert float(metric.result()) == pytest.approx((8 / 18 + 1 / 16) / 2, rel=1e-5)
    metric.reset_state()
    metric.update_state(np.zeros((2, 6), np.float32), np.ones((2, 6), np.float32))
    assert float(metric.result()) == 0


def test_the_metric_by_box_with_weights() -> None:
    metric = NormalisedMeanError((1, 1))
    truth = np.concatenate([TRUTH[:1], 2 * TRUTH[:1]])
    metric.update_state(truth, truth + OFF[:1], sample_weight=np.array([3.0, 1.0]))
    first = 8 / 3 / np.sqrt(24)
    assert float(metric.result()) == pytest.approx((3 * first + first / 2) / 4, rel=1e-5)


def test_the_metric_can_be_saved() -> None:
    metric = NormalisedMeanError((96, 80), (27, 32))
    again = NormalisedMeanError.from_config(metric.get_config())
    assert (again.image_size, again.eye_corners) == ((96, 80), (27, 32))
