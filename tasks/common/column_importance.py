"""How much a network needs each column of a table: what it loses when the column is shuffled.

Source: L. Breiman, "Random Forests", Machine Learning 45 (2001), section 10; computed by
scikit-learn's `permutation_importance`.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance

from datasets import core, vectors
from tasks.common import saved_network

# Shuffles of each column; their mean is taken.
_REPEATS = 10


class _Network(BaseEstimator):
    """A trained network in the form that scikit-learn inspects."""

    def __init__(self, model: keras.Model | None = None):
        self.model = model

    def fit(self, rows: np.ndarray, labels: np.ndarray) -> _Network:
        """Nothing to do: it is trained."""
        return self


def importance(path: Path, source: core.LabelledSource, seed: int) -> list[float]:
    """The share of right answers lost when a column is shuffled among the rows, for each column.

    Shuffling breaks what the column says about the row and keeps its distribution. Near 0, also a
    little below it, for a column that the network does not need.

    Args:
        path: the saved model.
        source: labelled rows that it was not trained on.
        seed: of the shuffling.
    """
    network = _Network(saved_network.load(path))
    rows, labels = vectors.matrix(source), np.asarray(source.labels)
    found = permutation_importance(
        network, rows, labels, scoring=_accuracy, n_repeats=_REPEATS, random_state=seed
    )
    return found.importances_mean.tolist()


def _accuracy(network: _Network, rows: np.ndarray, labels: np.ndarray) -> float:
    # One call, not `predict`: a table's test split is small, and there are hundreds of calls.
    probabilities = np.asarray(network.model(rows, training=False))
    return float((probabilities.argmax(axis=1) == labels).mean())
