"""The options that a task that finds points on pictures adds to the common ones."""

from __future__ import annotations

import dataclasses
from typing import Literal

from tasks.common.config import TrainConfig
from tasks.common.option_checks import (
    check_split_fractions,
    check_training,
    refuse,
    require_at_least,
    require_shares,
)


@dataclasses.dataclass(frozen=True)
class LandmarkConfig(TrainConfig):
    """Options of a task that finds points on pictures."""

    image_size: tuple[int, int] = (96, 96)
    """Height and width of the pictures the network sees, in pixels; black fills what is left."""
    validation_fraction: float = 0.15
    """Share of the pictures kept for validation; the data is split by person."""
    test_fraction: float = 0.2
    """Share of the pictures kept for the test."""
    person_pattern: str | None = None
    """Regular expression whose first group is the person in a picture's name; by default MUCT's
    naming, or what stands before the last `_number`."""
    skip_bad_images: bool = False
    """Leave out pictures that are missing or cannot be read, and list them, instead of stopping."""
    cache_megabytes: int = 1024
    """Decoded pictures are kept in memory up to this size, in MB of 10^6 bytes."""

    augment: tuple[Literal["flip", "affine", "colour", "erase"], ...] = ("flip", "affine", "colour")
    """Random changes of each training picture and its points, made in this order; `--augment`
    alone for none. `affine` turns, scales and shifts."""
    loss: Literal["masked_euclidean", "mse", "l1"] = "masked_euclidean"
    """Mean distance of the points, mean squared or mean absolute error of the coordinates; none of
    them counts missing points."""
    head: Literal["flattened", "pooled"] = "flattened"
    """What the last layer sees of the backbone's maps: every place, or the average of all."""
    dropout: float = 0.2
    """Share of the head's features dropped while training."""

    @property
    def resizing(self) -> str:
        """How a picture gets the network's size; faces are never stretched."""
        return "pad"


def check_landmarks(config: LandmarkConfig) -> None:
    """Finds options that are out of range, before any work.

    Raises:
        UserError: the first one found.
    """
    check_training(config)
    check_split_fractions(config)
    require_at_least(config, ("cache_megabytes",), 0)
    require_shares(config, ("dropout",))
    if min(config.image_size) < 1:
        refuse("image_size", "positive", config.image_size)
