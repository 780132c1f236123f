"""Logistic regression on features, solved to its optimum, also as the weights of a Dense layer."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tasks.common.labelled_features import LabelledFeatures

if TYPE_CHECKING:
    import keras

# Inverse strengths of the L2 penalty that are tried, the strongest penalty first; validation
# chooses, and of equals the strongest.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
# More iterations fit the training examples closer, not the validation examples better.
ITERATIONS = 200
# Logit of a class that training never saw: e^-30 of the weight of a class with logit 0.
_NEVER_SEEN = -30.0


def solve(
    class_weight: str | None,
    tail: keras.Model,
    train: LabelledFeatures,
    validation: LabelledFeatures,
    working: Callable[[], None] = lambda: None,
) -> None:
    """Sets `logits` of the tail to the optimum of logistic regression on all views, in place.

    Where training has one class alone there is nothing to solve, and the tail stays as it is.

    Args:
        class_weight: None, or "balanced" to weigh classes inversely to how often they occur.
        tail: of a network of `transfer.build_classifier`, from pooled features on.
        train, validation: stored features; validation chooses the penalty.
        working: called before the work; may raise to leave it.
    """
    working()
    if len(np.unique(train.labels)) == 1:
        return
    features = {"train": train.features, "validation": validation.plain}
    labels = {"train": train.row_labels, "validation": validation.labels}
    fitted = fit(features, labels, class_weight)
    dense = tail.get_layer("logits")
    dense.set_weights(list(dense_weights(fitted, dense.units)))


def fit(
    features: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
    class_weight: str | None = None,
) -> Pipeline:
    """Standardisation and multinomial logistic regression; validation chooses the penalty.

    Args:
        features: of `train` and `validation`, float (n, dimensions).
        labels: of `train` and `validation`, int (n,); at least two classes in training.
        class_weight: None, or "balanced" to weigh classes inversely to how often they occur.
    """
    scaler = StandardScaler()
    scaled = {
        "train": scaler.fit_transform(features["train"]),
        "validation": scaler.transform(features["validation"]),
    }
    best, best_score = None, -1.0
    # Each penalty goes on from the solution of the stronger one before it.
    model = LogisticRegression(max_iter=ITERATIONS, class_weight=class_weight, warm_start=True)
    for penalty in PENALTIES:
        model.set_params(C=penalty)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaled["train"], labels["train"])
        score = model.score(scaled["validation"], labels["validation"])
        if score > best_score:
            best, best_score = copy.deepcopy(model), score
    return Pipeline([("scaler", scaler), ("model", best)])


def dense_weights(fitted: Pipeline, class_count: int) -> tuple[np.ndarray, np.ndarray]:
    """The fitted model as one affine map: softmax(features @ kernel + bias) are its probabilities.

    w . (x - mean) / deviation + b = (w / deviation) . x + (b - w . mean / deviation)

    Args:
        fitted: what `fit` gave.
        class_count: classes, also those without a training example.

    Returns:
        kernel, float32 (dimensions, class_count), and bias, float32 (class_count,).
    """
    scaler, model = fitted[0], fitted[-1]
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        # One row w: sigmoid(w . x) is the second entry of softmax(-w . x / 2, w . x / 2).
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / scaler.scale_
    kernel = np.zeros((weights.shape[1], class_count), np.float32)
    kernel[:, model.classes_] = weights.T
    offset = np.full(class_count, _NEVER_SEEN, np.float32)
    offset[model.classes_] = bias - weights @ scaler.mean_
    return kernel, offset
