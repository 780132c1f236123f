"""How far generated depth lies from true depth, on the scale of [0, 1].

Everything comes from sums over pixels, so that whole splits and resampled pictures are measured
alike.
"""

from __future__ import annotations

import math

import keras
import numpy as np

from datasets import core
from datasets.dense_batches import DenseBatching
from tasks.common.cyclegan.panels import scale_of, to_shares
from tasks.common.dense.training import predictions

EXPLANATIONS = {
    "depth_rms": "root of the mean squared difference of generated and true depth, both in [0, 1]",
    "depth_mae": "mean absolute difference of the two",
    "depth_correlation": "Pearson's, over all pixels of all pictures: a generator that makes "
    "depth maps as they might be, whatever it is shown, reaches what the depth of another scene "
    "reaches",
}


def statistics(predicted: np.ndarray, truth: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What each picture adds to the metrics.

    Args:
        predicted: shares, (n, height, width, 1) or anything that broadcasts to it.
        truth: shares, (n, height, width, 1).
        known: where the truth is known, likewise.

    Returns:
        float64 (n, 8): pixels, squared and absolute differences, sums of prediction and truth, of
        their squares and of their product.
    """
    x = np.broadcast_to(np.asarray(predicted, np.float64), truth.shape)
    y = truth.astype(np.float64)
    terms = (np.ones_like(y), (x - y) ** 2, np.abs(x - y), x, y, x * x, y * y, x * y)
    sums = [(term * known).reshape(len(y), -1).sum(axis=1) for term in terms]
    return np.stack(sums, axis=1)


def metrics(total: np.ndarray) -> dict[str, float]:
    """The numbers of `EXPLANATIONS` from the sum of `statistics` over pictures, (8,).

    What is not defined is left out: everything where no pixel is known, the correlation of what
    is the same everywhere.
    """
    count, squared, absolute, x, y, xx, yy, xy = total
    if count == 0:
        return {}
    numbers = {"depth_rms": math.sqrt(squared / count), "depth_mae": float(absolute / count)}
    of_prediction, of_truth = xx / count - (x / count) ** 2, yy / count - (y / count) ** 2
    # Below lies what rounding leaves of numbers in [0, 1] that are all the same.
    if min(of_prediction, of_truth) > 1e-12:
        together = xy / count - x * y / count**2
        numbers["depth_correlation"] = float(together / math.sqrt(of_prediction * of_truth))
    return numbers


def rms(total: np.ndarray) -> float:
    """The first of the metrics alone, for resampling; NaN where no pixel is known."""
    return math.sqrt(total[1] / total[0]) if total[0] else math.nan


def of_model(
    model: keras.Model, source: core.LabelledSource, batching: DenseBatching
) -> np.ndarray:
    """`statistics` of every picture of a source, (n, 8)."""
    scale = scale_of(model)
    return np.concatenate(
        [
            statistics(to_shares(predicted, scale), to_shares(metres, scale), metres > 0)
            for _, metres, predicted in predictions(model, source, batching)
        ]
    )
