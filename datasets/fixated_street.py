"""The rendered street with its made-up fixations, as examples of `datasets.saliency`."""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.core import Splits, Viewed, view_splits
from datasets.fixation_maps import Blur
from datasets.rendered.street import source
from datasets.saliency import fixated_example


def load(
    counts: tuple[int, int, int], image_size: tuple[int, int], seed: int, blur: Blur
) -> Splits:
    """Drawn streets for training, validation and test; see `datasets.rendered.street.source.load`.

    Args:
        counts: scenes of training, validation and test.
        image_size: height and width in pixels.
        seed: at least 0.
        blur: what makes maps of fixations.

    Raises:
        ValueError: an argument is out of its range.
    """

    def fixated(scene: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        points, observers = scene["fixations"], scene["fixation_observers"]
        return fixated_example(scene["image"], points, observers, blur)

    splits = source.load(*counts, image_size, seed)
    info = dataclasses.replace(
        splits.info,
        class_names=(),
        description=(
            "Drawn streets with the fixations of ten made-up observers; each split is drawn from "
            f"a seed of its own (seed {seed})."
        ),
    )
    splits = view_splits(splits, lambda part: Viewed(part, fixated))
    return dataclasses.replace(splits, info=info)
