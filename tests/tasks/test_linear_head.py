"""Logistic regression as a Dense layer, against scikit-learn's own probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from tasks.common import linear_head


def clouds(classes: tuple[int, ...], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around one centre a class, on very different scales, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.resize(classes, count)
    centres = np.random.default_rng(1).normal(size=(max(classes) + 1, 6))
    points = centres[labels] + random.normal(size=(count, 6))
    return points * [1, 10, 0.1, 5, 1, 100] + [0, 50, 1, 0, -3, 1000], labels


def fitted(classes: tuple[int, ...], class_weight: str | None = None):
    features, labels = {}, {}
    for seed, name in enumerate(("train", "validation")):
        features[name], labels[name] = clouds(classes, 90, seed)
    return linear_head.fit(features, labels, class_weight), features["validation"]


@pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2, 3)])
def test_dense_weights_give_the_probabilities_of_the_fitted_model(classes) -> None:
    model, features = fitted(classes)
    kernel, bias = linear_head.dense_weights(model, len(classes))
    assert (kernel.dtype, kernel.shape) == (np.float32, (6, len(classes)))
    np.testing.assert_allclose(
        softmax(features @ kernel + bias, axis=1), model.predict_proba(features), atol=1e-4
    )


def test_a_class_that_training_never_saw_gets_next_to_nothing() -> None:
    model, features = fitted((1, 3, 4))
    kernel, bias = linear_head.dense_weights(model, 6)
    probabilities = softmax(features @ kernel + bias, axis=1)
    np.testing.assert_allclose(
        probabilities[:, [1, 3, 4]], model.predict_proba(features), atol=1e-4
    )
    assert probabilities[:, [0, 2, 5]].max() < 1e-3


def test_validation_chooses_the_penalty() -> None:
    model, _ = fitted((0, 1, 2))
    features, labels = zip(*(clouds((0, 1, 2), 90, seed) for seed in (0, 1)), strict=True)
    scores = {}
    for penalty in linear_head.PENALTIES:
        scaled = [model[0].transform(part) for part in features]
        alone = LogisticRegression(C=penalty, max_iter=500).fit(scaled[0], labels[0])
        scores[penalty] = alone.score(scaled[1], labels[1])
    assert len(set(scores.values())) > 1
    assert scores[model[-1].C] == max(scores.values())


def test_balanced_weights_help_the_rare_class() -> None:
    features, labels = clouds((0, 0, 0, 0, 0, 0, 0, 0, 1), 180, 0)
    both = {"train": features, "validation": features}
    truth = {"train": labels, "validation": labels}
    plain, balanced = (
        linear_head.fit(both, truth, balance)[-1].intercept_ for balance in (None, "balanced")
    )
    # Eight examples of class 0 for one of class 1: the balance moves the border by log 8 or so.
    assert balanced - plain > 1.0
