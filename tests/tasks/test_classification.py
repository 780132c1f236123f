"""The numbers of a report, against scikit-learn, SciPy and sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as reference

from tasks.common import classification
from tasks.common.classification import Predictions


def made(probabilities: list[list[float]] | np.ndarray, labels: list[int]) -> Predictions:
    probabilities = np.asarray(probabilities, float)
    names = tuple(f"class {i}" for i in range(probabilities.shape[1]))
    identifiers = tuple(f"picture {i}" for i in range(len(labels)))
    return Predictions(probabilities, np.array(labels), identifiers, names)


@pytest.fixture
def many() -> Predictions:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 7, 200)
    logits = rng.normal(size=(200, 7))
    logits[np.arange(200), labels] += 1.2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return made(probabilities, labels.tolist())


def test_metrics_equal_scikit_learn(many: Predictions) -> None:
    received = classification.metrics(many)
    predicted = many.probabilities.argmax(axis=1)
    truth = many.labels
    assert received["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert received["balanced_accuracy"] == pytest.approx(
        reference.balanced_accuracy_score(truth, predicted)
    )
    assert received["macro_f1"] == pytest.approx(
        reference.f1_score(truth, predicted, average="macro")
    )
    assert received["log_loss"] == pytest.approx(
        reference.log_loss(truth, many.probabilities), rel=1e-6
    )
    assert received["top_5_accuracy"] == pytest.approx(
        reference.top_k_accuracy_score(truth, many.probabilities, k=5)
    )
    one_hot = np.eye(7)[truth]
    assert received["mean_average_precision"] == pytest.approx(
        reference.average_precision_score(one_hot, many.probabilities, average="macro")
    )


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (1, 1), (186, 206), (50, 100)])
def test_interval_equals_scipy(right: int, count: int) -> None:
    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    received = classification.accuracy_interval(right, count)
    assert received == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_calibration_error_by_hand() -> None:
    # Confidences 0.9, 0.9 (one right, one wrong) and 0.6 (right): two bins are filled.
    predictions = made([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]], [0, 1, 1])
    expected = 2 / 3 * abs(0.5 - 0.9) + 1 / 3 * abs(1.0 - 0.6)
    received = classification.metrics(predictions)["expected_calibration_error"]
    assert received == pytest.approx(expected)


def test_confused_pairs_and_mistakes_by_hand() -> None:
    predictions = made(
        [[0.1, 0.9, 0.0], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.0, 0.45, 0.55]],
        [0, 0, 0, 1],
    )
    first, second = classification.most_confused_pairs(predictions, 5)
    assert (first.truth, first.predicted, first.count) == (0, 1, 2)
    assert first.share == pytest.approx(2 / 3)
    assert (second.truth, second.predicted, second.count, second.share) == (1, 2, 1, 1.0)
    worst = classification.worst_mistakes(predictions, 2)
    assert [mistake.index for mistake in worst] == [0, 1]
    surest = classification.surest_mistakes(predictions, 5)
    assert [mistake.index for mistake in surest] == [0, 1, 3]
    besides = classification.surest_mistakes(predictions, 5, besides=worst)
    assert [mistake.index for mistake in besides] == [3]


def test_class_absent_from_the_split() -> None:
    predictions = made([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], [0, 1])
    table = classification.per_class_table(predictions)
    assert [row.count for row in table] == [1, 1, 0]
    assert table[2].recall is None
    assert classification.metrics(predictions)["balanced_accuracy"] == 1.0


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        ([[np.nan, 1.0]], [0]),
        ([[0.5, 0.5]], [2]),
        ([[0.5, 0.5]], [0, 1]),
        ([[1.4, -0.4]], [0]),
    ],
    ids=["not a number", "unknown class", "lengths", "no probability"],
)
def test_impossible_predictions_are_refused(
    probabilities: list[list[float]], labels: list[int]
) -> None:
    with pytest.raises(ValueError, match="Received"):
        made(probabilities, labels)
