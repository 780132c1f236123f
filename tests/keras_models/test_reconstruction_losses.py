"""The error of rebuilt pictures against NumPy and against its definition."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.losses.reconstruction import StandardisedSquaredError, standardised_squared_error
from keras_models.metrics.reconstruction import SquaredError

DEVIATION = (60.0, 50.0, 70.0)


def pictures(seed: int, count: int = 4) -> np.ndarray:
    values = np.random.default_rng(seed).uniform(0, 255, (count, 6, 5, 3))
    return values.astype(np.float32)


def test_it_is_the_squared_error_of_standardised_pixels() -> None:
    truth, rebuilt = pictures(0), pictures(1)
    mean = np.array([100.0, 120.0, 90.0])
    standardised = [(one - mean) / DEVIATION for one in (truth, rebuilt)]
    expected = ((standardised[0] - standardised[1]) ** 2).mean(axis=(1, 2, 3))
    given = standardised_squared_error(truth, rebuilt, DEVIATION)
    np.testing.assert_allclose(given, expected, rtol=1e-5)
    loss = StandardisedSquaredError(DEVIATION)(truth, rebuilt)
    assert float(loss) == pytest.approx(expected.mean(), rel=1e-5)


def test_the_mean_colour_has_an_error_of_one() -> None:
    truth = pictures(2, 40)
    flat = truth.reshape(-1, 3).astype(np.float64)
    colour = np.broadcast_to(flat.mean(axis=0), truth.shape).astype(np.float32)
    given = standardised_squared_error(truth, colour, tuple(flat.std(axis=0)))
    assert float(np.mean(given)) == pytest.approx(1.0, rel=1e-5)


def test_the_metric_weighs_every_picture_alike() -> None:
    truth, rebuilt = pictures(3, 7), pictures(4, 7)
    metric = SquaredError(DEVIATION)
    metric.update_state(truth[:5], rebuilt[:5])
    metric.update_state(truth[5:], rebuilt[5:])
    expected = np.mean(standardised_squared_error(truth, rebuilt, DEVIATION))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    again = SquaredError.from_config(metric.get_config())
    again.update_state(truth, rebuilt)
    assert float(again.result()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e4], ids=["perfect", "far off"])
def test_gradients_are_finite(offset: float) -> None:
    truth = pictures(5)
    rebuilt = tf.Variable(truth + offset)
    with tf.GradientTape() as tape:
        loss = StandardisedSquaredError(DEVIATION)(truth, rebuilt)
    gradient = tape.gradient(loss, rebuilt).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient == 0).all() == (offset == 0.0)


def test_other_shapes_and_deviations_are_refused() -> None:
    with pytest.raises(ValueError, match="same shape"):
        standardised_squared_error(pictures(0), pictures(0)[:, :1], DEVIATION)
    with pytest.raises(ValueError, match="above 0"):
        StandardisedSquaredError((1.0, 0.0, 1.0))


def test_the_loss_survives_its_configuration() -> None:
    loss = StandardisedSquaredError(DEVIATION)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    truth, rebuilt = pictures(0), pictures(1)
    assert float(again(truth, rebuilt)) == float(loss(truth, rebuilt))
