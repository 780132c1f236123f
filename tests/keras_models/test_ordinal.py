"""The head for ordered classes: by hand, at the extremes, and its gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from keras_models.ordinal import SMALLEST_GAP, CumulativeLogits


def layer_with(thresholds: list[float]) -> CumulativeLogits:
    """A layer with these thresholds, whose gaps are more than SMALLEST_GAP."""
    layer = CumulativeLogits(len(thresholds) + 1)
    layer.build((None, 1))
    raw = np.log(np.expm1(np.diff(thresholds) - SMALLEST_GAP))
    layer.first_threshold.assign([thresholds[0]])
    layer.raw_gaps.assign(raw)
    return layer


def by_hand(scores: np.ndarray, thresholds: list[float]) -> np.ndarray:
    """Differences of the cumulative probabilities, float64 (n, classes)."""
    below = expit(np.asarray(thresholds)[None] - scores[:, None])
    edges = np.concatenate([np.zeros((len(scores), 1)), below, np.ones((len(scores), 1))], axis=1)
    return np.diff(edges, axis=1)


@pytest.mark.parametrize("thresholds", [[0.3], [-1.0, 2.0], [-2.5, 0.25, 0.5, 4.0]])
def test_probabilities_are_differences_of_cumulative_ones(thresholds: list[float]) -> None:
    scores = np.linspace(-6, 6, 25)
    received = np.asarray(layer_with(thresholds)(scores[:, None].astype(np.float32)))
    assert received.dtype == np.float32
    np.testing.assert_allclose(np.exp(received), by_hand(scores, thresholds), atol=2e-6)


def test_one_case_by_hand() -> None:
    """Thresholds -1 and 1, score 0: sigmoid(-1) = 0.2689, and 0.4621 between."""
    received = np.exp(np.asarray(layer_with([-1.0, 1.0])(np.zeros((1, 1), np.float32))))
    np.testing.assert_allclose(received, [[0.268941, 0.462117, 0.268941]], atol=1e-5)


def test_a_new_layer_gives_each_class_the_same_room() -> None:
    layer = CumulativeLogits(4)
    layer.build((None, 1))
    np.testing.assert_allclose(np.asarray(layer.thresholds()), [-2, 0, 2], atol=1e-5)
    predicted = np.argmax(np.asarray(layer(np.float32([[-4], [-1], [1], [4]]))), axis=1)
    np.testing.assert_array_equal(predicted, [0, 1, 2, 3])


@pytest.mark.parametrize("score", [-1e4, -50.0, 0.0, 50.0, 1e4])
@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_gradients_are_finite_and_point_to_the_class(score: float, label: int) -> None:
    layer = layer_with([-1.0, -0.999, 5.0])
    value = tf.Variable([[score]])
    with tf.GradientTape() as tape:
        log_probabilities = layer(value)
        loss = -log_probabilities[0, label]
    gradients = tape.gradient(loss, [value, layer.first_threshold.value, layer.raw_gaps.value])
    assert np.isfinite(np.asarray(log_probabilities)).all()
    assert all(np.isfinite(gradient.numpy()).all() for gradient in gradients)
    # Far from its class a score is pulled there by a gradient that does not fade.
    if score <= -50.0 and label > 0:
        assert gradients[0].numpy().item() < -0.9
    if score >= 50.0 and label < 3:
        assert gradients[0].numpy().item() > 0.9


def test_gradients_of_the_thresholds_are_those_of_finite_differences() -> None:
    scores = np.float32([[-1.2], [0.1], [2.0], [0.7]])
    labels = np.array([0, 1, 2, 0])
    thresholds = [-0.7, 0.9]

    def loss_at(moved: list[float]) -> float:
        return -np.log(by_hand(scores[:, 0].astype(np.float64), moved)[range(4), labels]).sum()

    layer = layer_with(thresholds)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_sum(tf.gather(layer(scores), labels, batch_dims=1))
    first = tape.gradient(loss, layer.first_threshold.value).numpy().item()
    step = 1e-4
    expected = (
        loss_at([t + step for t in thresholds]) - loss_at([t - step for t in thresholds])
    ) / (2 * step)
    assert first == pytest.approx(expected, abs=1e-4)


def test_it_stays_float32_and_survives_serialisation() -> None:
    layer = CumulativeLogits(5, name="head")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.class_count == 5
    assert again.dtype == "float32"
    assert again.compute_output_shape((None, 1)) == (None, 5)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        CumulativeLogits(1)
    with pytest.raises(ValueError, match="one score"):
        CumulativeLogits(3)(np.zeros((2, 3), np.float32))
