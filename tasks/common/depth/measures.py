"""The numbers of predicted depth, from sums that each picture adds.

A row of sums has the columns of `columns(steps)`: the number of known pixels, then the sum over
them of what each metric is the mean of. Sums of pictures are added, so that every known pixel of a
split counts alike, as in Eigen et al. 2014; and pictures can be resampled.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np

from keras_models.metrics import depth as metrics
from tasks.common.dense import report as dense_report

HEADLINE = "delta1"
NAMES = ("delta1", "delta2", "delta3", "abs_rel", "rmse", "log10")
EXPLANATIONS = {
    "delta1": "share of the known pixels with max(p / t, t / p) < 1.25; delta2 and delta3 are for "
    "1.25^2 and 1.25^3",
    "abs_rel": "mean of |p - t| / t",
    "rmse": "root of the mean squared error, metres",
    "log10": "mean of |log10 p - log10 t|",
}
# Metres: each range is twice as far as the one before, as an error of so many per cent is.
_FIRST_RANGE = 2.0


@dataclasses.dataclass(frozen=True)
class DepthScores:
    """How one predictor does on a split.

    Attributes:
        pictures: float64 (pictures, columns), sums by picture.
        ranges: float64 (ranges, columns), sums by range of the true depth.
        steps: the steps of the rounding accuracy, metres; the first one is the report's.
    """

    pictures: np.ndarray
    ranges: np.ndarray
    steps: tuple[float, ...]

    @property
    def total(self) -> np.ndarray:
        """The sums over all pictures, (columns,)."""
        return self.pictures.sum(axis=0)


def columns(steps: Sequence[float]) -> tuple[str, ...]:
    """What the columns of sums are."""
    return ("count", *NAMES, *(f"rounding_{step:g}" for step in steps))


def steps_of(rounding: float, maximum: float) -> tuple[float, ...]:
    """The steps that a report shows: that of the options, then ever finer shares of the range."""
    finer = (maximum / parts for parts in (1, 2, 5, 10, 20))
    return (rounding, *(step for step in finer if step != rounding))


def range_edges(maximum: float) -> np.ndarray:
    """Edges of the ranges of distance, metres: 0, 2, 4, 8, ... up to the largest depth."""
    edges = [0.0, _FIRST_RANGE]
    while edges[-1] < maximum:
        edges.append(2 * edges[-1])
    return np.array([*edges[:-1], max(maximum, edges[-2])])


def pixel_values(truth: np.ndarray, predicted: np.ndarray, steps: Sequence[float]) -> np.ndarray:
    """What each pixel adds to the sums, 0 where it is unknown.

    Args:
        truth: float32 (..., 1), metres, 0 unknown.
        predicted: of the same shape.
        steps: of the rounding accuracy, metres.

    Returns:
        float32 (columns, ...) without the last axis of the maps.
    """
    values = [
        (truth > 0).astype(np.float32),
        *(metrics.within_ratio(truth, predicted, power) for power in (1, 2, 3)),
        metrics.absolute_relative_error(truth, predicted),
        metrics.squared_error(truth, predicted),
        metrics.log10_error(truth, predicted),
        *(metrics.rounding_agreement(truth, predicted, step) for step in steps),
    ]
    return np.stack([keras.ops.convert_to_numpy(value)[..., 0] for value in values])


def numbers(sums: np.ndarray, steps: Sequence[float]) -> dict[str, float]:
    """Sums (columns,) as metrics by name; NaN where no pixel is known."""
    count = sums[0]
    means = sums[1:] / count if count else np.full(len(sums) - 1, np.nan)
    found = dict(zip(columns(steps)[1:], means.tolist(), strict=True))
    found["rmse"] = float(np.sqrt(found["rmse"]))
    return found


def report_numbers(scores: DepthScores) -> dict[str, float]:
    """The metrics that a report gives of a split, the headline with its 95 % interval.

    The interval is a bootstrap's, over pictures: neighbouring pixels say nearly the same.
    """
    found = numbers(scores.total, scores.steps)
    low, high = dense_report.bootstrap(
        scores.pictures, lambda sums: numbers(sums, scores.steps)[HEADLINE]
    )
    return {
        **{name: found[name] for name in NAMES},
        "rounding_accuracy": found[f"rounding_{scores.steps[0]:g}"],
        f"{HEADLINE}_low": low,
        f"{HEADLINE}_high": high,
        "count": len(scores.pictures),
    }


def picture_scores(scores: DepthScores) -> np.ndarray:
    """The headline of each picture, (pictures,); NaN where nothing is known of it."""
    count = scores.pictures[:, 0]
    column = columns(scores.steps).index(HEADLINE)
    return np.where(count > 0, scores.pictures[:, column] / np.maximum(count, 1), np.nan)


def score(
    batches: Iterable[tuple[np.ndarray, Mapping[str, np.ndarray]]],
    steps: Sequence[float],
    edges: np.ndarray,
) -> dict[str, DepthScores]:
    """How each of several predictors does, in one pass over a split.

    Args:
        batches: truth, float32 (n, height, width, 1), with the prediction of each predictor by its
            name, of the same shape.
        steps: of the rounding accuracy, metres.
        edges: of the ranges of distance, metres.
    """
    pictures: dict[str, list[np.ndarray]] = {}
    ranges: dict[str, np.ndarray] = {}
    for truth, predictions in batches:
        inside = [
            (truth[..., 0] > low) & (truth[..., 0] <= high)
            for low, high in itertools.pairwise(edges)
        ]
        for name, predicted in predictions.items():
            values = pixel_values(truth, predicted, steps)
            sums = values.sum(axis=(2, 3), dtype=np.float64).T
            pictures.setdefault(name, []).append(sums)
            by_range = np.stack([values[:, mask].sum(axis=1, dtype=np.float64) for mask in inside])
            ranges[name] = ranges.get(name, 0) + by_range
    return {
        name: DepthScores(np.concatenate(parts), ranges[name], tuple(steps))
        for name, parts in pictures.items()
    }
