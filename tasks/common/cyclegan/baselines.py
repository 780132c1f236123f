"""What a model that learned without pairs has to beat, and what it must not be mistaken for."""

from __future__ import annotations

import numpy as np

from datasets import core, dense_batches
from datasets.dense_batches import DenseBatching
from keras_models.depth_scale import SharesToMetres
from tasks.common.cyclegan.measures import metrics, statistics
from tasks.common.cyclegan.panels import to_shares

MEAN_MAP = "mean depth map"
CONSTANT = "constant depth"
GREY = "grey picture taken for depth"
OTHER = "depth of another scene"


def baselines(
    train: core.LabelledSource,
    test: core.LabelledSource,
    batching: DenseBatching,
    scale: SharesToMetres,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Test metrics of four answers that no network is needed for.

    The mean over all training maps, and over all their pixels: of all answers that ignore the
    picture those have the least error, and finding them needs depth, not pairs. The picture's
    brightness: what an adversarial network may fall back on. And a training map sampled at
    random for each test picture: the error of a generator that makes faultless depth maps of no
    scene in particular.
    """
    _, known_maps = _read(train, batching)
    seen = known_maps > 0
    shares = to_shares(known_maps, scale)
    pictures, metres = _read(test, batching)
    truth, known = to_shares(metres, scale), metres > 0
    counts = np.maximum(seen.sum(axis=0), 1)
    chosen = np.random.default_rng(seed).integers(0, len(shares), len(truth))
    answers = {
        MEAN_MAP: ((shares * seen).sum(axis=0) / counts, known),
        CONSTANT: ((shares * seen).sum() / max(seen.sum(), 1), known),
        GREY: (pictures.mean(axis=-1, keepdims=True) / 255, known),
        # A hole of the other map answers nothing.
        OTHER: (shares[chosen], known & seen[chosen]),
    }
    return {
        name: metrics(statistics(answer, truth, counted).sum(axis=0))
        for name, (answer, counted) in answers.items()
    }


def _read(source: core.LabelledSource, batching: DenseBatching) -> tuple[np.ndarray, np.ndarray]:
    """All pictures and all depth maps of a source."""
    parts = list(dense_batches.evaluation_batches(source, batching).as_numpy_iterator())
    pictures, metres = zip(*parts, strict=True)
    return np.concatenate(pictures), np.concatenate(metres)
