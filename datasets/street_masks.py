"""Drawn streets with the class of each pixel; see `datasets.rendered.street`."""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.class_masks import ClassMaskInfo
from datasets.core import Splits, Viewed, view_splits
from datasets.rendered.street import source
from datasets.rendered.street.classes import CLASS_COLOURS, VOID


def load(train: int, validation: int, test: int, image_size: tuple[int, int], seed: int) -> Splits:
    """Drawn streets for training, validation and test; see `datasets.rendered.street.source.load`.

    An example has its `image`, `mask` (11 is void) and `label`.

    Raises:
        ValueError: an argument is out of its range.
    """
    splits = source.load(train, validation, test, image_size, seed)
    info = ClassMaskInfo(
        name=splits.info.name,
        class_names=splits.info.class_names[:VOID],
        description=splits.info.description,
        origin=splits.info.origin,
        licence=splits.info.licence,
        class_colours=CLASS_COLOURS[:VOID],
    )
    splits = view_splits(splits, lambda part: Viewed(part, _mask_alone))
    return dataclasses.replace(splits, info=info)


def _mask_alone(scene: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A scene without its other labels, so that more of them are kept in memory."""
    return {name: scene[name] for name in ("image", "mask", "label")}
