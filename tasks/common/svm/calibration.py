"""Decisions made probabilities: softmax(decisions / T) with one temperature T.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2. The order
of the classes stays as it was, so the most probable class is the one that the machine chooses.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from tasks.common.svm.dense import NEVER_SEEN

# Decisions lie around -1 and 1: outside of this, their softmax is 0 and 1, or the same for all.
LOWEST, HIGHEST = 0.01, 100.0


def log_loss(decisions: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Mean -ln softmax(decisions / temperature)[label], in nats."""
    scaled = decisions / temperature
    return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]))


def temperature(decisions: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest log-loss.

    Args:
        decisions: about examples that the machine was not fitted to, float (n, classes).
        labels: class ids, int (n,). Examples of a class that the machine never saw do not count.

    Returns:
        In [0.01, 100]; 1 where no example counts.
    """
    known = decisions[np.arange(len(labels)), labels] > NEVER_SEEN
    if not known.any():
        return 1.0
    # The log-loss is convex in 1 / T, and so has one minimum in ln T, too.
    found = minimize_scalar(
        lambda exponent: log_loss(decisions[known], labels[known], np.exp(exponent)),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
    )
    return float(np.exp(found.x))
