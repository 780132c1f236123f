"""What stands beside a picture in data sets for dense prediction: maps, a value for each pixel.

Tensor contract: an example has `image`, uint8 (height, width, 3), RGB, upright; one array (height,
width) for each map of the task; and `label`, int64, the group that the example belongs to, such as
its sequence, which decides how data is split; 0 where there are no groups.
"""

from __future__ import annotations

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class MapKind:
    """One map of an example, and how it follows its picture when that is resized and moved.

    Attributes:
        name: key of the example.
        interpolation: `nearest` where values between two values mean nothing, such as class ids;
            `known` for quantities of which 0 is unknown, such as depth: a resized map has the means
            of what is known, one that is moved keeps its values; `bilinear` for anything else.
        fill: value of what lies outside of the picture: the id of void, 0 for unknown depth.
        zoom_exponent: values are multiplied by the zoom to this power. Depth has -1: what is seen
            twice as large stands at half the distance (Eigen, Puhrsch, Fergus 2014, section 3.4).
    """

    name: str
    interpolation: Literal["nearest", "known", "bilinear"]
    fill: float
    zoom_exponent: float = 0.0
