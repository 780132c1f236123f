"""Points around one centre a class, on very different scales: features for the tests of SVMs."""

from __future__ import annotations

import numpy as np

from tasks.common.labelled_features import LabelledFeatures

DIMENSIONS = 6


def clouds(
    classes: tuple[int, ...] = (0, 1, 2), count: int = 60, seed: int = 0, views: int = 1
) -> LabelledFeatures:
    """`count` points a view, labelled by turns; later views are the first with a little noise."""
    random = np.random.default_rng(seed)
    labels = np.resize(classes, count)
    centres = np.random.default_rng(1).normal(size=(max(classes) + 1, DIMENSIONS))
    plain = centres[labels] + random.normal(size=(count, DIMENSIONS))
    shown = [plain, *(plain + random.normal(0, 0.1, plain.shape) for _ in range(views - 1))]
    scaled = np.concatenate(shown) * [1, 10, 0.1, 5, 1, 100] + [0, 50, 1, 0, -3, 1000]
    return LabelledFeatures(scaled.astype(np.float32), labels)
