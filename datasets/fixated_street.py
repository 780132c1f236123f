"""The rendered street with its made-up fixations, as examples of `datasets.saliency`."""

from __future__ import annotations

import numpy as np

from datasets.core import DatasetInfo, Splits
from datasets.fixation_maps import Blur
from datasets.rendered.street.source import RenderedStreet
from datasets.saliency import fixated_example


class FixatedStreet:
    """Drawn streets with made-up fixations; see `datasets.saliency`."""

    def __init__(self, count: int, seed: int, image_size: tuple[int, int], blur: Blur) -> None:
        """See `datasets.rendered.street.source.RenderedStreet`.

        Raises:
            ValueError: an argument is out of its range.
        """
        self._street = RenderedStreet(count, seed, image_size)
        self._blur = blur

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self._street)

    @property
    def labels(self) -> np.ndarray:
        """Zeros, int64, shape (len,)."""
        return self._street.labels

    def identifier(self, index: int) -> str:
        """The name of a scene."""
        return self._street.identifier(index)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """A scene with its fixations, its other labels left out."""
        scene = self._street.example(index)
        points, observers = scene["fixations"], scene["fixation_observers"]
        return fixated_example(scene["image"], points, observers, self._blur)


def load(
    counts: tuple[int, int, int], image_size: tuple[int, int], seed: int, blur: Blur
) -> Splits:
    """Drawn streets for training, validation and test, with seeds of their own as in `street.load`.

    Args:
        counts: scenes of training, validation and test.
        image_size: height and width in pixels.
        seed: at least 0.
        blur: what makes maps of fixations.

    Raises:
        ValueError: an argument is out of its range.
    """
    parts = [
        FixatedStreet(count, 3 * seed + part, image_size, blur) for part, count in enumerate(counts)
    ]
    info = DatasetInfo(
        name="rendered_street",
        class_names=(),
        description=(
            "Drawn streets with the fixations of ten made-up observers; each split is drawn from "
            f"a seed of its own (seed {seed})."
        ),
        origin="drawn by this project",
        licence="that of this project",
    )
    return Splits(*parts, info=info)
