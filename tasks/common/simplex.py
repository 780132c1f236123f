"""Scores of any kind as probabilities: the nearest point at which they are some."""

from __future__ import annotations

import numpy as np


def closest_distributions(scores: np.ndarray) -> np.ndarray:
    """The probability distribution nearest to each row, by Euclidean distance.

    The order of the classes stays, but that the lowest ones may tie at 0. Rows that are
    distributions stay as they are, up to rounding.

    Source: Duchi, Shalev-Shwartz, Singer & Chandra, "Efficient Projections onto the l1-Ball for
    Learning in High Dimensions", ICML 2008, figure 1.

    Args:
        scores: float (n, classes), finite.

    Returns:
        Float of the same shape and dtype, at least 0, each row summing to 1.

    Raises:
        ValueError: a score is not finite.
    """
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite. Received: NaN or infinity")
    # Near the largest score the differences count: a common shift changes nothing.
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    falling = -np.sort(-shifted, axis=1)
    ranks = np.arange(1, scores.shape[1] + 1)
    thresholds = (np.cumsum(falling, axis=1) - 1) / ranks
    kept = np.count_nonzero(falling > thresholds, axis=1)
    threshold = np.take_along_axis(thresholds, kept[:, None] - 1, axis=1)
    return np.maximum(shifted - threshold, 0).astype(scores.dtype)
