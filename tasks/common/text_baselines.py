"""What a sceptic would try first on texts: the most frequent class, and a linear SVM on tf-idf."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.svm import LinearSVC

from datasets import vectors
from datasets.core import LabelledSource, Splits
from tasks.common.classification import accuracy_interval

# Penalties tried: the best one on texts lies near 1, since tf-idf rows have the norm 1.
SVM_PENALTIES = (0.1, 0.3, 1.0, 3.0)


def baselines(splits: Splits) -> dict[str, dict[str, float]]:
    """Test accuracy of both, with its 95 % interval, by their names."""
    return {
        "most frequent class": _scored(most_frequent_right(splits)),
        "linear SVM on tf-idf": _scored(linear_svm_right(splits)),
    }


def most_frequent_share(train: LabelledSource, source: LabelledSource) -> float:
    """Share of a source's texts that have the class that is most frequent in training."""
    return float(np.mean(source.labels == np.bincount(train.labels).argmax()))


def most_frequent_right(splits: Splits) -> np.ndarray:
    """Which test texts have the class that is most frequent in training, bool (n,)."""
    return splits.test.labels == np.bincount(splits.train.labels).argmax()


def linear_svm_right(splits: Splits) -> np.ndarray:
    """Which test texts a linear SVM gets right, bool (n,).

    It learns from tf-idf with the logarithm of counts (scikit-learn's `sublinear_tf`), one class
    against the rest; its penalty is the one with the best validation accuracy (Joachims, "Text
    Categorization with Support Vector Machines", ECML 1998).
    """
    if len(np.unique(splits.train.labels)) == 1:
        return most_frequent_right(splits)
    weights = TfidfTransformer(sublinear_tf=True).fit(_counts(splits.train))
    rows = {
        name: weights.transform(_counts(getattr(splits, name)))
        for name in ("train", "validation", "test")
    }
    machines = [
        LinearSVC(C=penalty, random_state=0).fit(rows["train"], splits.train.labels)
        for penalty in SVM_PENALTIES
    ]
    scores = [machine.score(rows["validation"], splits.validation.labels) for machine in machines]
    return machines[int(np.argmax(scores))].predict(rows["test"]) == splits.test.labels


def _counts(source: LabelledSource) -> csr_matrix:
    return csr_matrix(vectors.matrix(source))


def _scored(right: np.ndarray) -> dict[str, float]:
    low, high = accuracy_interval(int(right.sum()), len(right))
    return {
        "count": len(right),
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
    }
