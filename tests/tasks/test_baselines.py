"""Baselines against scikit-learn used directly."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tasks.common import baselines


def test_the_most_frequent_class_and_its_share() -> None:
    probabilities = baselines.most_frequent(np.array([2, 2, 2, 0]), count=3, class_count=4)
    np.testing.assert_allclose(probabilities, [[0.25, 0, 0.75, 0]] * 3)
    assert probabilities.dtype == np.float64


@pytest.fixture(scope="module")
def blobs() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Three overlapping clouds in six dimensions of very different scale."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 6)) * 1.5
    features, labels = {}, {}
    for part, count in (("train", 90), ("validation", 45), ("test", 60)):
        labels[part] = np.arange(count) % 3
        noise = rng.normal(size=(count, 6))
        features[part] = (centres[labels[part]] + noise) * 10.0 ** np.arange(-3, 3)
    return features, labels


def test_linear_is_the_best_of_the_tried_penalties_on_validation(
    blobs: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    features, labels = blobs
    scaler = StandardScaler().fit(features["train"])
    standard = {part: scaler.transform(values) for part, values in features.items()}
    models = [
        LogisticRegression(C=penalty, max_iter=1000).fit(standard["train"], labels["train"])
        for penalty in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ]
    scores = [model.score(standard["validation"], labels["validation"]) for model in models]
    expected = models[int(np.argmax(scores))].predict_proba(standard["test"])
    known = {part: labels[part] for part in ("train", "validation")}
    received = baselines.linear(features, known, class_count=3)
    # Both solvers stop within their tolerance of the optimum.
    np.testing.assert_allclose(received, expected, atol=1e-3)
    assert (received.argmax(axis=1) == labels["test"]).mean() > 0.7
    assert len(set(scores)) > 1


def test_a_class_that_training_never_saw_has_probability_0(
    blobs: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    features, labels = blobs
    names = np.array([0, 2, 4])
    known = {part: names[labels[part]] for part in ("train", "validation")}
    received = baselines.linear(features, known, class_count=6)
    assert received.shape == (60, 6)
    np.testing.assert_array_equal(received[:, [1, 3, 5]], 0.0)
    np.testing.assert_allclose(received.sum(axis=1), 1.0)
    plain = baselines.linear(features, labels, class_count=3)
    np.testing.assert_allclose(received[:, names], plain, atol=1e-6)


def test_training_of_a_single_class_gives_that_class() -> None:
    """What `--limit 1` leaves: there is nothing to fit, and the answer is still well defined."""
    features = {part: np.eye(4)[:3] for part in ("train", "validation", "test")}
    labels = {part: np.full(3, 1) for part in ("train", "validation")}
    received = baselines.linear(features, labels, class_count=3)
    np.testing.assert_allclose(received, [[0, 1, 0]] * 3)
