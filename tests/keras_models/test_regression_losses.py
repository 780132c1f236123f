"""The losses of points against values by hand and NumPy, and gradients where they could break."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.losses.regression import (
    MaskedEuclideanLoss,
    MaskedMeanAbsoluteLoss,
    MaskedMeanSquaredLoss,
    masked_euclidean_loss,
    masked_mean_absolute_loss,
    masked_mean_squared_loss,
)

FUNCTIONS = {
    MaskedEuclideanLoss: masked_euclidean_loss,
    MaskedMeanSquaredLoss: masked_mean_squared_loss,
    MaskedMeanAbsoluteLoss: masked_mean_absolute_loss,
}
EVERY_LOSS = pytest.mark.parametrize("loss", FUNCTIONS.values(), ids=lambda loss: loss.__name__)


def value_and_gradient(loss, truth, prediction) -> tuple[float, np.ndarray]:
    """The loss and its gradient with respect to the prediction."""
    prediction = tf.constant(prediction, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(prediction)
        value = loss(tf.constant(truth, tf.float32), prediction)
    return float(value), tape.gradient(value, prediction).numpy()


def random_points() -> tuple[np.ndarray, np.ndarray]:
    """Truth with a third of its points missing, and a prediction; (7, 10) each."""
    rng = np.random.default_rng(5)
    truth, prediction = rng.uniform(0.1, 1, (2, 7, 5, 2)).astype(np.float32)
    truth[rng.random((7, 5)) < 0.33] = 0
    return truth.reshape(7, 10), prediction.reshape(7, 10)


def test_values_by_hand() -> None:
    """Distances 5 and 13 of visible points; the third point is missing."""
    truth = [[1.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]
    prediction = [[4.0, 5.0, 9.0, 9.0], [7.0, 12.0, 3.0, 3.0]]
    assert float(masked_euclidean_loss(truth, prediction)) == pytest.approx((5 + 13) / 2)
    assert float(masked_mean_squared_loss(truth, prediction)) == pytest.approx((25 + 169) / 4)
    assert float(masked_mean_absolute_loss(truth, prediction)) == pytest.approx((7 + 17) / 4)


def test_values_by_numpy() -> None:
    truth, prediction = random_points()
    difference = (prediction - truth).reshape(-1, 2)
    visible = truth.reshape(-1, 2).any(axis=1)
    assert 0 < visible.sum() < len(visible)
    expected = {
        masked_euclidean_loss: np.linalg.norm(difference, axis=1)[visible].mean(),
        masked_mean_squared_loss: np.square(difference)[visible].mean(),
        masked_mean_absolute_loss: np.abs(difference)[visible].mean(),
    }
    for loss, value in expected.items():
        assert float(loss(truth, prediction)) == pytest.approx(value, rel=1e-6)


def test_without_missing_points_two_of_them_are_keras_own() -> None:
    _, prediction = random_points()
    truth = prediction[::-1]
    assert float(masked_mean_squared_loss(truth, prediction)) == pytest.approx(
        float(np.mean(keras.losses.mean_squared_error(truth, prediction)))
    )
    assert float(masked_mean_absolute_loss(truth, prediction)) == pytest.approx(
        float(np.mean(keras.losses.mean_absolute_error(truth, prediction)))
    )


def test_a_point_on_an_axis_is_not_missing() -> None:
    assert float(masked_euclidean_loss([[0.0, 2.0]], [[0.0, 5.0]])) == pytest.approx(3)
    assert float(masked_euclidean_loss([[2.0, 0.0]], [[5.0, 0.0]])) == pytest.approx(3)


def test_the_gradient_of_the_distance_has_the_same_length_near_and_far() -> None:
    truth = [[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]]
    prediction = [[1.003, 1.004, 301.0, 401.0, 7.0, 8.0]]
    _, gradient = value_and_gradient(masked_euclidean_loss, truth, prediction)
    expected = [0.3, 0.4, 0.3, 0.4, 0, 0]
    np.testing.assert_allclose(gradient[0], expected, rtol=1e-3)


def test_the_gradient_by_differences() -> None:
    truth, prediction = random_points()
    for loss in FUNCTIONS.values():
        _, gradient = value_and_gradient(loss, truth, prediction)
        step = np.zeros_like(prediction)
        step[2, 3] = 1e-2
        ahead, behind = (float(loss(truth, prediction + sign * step)) for sign in (1, -1))
        assert gradient[2, 3] == pytest.approx((ahead - behind) / 2e-2, abs=2e-4)


@EVERY_LOSS
def test_all_points_missing(loss) -> None:
    value, gradient = value_and_gradient(loss, np.zeros((3, 4)), np.full((3, 4), 0.7))
    assert value == 0
    assert (gradient == 0).all()


@EVERY_LOSS
def test_a_perfect_prediction(loss) -> None:
    truth, _ = random_points()
    value, gradient = value_and_gradient(loss, truth, truth)
    assert value == 0
    assert (gradient == 0).all()


@EVERY_LOSS
def test_a_missing_point_leaves_no_trace_whatever_was_predicted(loss) -> None:
    truth = [[1.0, 1.0, 0.0, 0.0]]
    for anything in (0.0, 0.5, 1e30, np.inf, np.nan):
        value, gradient = value_and_gradient(loss, truth, [[1.5, 1.0, anything, anything]])
        same, _ = value_and_gradient(loss, truth, [[1.5, 1.0, 9.0, 9.0]])
        assert value == same > 0
        assert np.isfinite(gradient).all()
        assert (gradient[0, 2:] == 0).all()


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e20, 1e30])
def test_the_distance_at_any_size(size: float) -> None:
    """Squares of such numbers are 0 or infinite in float32."""
    truth = np.full((1, 2), size, np.float32)
    value, gradient = value_and_gradient(masked_euclidean_loss, truth, truth * [4, 5])
    assert value == pytest.approx(5 * size, rel=1e-5)
    np.testing.assert_allclose(gradient, [[0.6, 0.8]], rtol=1e-5)


def test_shapes_are_compared_before_anything_is_subtracted() -> None:
    for truth, prediction in [((2, 4), (2, 6)), ((1, 4), (2, 4)), ((2, 3), (2, 3)), ((4,), (4,))]:
        with pytest.raises(ValueError, match="same shape"):
            masked_euclidean_loss(np.ones(truth), np.ones(prediction))


@pytest.mark.parametrize("kind", FUNCTIONS, ids=lambda kind: kind.__name__)
def test_the_classes_compute_the_functions_and_can_be_saved(kind) -> None:
    truth, prediction = random_points()
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(kind()))
    assert type(loss) is kind
    assert float(loss(truth, prediction)) == float(FUNCTIONS[kind](truth, prediction))
    with pytest.raises(ValueError, match="no `sample_weight`"):
        loss(truth, prediction, sample_weight=np.ones(7))


def test_a_model_learns_with_it_in_spite_of_missing_points() -> None:
    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    truth = 0.5 + inputs @ np.array([[0.1, 0.2, 0, 0.1], [0, 0.1, 0.2, 0], [0.1, 0, 0, 0.2]])
    truth[::2, 2:] = 0
    model = keras.Sequential([keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.05), MaskedEuclideanLoss())
    losses = model.fit(inputs, truth, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]
