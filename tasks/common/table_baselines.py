"""What a sceptic would try first on a table: the most frequent class, and logistic regression."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datasets import core, vectors
from tasks.common import baselines, classification
from tasks.common.classification import Predictions

# Inverse strength of the L2 penalty: weak, since a table has few columns and many rows.
PENALTY = 100.0
_ITERATIONS = 5000
MOST_FREQUENT = "most frequent class"


def measure(splits: core.Splits) -> dict[str, dict[str, float]]:
    """The numbers of `classification.metrics` on the test split, by method.

    Neither method chooses anything on validation, so both learn from training and validation.
    """
    rows = np.concatenate([vectors.matrix(splits.train), vectors.matrix(splits.validation)])
    labels = np.concatenate([splits.train.labels, splits.validation.labels])
    count = len(splits.info.class_names)
    prior = baselines.most_frequent(labels, len(splits.test), count)
    return {
        f"logistic regression (C = {PENALTY:g})": _metrics(_logistic(rows, labels, splits), splits),
        MOST_FREQUENT: _metrics(prior, splits),
    }


def _logistic(rows: np.ndarray, labels: np.ndarray, splits: core.Splits) -> np.ndarray:
    """Probabilities of the test rows; every class has rows to learn from (`table_splits`)."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=_ITERATIONS))
    return model.fit(rows, labels).predict_proba(vectors.matrix(splits.test))


def _metrics(probabilities: np.ndarray, splits: core.Splits) -> dict[str, float]:
    test = splits.test
    names = tuple(test.identifier(index) for index in range(len(test)))
    labels = np.asarray(test.labels)
    return classification.metrics(
        Predictions(probabilities, labels, names, splits.info.class_names)
    )
