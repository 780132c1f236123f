"""The records of data sets that mark points on pictures.

Tensor contract: an example has `image`, uint8 (height, width, 3), RGB, upright; `points`, float32
(N, 2), x and y in pixels of that picture, from its left upper corner, (0, 0) where a point is
missing; and `label`, int64, the number of the person, which decides how the data is split.
"""

from __future__ import annotations

import dataclasses

from datasets.core import DatasetInfo, LabelledSource
from datasets.landmark_schemes import LandmarkScheme

LandmarkSource = LabelledSource
"""A source of such examples; its labels are the persons."""


@dataclasses.dataclass(frozen=True)
class LandmarkInfo(DatasetInfo):
    """What a data set of points is.

    Attributes:
        scheme: which points are marked.
    """

    scheme: LandmarkScheme
