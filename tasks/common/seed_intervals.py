"""Means over seeds with intervals that hold although each cell has few seeds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import t


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean over seeds.

    Attributes:
        mean: of the values.
        half_width: the interval is mean - half_width to mean + half_width; NaN where nothing can
            be said, because no group has two values.
        values: one a seed.
    """

    mean: float
    half_width: float
    values: tuple[float, ...]


def pooled_intervals(
    groups: Mapping[str, Sequence[float]], confidence: float = 0.95
) -> dict[str, Interval]:
    """Intervals of the groups' means, with one standard deviation pooled over all groups.

    Two or three seeds a group say little about their spread: alone, two give an interval of 12.7
    standard errors. Taking the spread for equal in all groups, as the analysis of variance does,
    it is estimated from all of them:

        s^2 = sum of squared deviations from each group's own mean / f,   f = sum of (n_g - 1)
        half width of group g = t(f, (1 + confidence) / 2) * s / sqrt(n_g)

    Source: any text on one-way analysis of variance, such as Montgomery, "Design and Analysis of
    Experiments", section 3.3. With one group it is Student's interval.

    Args:
        groups: values by name, one a seed, each group with at least one.
        confidence: in (0, 1).
    """
    values = {name: np.asarray(group, np.float64) for name, group in groups.items()}
    freedom = sum(len(group) - 1 for group in values.values())
    squares = sum(float(np.sum((group - group.mean()) ** 2)) for group in values.values())
    wide = math.nan
    if freedom > 0:
        wide = float(t.ppf((1 + confidence) / 2, freedom)) * math.sqrt(squares / freedom)
    return {
        name: Interval(float(group.mean()), wide / math.sqrt(len(group)), tuple(group.tolist()))
        for name, group in values.items()
    }
