"""A fitted linear machine, with the scaling and the PCA before it, as one affine map."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

# Decision for a class that training never saw: far below any machine's, within float16.
NEVER_SEEN = -1e4


def weights(
    prepared: Pipeline, machine: LinearSVC, class_count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias such that features @ kernel + bias are the decisions.

    With the weights W and the bias b of the machine, behind a PCA with mean m and rows P, behind
    a scaler with mean u and deviations s:

        W P ((x - u) / s - m) + b = (W P / s) x + (b - W P m - (W P / s) u)

    A `Normalizer` is no affine map: it stays a layer of its own, before this one.

    Args:
        prepared: fitted scaling and PCA, of `machines.prepare`.
        machine: fitted, on what comes out of it.
        class_count: classes, also those without a training example.

    Returns:
        kernel, float32 (dimensions, class_count), and bias, float32 (class_count,).
    """
    rows, bias = _one_row_a_class(machine)
    for step in reversed([step for _, step in prepared.steps]):
        if isinstance(step, PCA):
            rows = rows @ step.components_
            bias = bias - rows @ step.mean_
        elif isinstance(step, StandardScaler):
            rows = rows / step.scale_
            bias = bias - rows @ step.mean_
    kernel = np.zeros((rows.shape[1], class_count), np.float32)
    kernel[:, machine.classes_] = rows.T
    offset = np.full(class_count, NEVER_SEEN, np.float32)
    offset[machine.classes_] = bias
    return kernel, offset


def decisions(machine: LinearSVC, prepared: np.ndarray, class_count: int) -> np.ndarray:
    """scikit-learn's own decisions with a column for every class.

    Args:
        machine: fitted.
        prepared: features behind scaling and PCA, float (n, dimensions).
        class_count: classes, also those without a training example.

    Returns:
        float64 (n, class_count): `decision_function`; for two classes, of which it gives one
        number d, the columns -d and d; `NEVER_SEEN` for a class that training never saw.
    """
    received = machine.decision_function(prepared)
    if received.ndim == 1:
        received = np.stack([-received, received], axis=1)
    every = np.full((len(prepared), class_count), NEVER_SEEN)
    every[:, machine.classes_] = received
    return every


def _one_row_a_class(machine: LinearSVC) -> tuple[np.ndarray, np.ndarray]:
    """Weights (classes, dimensions) and bias (classes,); two classes share one row, mirrored."""
    rows, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        return np.vstack([-rows, rows]), np.concatenate([-bias, bias])
    return rows, bias
