"""Checks of the choice of data, whose messages name every choice that would do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from tasks.common.data_choice import check_data_dir, check_drawn_count, check_drawn_size
from tasks.common.errors import UserError

DRAWING = SimpleNamespace(SMALLEST_SIDE=32, LARGEST_SIDE=64)


@dataclasses.dataclass(frozen=True)
class Config:
    """Options as a task has them."""

    data: Literal["rendered", "muct", "csv"] = "rendered"
    data_dir: Path | None = None
    image_size: tuple[int, int] = (32, 64)
    rendered_count: tuple[int, int, int] = (5, 2, 3)


@pytest.mark.parametrize("config", [Config(), Config(data="csv", data_dir=Path("x"))])
def test_data_that_fits_its_folder_passes(config: Config) -> None:
    check_data_dir(config)


def test_files_need_a_folder() -> None:
    with pytest.raises(UserError, match=r"^--data csv needs --data-dir: the folder of points\.$"):
        check_data_dir(Config(data="csv"), "the folder of points")


def test_a_folder_needs_data_from_files() -> None:
    with pytest.raises(UserError, match=r"^--data-dir needs --data muct or --data csv\.$"):
        check_data_dir(Config(data_dir=Path("x")))


@pytest.mark.parametrize("size", [(31, 64), (32, 65), (0, 0)])
def test_a_size_out_of_bounds_is_refused(size: tuple[int, int]) -> None:
    check_drawn_size(Config(), DRAWING, "faces")
    with pytest.raises(UserError, match="--image-size must be from 32 to 64 for drawn faces"):
        check_drawn_size(Config(image_size=size), DRAWING, "faces")


def test_each_split_needs_pictures() -> None:
    check_drawn_count(Config(), 2, "two pictures")
    with pytest.raises(UserError, match="--rendered-count must be at least three pictures in each"):
        check_drawn_count(Config(), 3, "three pictures")
