"""Checks of `--data` and of what belongs to one choice alone: a folder, or drawn pictures."""

from __future__ import annotations

import math
import typing
from types import ModuleType
from typing import Any

from tasks.common.errors import UserError
from tasks.common.option_checks import refuse

_MADE = ("rendered", "rendered_cars", "generated")


def check_data_dir(config: Any, content: str = "the folder of the pictures") -> None:
    """Finds data from files without `--data-dir`, and a folder beside data that is made here.

    Args:
        config: options with `data`, one of the names its type allows, and `data_dir`.
        content: what the folder holds, for the message.

    Raises:
        UserError: one of both.
    """
    if config.data not in _MADE and config.data_dir is None:
        raise UserError(f"--data {config.data} needs --data-dir: {content}.")
    if config.data in _MADE and config.data_dir is not None:
        names = typing.get_args(typing.get_type_hints(type(config))["data"])
        needed = " or ".join(f"--data {name}" for name in names if name not in _MADE)
        raise UserError(f"--data-dir needs {needed}.")


def check_metres_per_unit(config: Any) -> None:
    """Finds a scale of stored depth that is none, or that is given for depth that is made here.

    Args:
        config: options with `metres_per_unit`, None for what the files themselves say.

    Raises:
        UserError: one of both.
    """
    scale = config.metres_per_unit
    if scale is not None and not 0 < scale < math.inf:
        refuse("metres_per_unit", "above 0", scale)
    if scale is not None and config.data in _MADE:
        raise UserError("--metres-per-unit tells what stored depth means: add --data nyu.")


def check_drawn_size(config: Any, drawing: ModuleType, subject: str) -> None:
    """Finds an `image_size` in which nothing is drawn.

    Args:
        config: options with `image_size`.
        drawing: what draws; its SMALLEST_SIDE and LARGEST_SIDE are the bounds, in pixels.
        subject: what it draws, in the plural, for the message.

    Raises:
        UserError: a side is out of the bounds.
    """
    low, high = drawing.SMALLEST_SIDE, drawing.LARGEST_SIDE
    if not all(low <= side <= high for side in config.image_size):
        refuse("image_size", f"from {low} to {high} for drawn {subject}", config.image_size)


def check_drawn_count(config: Any, least: int = 1, amount: str = "one picture") -> None:
    """Finds a `rendered_count` that leaves too few pictures to a split.

    Args:
        config: options with `rendered_count`, a number for each split.
        least: the fewest pictures of a split.
        amount: the same in words, for the message.

    Raises:
        UserError: a split has fewer.
    """
    if min(config.rendered_count) < least:
        refuse("rendered_count", f"at least {amount} in each split", config.rendered_count)
