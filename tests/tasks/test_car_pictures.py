"""The pictures of cars that several tasks share, from each of their sources."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.common import car_pictures
from tasks.common.car_pictures_config import CarPicturesConfig, check_car_pictures
from tasks.common.errors import UserError
from tests.datasets.stanford_layouts import drawn_cars, original

DRAWN = CarPicturesConfig(image_size=(32, 40), rendered_count=(9, 4, 5), rendered_classes=3)


def test_drawn_cars_are_as_many_as_asked_for() -> None:
    splits = car_pictures.load(DRAWN)
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [9, 4, 5]
    assert len(splits.info.class_names) == 3
    assert splits.train.example(0)["image"].shape == (32, 40, 3)
    other = car_pictures.load(dataclasses.replace(DRAWN, seed=1))
    pictures = [part.train.example(0)["image"] for part in (splits, other)]
    assert not np.array_equal(*pictures)


def test_limit_keeps_fewer() -> None:
    assert len(car_pictures.load(dataclasses.replace(DRAWN, limit=3)).train) == 3


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    for name in ("coupe", "van"):
        (tmp_path / name).mkdir()
        for number in range(10):
            Image.new("RGB", (8, 6), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    splits = car_pictures.load(CarPicturesConfig(data="folder", data_dir=tmp_path))
    assert splits.info.class_names == ("coupe", "van")
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 20


def test_a_copy_of_stanford_cars(tmp_path: Path) -> None:
    original(tmp_path, drawn_cars())
    config = CarPicturesConfig(data="stanford_cars", data_dir=tmp_path, validation_fraction=0.3)
    splits = car_pictures.load(config)
    assert splits.info.name == "stanford_cars"
    assert [len(splits.train) + len(splits.validation), len(splits.test)] == [15, 9]


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"data": "folder"}, "--data-dir"),
        ({"data_dir": Path("cars")}, "--data"),
        ({"rendered_count": (100, 100, 7)}, "--rendered-count"),
        ({"image_size": (2000, 96)}, "--image-size"),
        ({"rendered_classes": 1}, "--rendered-classes"),
    ],
)
def test_options_that_do_not_fit_are_refused(changes: dict, option: str) -> None:
    with pytest.raises(UserError, match=option):
        check_car_pictures(dataclasses.replace(CarPicturesConfig(), **changes))
