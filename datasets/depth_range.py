"""Any source of pictures with depth, as a task that learns depth between two bounds sees it."""

from __future__ import annotations

import numpy as np

from datasets.core import LabelledSource, Viewed
from datasets.dense_maps import MapKind

DEPTH = MapKind("depth", "known", fill=0.0, zoom_exponent=-1.0)
"""Depth, metres; 0 is unknown."""


def depth_within(source: LabelledSource, minimum: float, maximum: float) -> Viewed:
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
    if not 0 < minimum < maximum:
        raise ValueError(
            f"The bounds must be above 0 and in order. Received: {minimum=}, {maximum=}"
        )

    def bounded(example: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        depth = np.asarray(example["depth"], np.float32)
        # Both comparisons are false for NaN.
        inside = (depth >= minimum) & (depth <= maximum)
        return _with_depth(example, np.where(inside, depth, np.float32(0)))

    return Viewed(source, bounded)


def depth_with_sky(source: LabelledSource, metres: float) -> Viewed:
    """The pictures of `source`, in which a depth of 0 is the sky's, with the sky at `metres`.

    So a depth of 0 has one meaning for whoever learns from them: nobody measured it.
    """

    def known(example: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        depth = np.asarray(example["depth"], np.float32)
        return _with_depth(example, np.where(depth > 0, depth, np.float32(metres)))

    return Viewed(source, known)


def _with_depth(example: dict[str, np.ndarray], depth: np.ndarray) -> dict[str, np.ndarray]:
    return {"image": example["image"], "depth": depth, "label": example["label"]}
