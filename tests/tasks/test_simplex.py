"""The nearest distribution, by hand and by SciPy's own minimisation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tasks.common.simplex import closest_distributions


def test_known_values() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.6, 0.6, -9.0]])
    expected = [[0.2, 0.5, 0.3], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]]
    np.testing.assert_allclose(closest_distributions(scores), expected, atol=1e-12)


def test_it_is_the_minimum_that_scipy_finds() -> None:
    scores = np.random.default_rng(0).normal(size=(5, 6))
    for row, found in zip(scores, closest_distributions(scores), strict=True):
        best = minimize(
            lambda p, row=row: np.sum((p - row) ** 2),
            np.full(6, 1 / 6),
            bounds=[(0, 1)] * 6,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            tol=1e-12,
        )
        np.testing.assert_allclose(found, best.x, atol=1e-5)


def test_rows_are_distributions_with_the_same_best_class_whatever_the_scores() -> None:
    random = np.random.default_rng(1)
    for scale in (1e-3, 1.0, 1e3, 1e30):
        scores = (scale * random.normal(size=(50, 46))).astype(np.float32)
        found = closest_distributions(scores)
        assert found.dtype == np.float32
        assert found.min() >= 0
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(found.argmax(axis=1), scores.argmax(axis=1))


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        closest_distributions(np.array([[0.0, np.nan]]))
