"""The maps of a whole split against where people looked, by every measure of the field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import keras
import numpy as np

from datasets.core import LabelledSource
from keras_models.metrics import saliency as map_metrics
from tasks.common.dense.report import mean_interval
from tasks.common.saliency import measures

EXPLANATIONS = {
    "cc": "correlation of the map with that of the fixations, on the network's places",
    "nss": "standardised map at the fixations, in standard deviations",
    "auc_judd": "area under the ROC curve, fixated pixels against all others",
    "shuffled_auc": "the same against where people looked on other pictures of the split",
    "kl": "divergence of the map from that of the fixations, in nats; less is better",
    "sim": "common part of the two maps as distributions",
    "mse": (
        "mean squared difference of the two maps, the truth 1 at its highest pixel before it is "
        "reduced to the network's places, where it is somewhat less; less is better. Only a "
        "network that learns by it is fitted to it: a density is 1 at its highest place, even if "
        "unsure. An earlier report with the deep network has 0.0384, on other pictures"
    ),
}
"""What the numbers are, in the order in which they are shown."""

MEASURES = tuple(EXPLANATIONS)
HEADLINE = "cc"

# The map measures of so many pictures are computed at a time.
_BATCH = 64
# The shuffled AUC takes its other places from at most so many pictures: with all of them the work
# would grow as the square of the split.
_OTHERS = 100

Scores = Mapping[str, np.ndarray]
"""Each measure for each picture, float64 (pictures,); NaN where it is not defined."""


@dataclasses.dataclass(frozen=True)
class Looked:
    """Where people looked at one picture.

    Attributes:
        size: height and width of the picture.
        fixations: (m, 2), x and y in pixels.
        observers: (m,).
    """

    size: tuple[int, int]
    fixations: np.ndarray
    observers: np.ndarray

    def shares(self) -> np.ndarray:
        """The fixations in shares of the picture's width and height."""
        height, width = self.size
        return self.fixations / np.array([width, height])


def looked_at(source: LabelledSource) -> list[Looked]:
    """The fixations on each picture of a source."""
    examples = (source.example(index) for index in range(len(source)))
    return [
        Looked(example["image"].shape[:2], example["fixations"], example["observers"])
        for example in examples
    ]


def score(predicted: np.ndarray, truth: np.ndarray, looked: Sequence[Looked]) -> Scores:
    """Every measure for every picture.

    CC, KL, SIM and the mean squared error compare the maps place by place as they are; the others
    look at the fixations on the map enlarged to the picture's own size.

    Args:
        predicted: float32 (n, map height, map width).
        truth: the same shape, maps of the fixations.
        looked: the fixations of each picture.
    """
    of_maps = _map_scores(predicted, truth)
    of_points = [
        _point_scores(saliency, each, others)
        for saliency, each, others in zip(predicted, looked, elsewhere(looked), strict=True)
    ]
    of_points = {name: np.array([each[name] for each in of_points]) for name in of_points[0]}
    scores = {**of_maps, **of_points}
    return {name: scores[name].astype(np.float64) for name in MEASURES}


def _map_scores(predicted: np.ndarray, truth: np.ndarray) -> Scores:
    functions: Mapping[str, Callable] = {
        "cc": map_metrics.map_correlation,
        "kl": map_metrics.map_divergence,
        "sim": map_metrics.map_similarity,
    }
    found: dict[str, list[np.ndarray]] = {name: [] for name in functions}
    for start in range(0, len(predicted), _BATCH):
        pair = (maps[start : start + _BATCH, ..., None] for maps in (truth, predicted))
        batch = tuple(np.asarray(maps, np.float32) for maps in pair)
        for name, function in functions.items():
            found[name].append(keras.ops.convert_to_numpy(function(*batch)))
    squared = np.square(predicted.astype(np.float64) - truth).mean(axis=(1, 2))
    return {**{name: np.concatenate(parts) for name, parts in found.items()}, "mse": squared}


def _point_scores(saliency: np.ndarray, looked: Looked, others: np.ndarray) -> dict[str, float]:
    enlarged = measures.resized(saliency, looked.size)
    return {
        "nss": measures.nss(enlarged, looked.fixations),
        "auc_judd": measures.auc_judd(enlarged, looked.fixations),
        "shuffled_auc": measures.shuffled_auc(enlarged, looked.fixations, others),
    }


def elsewhere(looked: Sequence[Looked]) -> Iterator[np.ndarray]:
    """For each picture the fixations on other ones, in shares of the sides, (k, 2).

    All other pictures, or of many the hundred that follow in a random order, which is the same
    for the same number of pictures.
    """
    shares = [each.shares() for each in looked]
    count = len(shares)
    order = np.random.default_rng(0).permutation(count)
    place = np.argsort(order)
    for index in range(count):
        steps = np.arange(1, min(count, _OTHERS + 1))
        chosen = order[(place[index] + steps) % count]
        yield np.concatenate([np.zeros((0, 2)), *(shares[other] for other in chosen)])


def summary(scores: Scores) -> dict[str, float]:
    """The mean of each measure over the pictures that have it, and its 95 % interval.

    Returns:
        Each measure under its name, its bounds as NAME_low and NAME_high, and `count` of pictures.
    """
    numbers: dict[str, float] = {}
    for name in MEASURES:
        known = scores[name][np.isfinite(scores[name])]
        numbers[name] = float(known.mean()) if len(known) else float("nan")
        numbers[f"{name}_low"], numbers[f"{name}_high"] = mean_interval(known)
    return {**numbers, "count": len(scores[HEADLINE])}


def averaged(parts: Iterable[Scores]) -> Scores:
    """The mean of several scores of the same pictures."""
    parts = list(parts)
    return {name: np.mean([part[name] for part in parts], axis=0) for name in MEASURES}
