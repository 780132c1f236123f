"""The numbers of rebuilt pictures, by which cells and baselines are compared.

Pictures are float32 (n, height, width, 3), range [0, 255], originals at the size of the rebuilt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import keras
import numpy as np

from datasets import core, pipeline
from tasks.common.dense.report import mean_interval
from tasks.common.inversion import training

HEADLINE = "squared_error"
EXPLANATIONS = {
    "squared_error": (
        "mean squared error of pixels standardised by the mean and the deviation of each channel "
        "over the training pictures at the size of the rebuilt: 1 for a picture of the mean "
        "colour, on average over those"
    ),
    "relative_error": (
        "mean Euclidean distance of a rebuilt picture from its original, divided by the mean "
        "distance of two pictures of the split from each other (Dosovitskiy & Brox 2016, 4.2)"
    ),
}
# Pictures whose distances from each other are measured, each from each: 125,000 pairs.
_PAIRED = 500

Pairs = Iterable[tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Errors:
    """How far each rebuilt picture of a split is off.

    Attributes:
        squared: standardised squared error of each picture, (n,).
        distances: Euclidean distance of each from its original, in grey levels, (n,).
        pair_distance: mean distance of two originals; NaN where there is one picture.
    """

    squared: np.ndarray
    distances: np.ndarray
    pair_distance: float


def errors(pairs: Pairs, deviation: Sequence[float]) -> Errors:
    """What is kept of batches of originals with what was rebuilt of them."""
    squared, distances, originals = [], [], []
    for truth, rebuilt in pairs:
        off = rebuilt.astype(np.float64) - truth
        squared.append(np.square(off / np.asarray(deviation)).mean(axis=(1, 2, 3)))
        distances.append(np.sqrt(np.square(off).sum(axis=(1, 2, 3))))
        if sum(map(len, originals)) < _PAIRED:
            originals.append(truth)
    return Errors(
        np.concatenate(squared),
        np.concatenate(distances),
        mean_pair_distance(np.concatenate(originals)[:_PAIRED]),
    )


def mean_pair_distance(pictures: np.ndarray) -> float:
    """Mean Euclidean distance of two different pictures; NaN where there are fewer than two."""
    count = len(pictures)
    if count < 2:
        return float("nan")
    # Around their mean, so that the squares that cancel in the distances stay small.
    flat = pictures.reshape(count, -1).astype(np.float64)
    flat = flat - flat.mean(axis=0)
    squares = np.square(flat).sum(axis=1)
    between = np.maximum(squares[:, None] + squares[None] - 2 * flat @ flat.T, 0)
    return float(np.sqrt(between[np.triu_indices(count, 1)]).mean())


def numbers(found: Errors) -> dict[str, float]:
    """The numbers of a report, with the 95 % interval of the first."""
    low, high = mean_interval(found.squared)
    return {
        "squared_error": float(found.squared.mean()),
        "squared_error_low": low,
        "squared_error_high": high,
        "relative_error": float(found.distances.mean() / found.pair_distance),
        "count": len(found.squared),
    }


def rebuilt_by(
    model: keras.Model, source: core.LabelledSource, batching: pipeline.Batching
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batch after batch of originals with what a network rebuilds of them."""
    size = training.target_size(model)
    for pictures, _ in pipeline.evaluation_batches(source, batching):
        yield training.targets(pictures, size).numpy(), model.predict_on_batch(pictures)


def always(
    picture: np.ndarray, originals: Iterable[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same answer to every picture: what a network has to be better than.

    Args:
        picture: broadcast to (height, width, 3).
        originals: batches.
    """
    for truth in originals:
        yield truth, np.broadcast_to(picture, truth.shape)


def mean_picture(batches: Iterable[np.ndarray]) -> np.ndarray:
    """The mean of all pictures, pixel by pixel, float64 (height, width, 3)."""
    total, count = 0.0, 0
    for pictures in batches:
        total = total + pictures.sum(axis=0, dtype=np.float64)
        count += len(pictures)
    return total / count
