"""Drawn streets with the class of each pixel; see `datasets.rendered.street`."""

from __future__ import annotations

import numpy as np

from datasets.class_masks import ClassMaskInfo
from datasets.core import Splits
from datasets.rendered.street import source
from datasets.rendered.street.classes import CLASS_COLOURS, VOID


class StreetMasks:
    """Of each scene its `image`, `mask` (11 is void) and `label` alone, so that more are kept."""

    def __init__(self, streets: source.RenderedStreet) -> None:
        """Take the scenes."""
        self._streets = streets

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self._streets)

    @property
    def labels(self) -> np.ndarray:
        """Zeros, int64, shape (len,): a scene as a whole is of no class."""
        return self._streets.labels

    def identifier(self, index: int) -> str:
        """The name of a scene."""
        return self._streets.identifier(index)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture and the class of each of its pixels."""
        drawn = self._streets.example(index)
        return {name: drawn[name] for name in ("image", "mask", "label")}


def load(train: int, validation: int, test: int, image_size: tuple[int, int], seed: int) -> Splits:
    """Drawn streets for training, validation and test; see `datasets.rendered.street.source.load`.

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
    parts = (StreetMasks(part) for part in (splits.train, splits.validation, splits.test))
    return Splits(*parts, info)
