"""The gradient at the logits: what TensorFlow differentiates from Keras's own losses."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.metrics.logit_gradient import (
    GRADIENTS,
    LogitGradientNorm,
    first_norm,
    logit_gradient,
    logit_gradient_norm,
)
from keras_models.text_classifier import ClassScores

LOSSES = {
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "mean_squared_error": keras.losses.MeanSquaredError,
    "squared_hinge": keras.losses.SquaredHinge,
}
PAIRS = pytest.mark.parametrize(("activation", "loss"), GRADIENTS)


def names(count: int) -> list[str]:
    return [f"class {number}" for number in range(count)]


@PAIRS
@pytest.mark.parametrize("scale", [0.0, 1.0, 5.0, 40.0])
def test_the_formula_is_what_tensorflow_differentiates(
    activation: str, loss: str, scale: float
) -> None:
    random = np.random.default_rng(0)
    logits = tf.constant(scale * random.normal(size=(16, 46)), tf.float32)
    targets = tf.one_hot(random.integers(0, 46, 16), 46)
    layer = ClassScores(names(46), activation)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        scores = layer(logits)
        values = LOSSES[loss](reduction="sum")(targets, scores)
    expected = tape.gradient(values, logits).numpy()
    found = keras.ops.convert_to_numpy(logit_gradient(targets, scores, activation, loss))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, atol=2e-6)
    norms = logit_gradient_norm(targets, scores, activation, loss)
    np.testing.assert_allclose(norms, np.linalg.norm(expected, axis=1), rtol=1e-4, atol=2e-6)


@PAIRS
def test_the_formula_is_the_finite_difference_of_numpy(activation: str, loss: str) -> None:
    """In float64, from the definitions alone, without Keras."""

    def score(z):
        if activation == "softmax":
            return np.exp(z) / np.exp(z).sum()
        return 1 / (1 + np.exp(-z)) if activation == "sigmoid" else z

    def value(z):
        s = score(z)
        if loss == "mean_squared_error":
            return np.mean((s - target) ** 2)
        if loss == "squared_hinge":
            return np.mean(np.maximum(0, 1 - (2 * target - 1) * s) ** 2)
        if loss == "categorical_crossentropy":
            return -np.sum(target * np.log(s))
        return -np.mean(target * np.log(s) + (1 - target) * np.log(1 - s))

    z, target = np.random.default_rng(1).normal(size=6), np.eye(6)[2]
    steps = 1e-6 * np.eye(6)
    expected = [(value(z + step) - value(z - step)) / 2e-6 for step in steps]
    scores = keras.ops.convert_to_tensor(score(z)[None], "float64")
    found = logit_gradient(target[None], scores, activation, loss)
    np.testing.assert_allclose(found[0], expected, atol=1e-8)


def test_the_first_norms_by_hand() -> None:
    # Softmax: s = 1/K; (1/K - 1, 1/K, ...) has the norm sqrt(1 - 1/K).
    assert first_norm("softmax", "categorical_crossentropy", 46) == pytest.approx(
        np.sqrt(1 - 1 / 46), rel=1e-5
    )
    # Sigmoid: each s - y is 1/2 in size; the norm of K halves is sqrt(K) / 2.
    half = np.sqrt(46) / 2
    assert first_norm("sigmoid", "binary_crossentropy", 46) == pytest.approx(half / 46, rel=1e-5)
    assert first_norm("sigmoid", "mean_squared_error", 46) == pytest.approx(
        2 / 46 * half / 4, rel=1e-5
    )
    # Linear: only the right class is wrong, by 1.
    assert first_norm("linear", "mean_squared_error", 46) == pytest.approx(2 / 46, rel=1e-5)
    # Softmax and squared error: the Jacobian is (1 - 1/K) / K on what sums to 0, so 1/K of e.
    assert first_norm("softmax", "mean_squared_error", 46) == pytest.approx(
        2 / 46 / 46 * np.sqrt(1 - 1 / 46), rel=1e-4
    )


@PAIRS
def test_a_perfect_answer_has_no_gradient(activation: str, loss: str) -> None:
    target = np.eye(5, dtype=np.float32)
    # The hinge asks for 1 and -1, and is content with more.
    score = 4 * target - 2 if loss == "squared_hinge" else target
    np.testing.assert_allclose(logit_gradient(target, score, activation, loss), 0, atol=1e-7)


def test_a_confident_mistake_has_no_gradient_under_softmax_and_squared_error() -> None:
    target, score = np.float32([[1, 0, 0]]), np.float32([[0, 1, 0]])
    stuck = logit_gradient_norm(target, score, "softmax", "mean_squared_error")
    moved = logit_gradient_norm(target, score, "softmax", "categorical_crossentropy")
    assert float(stuck[0]) == 0
    assert float(moved[0]) == pytest.approx(np.sqrt(2))


def test_smoothing_moves_the_target() -> None:
    target = np.float32([[1, 0]])
    score = np.float32([[0.95, 0.05]])
    norm = logit_gradient_norm(target, score, "softmax", "categorical_crossentropy", 0.1)
    assert float(norm[0]) == pytest.approx(0, abs=1e-6)


def test_the_metric_is_the_mean_over_all_examples_and_is_saved() -> None:
    metric = LogitGradientNorm("softmax", "categorical_crossentropy")
    random = np.random.default_rng(0)
    targets = np.eye(4, dtype=np.float32)[random.integers(0, 4, 10)]
    scores = random.dirichlet(np.ones(4), 10).astype(np.float32)
    metric.update_state(targets[:7], scores[:7])
    metric.update_state(targets[7:], scores[7:])
    expected = np.linalg.norm(scores - targets, axis=1).mean()
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    again = LogitGradientNorm.from_config(metric.get_config())
    again.update_state(targets, scores)
    assert float(again.result()) == pytest.approx(expected, rel=1e-5)
    assert again.name == "logit_gradient_norm"


def test_unknown_pairs_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="must be one of"):
        logit_gradient(np.eye(2), np.eye(2), "linear", "categorical_crossentropy")
    with pytest.raises(ValueError, match="same shape"):
        logit_gradient(np.eye(2), np.eye(3), "linear", "mean_squared_error")
