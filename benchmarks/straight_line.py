"""How far measured costs lie from growing in a straight line."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class StraightLine:
    """cost = constant + slope * size, by least squares.

    Attributes:
        constant: cost at size 0, such as the start of the program.
        slope: cost of one more.
        largest_deviation: the largest |cost - line| / line, as a share.
    """

    constant: float
    slope: float
    largest_deviation: float


def fit(sizes: Sequence[float], costs: Sequence[float]) -> StraightLine:
    """The line nearest to the costs.

    Args:
        sizes: at least three different ones: two points always lie on a line.
        costs: positive, one for each size.

    Raises:
        ValueError: there are too few sizes, or not one positive cost for each.
    """
    x, y = np.asarray(sizes, np.float64), np.asarray(costs, np.float64)
    if x.shape != y.shape or len(np.unique(x)) < 3 or y.min() <= 0:
        raise ValueError(
            "fit needs at least three sizes with a positive cost each. "
            f"Received: {sizes=}, {costs=}"
        )
    slope, constant = np.polyfit(x, y, 1)
    line = constant + slope * x
    deviation = np.max(np.abs(y - line) / np.abs(line))
    return StraightLine(float(constant), float(slope), float(deviation))
