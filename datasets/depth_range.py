"""Any source of pictures with depth, seen by a task that learns depth between two bounds."""

from __future__ import annotations

import numpy as np

from datasets.core import LabelledSource
from datasets.dense_maps import MapKind

DEPTH = MapKind("depth", "nearest", fill=0.0, zoom_exponent=-1.0)
"""Depth, metres; 0 is unknown. Interpolated, an edge would stand where nothing is."""


class DepthRange:
    """The pictures of `source` with the depth between two bounds, and nothing else of them.

    What is nearer or farther is unknown, 0: the usual cap of an evaluation, such as 80 m on KITTI
    (Eigen, Puhrsch, Fergus 2014, section 4).

    Tensor contract of an example: `image`, uint8 (height, width, 3); `depth`, float32 (height,
    width), metres, 0 or in [minimum, maximum]; `label`.

    Args:
        source: examples with `image`, `depth` and `label`.
        minimum: metres, above 0.
        maximum: metres, may be infinite.

    Raises:
        ValueError: the bounds are not in order.
    """

    def __init__(self, source: LabelledSource, minimum: float, maximum: float) -> None:
        if not 0 < minimum < maximum:
            raise ValueError(
                f"The bounds must be above 0 and in order. Received: {minimum=}, {maximum=}"
            )
        self._source = source
        self._minimum = minimum
        self._maximum = maximum

    def __len__(self) -> int:
        return len(self._source)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The example at `index`.

        Raises:
            DataError: as the source.
        """
        example = self._source.example(index)
        depth = np.asarray(example["depth"], np.float32)
        # Turned around, NaN would pass.
        inside = (depth >= self._minimum) & (depth <= self._maximum)
        return {
            "image": example["image"],
            "depth": np.where(inside, depth, np.float32(0)),
            "label": example["label"],
        }

    def identifier(self, index: int) -> str:
        return self._source.identifier(index)

    @property
    def labels(self) -> np.ndarray:
        return self._source.labels
