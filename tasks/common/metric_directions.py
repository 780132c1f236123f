"""Which way each number of a report is better, and which number of a report matters most."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal

Better = Literal["max", "min"]

# The one list of such names; a test goes through the names that the reports write.
LOWER_IS_BETTER = frozenset(
    {
        *("log_loss", "expected_calibration_error", "accuracy_deviation"),
        *("normalised_mean_error", "normalised_mean_error_box", "failure_rate"),
        *("abs_rel", "rmse", "log10", "depth_rms", "depth_mae"),
        *("kl", "mse", "squared_error", "relative_error"),
    }
)
# What describes a split, not how good a model is on it.
DESCRIPTIONS = frozenset({"count", "splits", "visible_share"})


@dataclasses.dataclass(frozen=True)
class Headline:
    """The most important number of a report.

    Attributes:
        metric: its name.
        better: whether it is better when larger or when smaller.
    """

    metric: str
    better: Better


ACCURACY = Headline("accuracy", "max")


def direction(metric: str) -> Better:
    """Whether a number is better when larger or when smaller; a bound is as what it bounds."""
    name = metric.removesuffix("_low").removesuffix("_high")
    return "min" if name in LOWER_IS_BETTER else "max"


def guessed_headline(metrics: Iterable[str]) -> Headline | None:
    """The headline of a report that does not name it, from the numbers in their order.

    That is the accuracy, else the first one; None where there is no number.
    """
    names = [name for name in metrics if name not in DESCRIPTIONS]
    if not names:
        return None
    if ACCURACY.metric in names:
        return ACCURACY
    return Headline(names[0], direction(names[0]))
