"""What a sceptic would try first: the same depth everywhere, and the same map for every picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

MEDIAN = "median depth"
MEAN_MAP = "mean depth map"
# Depths that the median is taken of, at most, from each picture.
_SAMPLED = 2000


@dataclasses.dataclass(frozen=True)
class DepthBaselines:
    """Predictions that look at no picture.

    Attributes:
        median: of all known training pixels, metres.
        mean_map: float32 (height, width, 1), metres: the geometric mean of the training pictures
            at each place, because ratios are what counts; the median where none knows the depth.
    """

    median: float
    mean_map: np.ndarray

    def predictions(self, count: int) -> dict[str, np.ndarray]:
        """What each baseline says of `count` pictures, float32 (count, height, width, 1)."""
        shape = (count, *self.mean_map.shape)
        return {
            MEDIAN: np.full(shape, self.median, np.float32),
            MEAN_MAP: np.broadcast_to(self.mean_map, shape),
        }


def fit(truths: Iterable[np.ndarray]) -> DepthBaselines:
    """The baselines of a training split.

    Args:
        truths: float32 (n, height, width, 1), metres, 0 unknown; at least one batch with a known
            pixel.
    """
    sampled, logarithms, counts = [], 0.0, 0.0
    for truth in truths:
        known = truth > 0
        logarithms = logarithms + np.log(np.where(known, truth, 1.0)).sum(axis=0, dtype=np.float64)
        counts = counts + known.sum(axis=0)
        for picture in truth:
            depths = picture[picture > 0]
            sampled.append(depths[:: max(1, len(depths) // _SAMPLED)])
    median = float(np.median(np.concatenate(sampled)))
    mean = np.exp(logarithms / np.maximum(counts, 1))
    return DepthBaselines(median, np.where(counts > 0, mean, median).astype(np.float32))
