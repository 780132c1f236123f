"""The losses of saliency maps against NumPy, and gradients where they could break."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.losses.saliency import (
    EPSILON,
    CorrelationLoss,
    DivergenceLoss,
    correlation_loss,
    divergence_loss,
)

FUNCTIONS = {CorrelationLoss: correlation_loss, DivergenceLoss: divergence_loss}
EVERY_LOSS = pytest.mark.parametrize("loss", FUNCTIONS.values(), ids=lambda loss: loss.__name__)


def maps() -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.random.default_rng(5).random((2, 3, 6, 5, 1)).astype(np.float32)
    return truth, prediction


def value_and_gradient(loss, truth, prediction) -> tuple[np.ndarray, np.ndarray]:
    prediction = tf.constant(prediction, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(prediction)
        value = loss(tf.constant(truth, tf.float32), prediction)
    return value.numpy(), tape.gradient(value, prediction).numpy()


def test_values_by_numpy() -> None:
    truth, prediction = maps()
    q, p = (part.reshape(3, -1) / part.reshape(3, -1).sum(axis=1)[:, None] for part in maps())
    smoothed = (p + EPSILON) / (p + EPSILON).sum(axis=1)[:, None]
    expected = (q * np.log(q / smoothed)).sum(axis=1)
    np.testing.assert_allclose(divergence_loss(truth, prediction), expected, rtol=1e-5)
    correlations = [
        np.corrcoef(one.ravel(), other.ravel())[0, 1]
        for one, other in zip(truth, prediction, strict=True)
    ]
    np.testing.assert_allclose(
        correlation_loss(truth, prediction), 1 - np.array(correlations), rtol=1e-5
    )


@EVERY_LOSS
def test_the_gradient_by_differences(loss) -> None:
    truth, prediction = maps()
    _, gradient = value_and_gradient(loss, truth, prediction)
    step = np.zeros_like(prediction)
    step[1, 2, 3] = 1e-2
    ahead, behind = (float(loss(truth, prediction + sign * step)[1]) for sign in (1, -1))
    assert gradient[1, 2, 3, 0] == pytest.approx((ahead - behind) / 2e-2, rel=0.02, abs=1e-5)


@EVERY_LOSS
def test_a_perfect_prediction(loss) -> None:
    truth, _ = maps()
    value, gradient = value_and_gradient(loss, truth, truth)
    np.testing.assert_allclose(value, 0, atol=2e-6)
    # A place where hardly anybody looked feels the epsilon.
    np.testing.assert_allclose(gradient, 0, atol=5e-4)


@EVERY_LOSS
@pytest.mark.parametrize("prediction", [0.0, -1.0, 0.3, 1e30, 1e-30])
def test_gradients_are_finite_for_flat_empty_and_extreme_maps(loss, prediction: float) -> None:
    truth, other = maps()
    flat = np.full_like(truth, prediction)
    single = np.zeros_like(truth)
    single[:, 0, 0] = prediction
    for pair in ((truth, flat), (flat, other), (flat, flat), (truth, single), (single, other)):
        value, gradient = value_and_gradient(loss, *pair)
        assert np.isfinite(value).all()
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", FUNCTIONS, ids=lambda kind: kind.__name__)
def test_the_classes_compute_the_functions_and_can_be_saved(kind) -> None:
    truth, prediction = maps()
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(kind()))
    assert type(loss) is kind
    expected = np.mean(FUNCTIONS[kind](truth, prediction))
    assert float(loss(truth, prediction)) == pytest.approx(float(expected), rel=1e-6)
