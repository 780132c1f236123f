"""The temperature of a softmax, against a search over all of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from tasks.common.svm import calibration
from tasks.common.svm.dense import NEVER_SEEN


def sampled(temperature: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Decisions and labels that are sampled from their softmax at a temperature."""
    random = np.random.default_rng(0)
    decisions = random.normal(0, 0.7, (count, 3))
    shares = softmax(decisions / temperature, axis=1).cumsum(axis=1)
    return decisions, (random.uniform(size=(count, 1)) > shares).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
def test_the_temperature_that_labels_were_sampled_with_is_found(temperature) -> None:
    assert calibration.temperature(*sampled(temperature)) == pytest.approx(temperature, rel=0.1)


def test_no_other_temperature_has_a_smaller_log_loss() -> None:
    decisions, labels = sampled(0.5, 200)
    found = calibration.temperature(decisions, labels)
    losses = {
        other: log_loss(labels, softmax(decisions / other, axis=1))
        for other in np.geomspace(0.01, 100, 500)
    }
    assert log_loss(labels, softmax(decisions / found, axis=1)) <= min(losses.values()) + 1e-6
    assert found == pytest.approx(min(losses, key=losses.get), rel=0.02)


def test_the_log_loss_is_that_of_scikit_learn() -> None:
    decisions, labels = sampled(0.5, 50)
    expected = log_loss(labels, softmax(decisions / 0.3, axis=1))
    assert calibration.log_loss(decisions, labels, 0.3) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [([[9.0, -9.0], [-9.0, 9.0]], calibration.LOWEST), ([[-9.0, 9.0], [9.0, -9.0]], 100.0)],
    ids=["all right", "all wrong"],
)
def test_it_stays_within_bounds(decisions, expected) -> None:
    received = calibration.temperature(np.array(decisions), np.array([0, 1]))
    assert np.isfinite(received)
    assert calibration.LOWEST <= received <= calibration.HIGHEST
    if expected == 100.0:
        assert received == pytest.approx(expected, rel=0.01)


def test_classes_that_the_machine_never_saw_do_not_count() -> None:
    decisions, labels = sampled(0.5, 300)
    wider = np.column_stack([decisions, np.full(300, NEVER_SEEN)])
    more = np.vstack([wider, wider[:1]]), np.append(labels, 3)
    assert calibration.temperature(*more) == pytest.approx(
        calibration.temperature(decisions, labels), rel=1e-6
    )
    assert calibration.temperature(wider[:1], np.array([3])) == 1.0
