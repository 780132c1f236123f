"""The metrics of depth against NumPy, streamed over batches, with unknown pixels."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models.metrics import depth

METRICS = {
    "delta1": lambda t, p: (np.maximum(p / t, t / p) < 1.25).mean(),
    "delta2": lambda t, p: (np.maximum(p / t, t / p) < 1.25**2).mean(),
    "delta3": lambda t, p: (np.maximum(p / t, t / p) < 1.25**3).mean(),
    "abs_rel": lambda t, p: (np.abs(p - t) / t).mean(),
    "rmse": lambda t, p: np.sqrt(((p - t) ** 2).mean()),
    "log10": lambda t, p: np.abs(np.log10(p) - np.log10(t)).mean(),
}


def made() -> list[keras.metrics.Metric]:
    return [
        *(depth.ThresholdAccuracy(power) for power in (1, 2, 3)),
        depth.AbsoluteRelativeError(),
        depth.DepthRootMeanSquaredError(),
        depth.Log10Error(),
    ]


def maps() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.uniform(0.5, 9, (7, 5, 6, 1)).astype(np.float32)
    prediction = (truth * random.uniform(0.5, 2, truth.shape)).astype(np.float32)
    truth[random.random(truth.shape) < 0.3] = 0
    truth[0, 0, 0], truth[1, 0, 0] = np.nan, np.inf
    truth[3] = 0
    return truth, prediction


@pytest.mark.parametrize("metric", made(), ids=lambda metric: metric.name)
def test_over_uneven_batches_as_numpy_over_all_known_pixels(metric):
    truth, prediction = maps()
    for part in (slice(0, 1), slice(1, 4), slice(4, 7)):
        metric.update_state(truth[part], prediction[part])
    known = np.isfinite(truth) & (truth > 0)
    expected = METRICS[metric.name](truth[known], prediction[known])
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    metric.reset_state()
    metric.update_state(truth[3:4], prediction[3:4])
    assert float(metric.result()) == 0
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    again.update_state(truth[:1], prediction[:1])
    metric.update_state(truth[:1], prediction[:1])
    assert float(again.result()) == pytest.approx(float(metric.result()))


def test_by_hand():
    truth = np.array([2.0, 2.0, 4.0, 0.0], np.float32).reshape(1, 2, 2, 1)
    prediction = np.array([2.4, 3.0, 3.0, 9.0], np.float32).reshape(1, 2, 2, 1)
    values = {}
    for metric in made():
        metric.update_state(truth, prediction)
        values[metric.name] = float(metric.result())
    # Ratios 1.2, 1.5, 1.333; 1.25^2 = 1.5625.
    assert values["delta1"] == pytest.approx(1 / 3)
    assert values["delta2"] == values["delta3"] == 1
    assert values["abs_rel"] == pytest.approx((0.2 + 0.5 + 0.25) / 3)
    assert values["rmse"] == pytest.approx(np.sqrt((0.16 + 1 + 1) / 3))
    log10 = (np.log10(1.2) + np.log10(1.5) + np.log10(4 / 3)) / 3
    assert values["log10"] == pytest.approx(log10)


def test_rounding_by_hand():
    """To halves of a metre: 2.4 to 2.5, and 2.2 to 2.0; what is unknown does not agree."""
    truth = np.array([2.0, 2.0, 2.6, 0.0], np.float32)
    prediction = np.array([2.4, 2.2, 2.4, 0.0], np.float32)
    found = np.asarray(depth.rounding_agreement(truth, prediction, 0.5))
    assert found.tolist() == [0, 1, 1, 0]


def test_rounding_with_the_whole_range_as_step_tells_near_from_far():
    truth = np.array([1.0, 4.9, 5.1, 9.9], np.float32)
    prediction = np.array([4.9, 5.1, 4.0, 5.2], np.float32)
    found = np.asarray(depth.rounding_agreement(truth, prediction, 10.0))
    assert found.tolist() == [1, 0, 0, 1]
    scaled = np.round(prediction / 10) == np.round(truth / 10)
    assert found.tolist() == scaled.astype(float).tolist()


def test_weights_of_examples_and_wrong_arguments():
    truth, prediction = maps()
    metric = depth.AbsoluteRelativeError()
    metric.update_state(truth[:2], prediction[:2], sample_weight=[0.0, 1.0])
    known = np.isfinite(truth[1]) & (truth[1] > 0)
    expected = METRICS["abs_rel"](truth[1][known], prediction[1][known])
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="same shape"):
        depth.squared_error(truth, prediction[:1])


def test_a_prediction_of_nothing_or_less_is_wrong_and_finite():
    truth = np.array([2.0, 2.0], np.float32)
    prediction = np.array([0.0, -1.0], np.float32)
    assert not np.asarray(depth.within_ratio(truth, prediction, 3)).any()
    assert np.isfinite(np.asarray(depth.log10_error(truth, prediction))).all()
