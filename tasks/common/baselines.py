"""What a sceptic would try first: no picture at all, and one linear classifier."""

from __future__ import annotations

import numpy as np
from sklearn.dummy import DummyClassifier

from tasks.common import linear_head


def most_frequent(train_labels: np.ndarray, count: int, class_count: int) -> np.ndarray:
    """The training shares of the classes as the prediction for each of `count` examples.

    Returns:
        Probabilities, float64 (count, class_count).
    """
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(train_labels), 1)), train_labels)
    return _all_classes(model.predict_proba(np.zeros((count, 1))), model.classes_, class_count)


def linear(
    features: dict[str, np.ndarray], labels: dict[str, np.ndarray], class_count: int
) -> np.ndarray:
    """Logistic regression on standardised features; its penalty is chosen on validation.

    Args:
        features: of `train`, `validation` and `test`, float (n, dimensions).
        labels: of `train` and `validation`, int (n,).
        class_count: classes, also those without a training example.

    Returns:
        Probabilities for the test examples, float64 (n, class_count).
    """
    if len(np.unique(labels["train"])) == 1:
        return most_frequent(labels["train"], len(features["test"]), class_count)
    best = linear_head.fit(features, labels)
    return _all_classes(best.predict_proba(features["test"]), best.classes_, class_count)


def _all_classes(probabilities: np.ndarray, classes: np.ndarray, class_count: int) -> np.ndarray:
    """Columns for all classes; those that training never saw get probability 0."""
    full = np.zeros((len(probabilities), class_count))
    full[:, classes] = probabilities
    return full
