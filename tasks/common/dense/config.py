"""The options that a task for dense prediction adds to the common ones."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Literal

from tasks.common.config import TrainConfig
from tasks.common.option_checks import (
    check_split_fractions,
    check_training,
    refuse,
    require_at_least,
)


@dataclasses.dataclass(frozen=True)
class DenseConfig(TrainConfig):
    """Options of a task that answers a picture with a map of its size."""

    data_dir: Path | None = None
    """Folder of the data; everything but drawn streets needs it."""
    image_size: tuple[int, int] = (96, 128)
    """Height and width of the pictures the network sees, in pixels; others are stretched to it."""
    validation_fraction: float = 0.15
    """Share of the pictures kept for validation where the data has no own split."""
    test_fraction: float = 0.2
    """Share kept for the test where the data has no own split."""
    skip_bad_images: bool = False
    """Leave out pictures that cannot be read, and list them, instead of stopping."""
    cache_megabytes: int = 2048
    """Decoded pictures and maps are kept in memory up to this size, in MB of 10^6 bytes."""

    augment: tuple[Literal["flip", "zoom", "turn", "colour", "channels", "erase"], ...] = (
        "flip",
        "colour",
    )
    """Random changes of each training picture and its maps together; `--augment` alone for none.
    `channels` swaps red, green and blue now and then."""
    zoom: tuple[float, float] = (1.0, 1.5)
    """Smallest and largest factor by which `zoom` changes the size of what is seen."""
    turn: float = 0.1
    """Largest angle by which `turn` turns to either side, in radians."""

    @property
    def resizing(self) -> str:
        """How a picture gets the network's size: a map can be stretched back."""
        return "squash"


def check_dense(config: DenseConfig) -> None:
    """Finds options that are out of range, before any work.

    Raises:
        UserError: the first one found.
    """
    check_training(config)
    check_split_fractions(config)
    require_at_least(config, ("cache_megabytes",), 0)
    if min(config.image_size) < 1:
        refuse("image_size", "positive", config.image_size)
    if not 0 < config.zoom[0] <= config.zoom[1] < math.inf:
        refuse("zoom", "two positive factors, the smaller one first", config.zoom)
    if not 0 <= config.turn <= math.pi:
        refuse("turn", "from 0 to 3.14 radians", config.turn)
