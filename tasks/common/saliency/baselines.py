"""What a sceptic compares a model of attention with: the middle, other people, and chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from datasets.fixation_maps import Blur, saliency_map
from tasks.common.saliency import evaluation, measures
from tasks.common.saliency.evaluation import Looked, Scores


def centre_bias(training_maps: Iterable[np.ndarray]) -> np.ndarray:
    """The mean map of the training pictures, float32 (map height, map width).

    It is where people look on any picture of the kind, by everything the training fixations tell
    about it, and stands for every test picture: the strongest map that sees no picture.

    Args:
        training_maps: batches, float32 (n, map height, map width); at least one map in all.
    """
    total, count = 0.0, 0
    for maps in training_maps:
        total = total + maps.sum(axis=0, dtype=np.float64)
        count += len(maps)
    return (total / count).astype(np.float32)


def same_for_all(saliency: np.ndarray, truth: np.ndarray, looked: Sequence[Looked]) -> Scores:
    """The scores of one map that stands for every picture.

    Args:
        saliency: (map height, map width).
        truth: maps of the fixations, (n, map height, map width).
        looked: the fixations of each picture.
    """
    return evaluation.score(np.broadcast_to(saliency, truth.shape), truth, looked)


def human_consistency(
    looked: Sequence[Looked], map_size: tuple[int, int], blur: Blur, seed: int = 0
) -> Scores:
    """How well one half of the observers of each picture predicts where the other half looked.

    Each half predicts the other, and the two scores are averaged. Maps of half as many observers
    are noisier, on both sides, so that a model measured against all of them may come out above:
    a lower bound of what people agree on.

    Args:
        looked: the fixations of each picture; those of fewer than two observers have NaN.
        map_size: height and width of the maps that are compared.
        blur: what makes maps of fixations.
        seed: decides with the number of the picture which observers are in which half.
    """
    halves = [_halves(each, [seed, index]) for index, each in enumerate(looked)]
    alone = np.array([not all(len(half.fixations) for half in pair) for pair in halves])
    # A picture of one observer has no other half; any map stands for it until it is taken out.
    pairs = [
        (each, each) if single else pair
        for each, pair, single in zip(looked, halves, alone, strict=True)
    ]
    directions = [
        evaluation.score(
            _maps([pair[1 - side] for pair in pairs], map_size, blur),
            _maps([pair[side] for pair in pairs], map_size, blur),
            [pair[side] for pair in pairs],
        )
        for side in (0, 1)
    ]
    scores = evaluation.averaged(directions)
    return {name: np.where(alone, np.nan, values) for name, values in scores.items()}


def _halves(looked: Looked, seed: Sequence[int]) -> tuple[Looked, Looked]:
    observers = np.random.default_rng(seed).permutation(np.unique(looked.observers))
    first = np.isin(looked.observers, observers[: len(observers) // 2])
    return tuple(
        Looked(looked.size, looked.fixations[half], looked.observers[half])
        for half in (first, ~first)
    )


def _maps(looked: Sequence[Looked], map_size: tuple[int, int], blur: Blur) -> np.ndarray:
    return np.stack(
        [
            measures.resized(saliency_map(each.fixations, each.size, blur), map_size)
            for each in looked
        ]
    )
