"""Cityscapes as it is unpacked, in tiny pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets import cityscapes
from datasets.core import DataError
from tests.datasets.cityscapes_folders import CITIES, write_cityscapes


def test_whole_cities_are_for_validation(tmp_path: Path) -> None:
    splits = cityscapes.load(write_cityscapes(tmp_path), 0.5, seed=1)
    cities = {
        name: {cityscapes.city_of(part.identifier(index)) for index in range(len(part))}
        for name, part in (
            ("train", splits.train),
            ("validation", splits.validation),
            ("test", splits.test),
        )
    }
    assert cities["test"] == {"lindau"}
    assert cities["train"] | cities["validation"] == set(CITIES["train"])
    assert len(cities["validation"]) == 2
    assert not cities["train"] & cities["validation"]
    assert len(splits.train) == len(splits.validation) == 6
    assert len(splits.info.class_names) == len(splits.info.class_colours) == 19


def test_ids_on_disk_are_the_classes_of_the_benchmark(tmp_path: Path) -> None:
    splits = cityscapes.load(write_cityscapes(tmp_path), 0.1, seed=0)
    mask = splits.test.example(1)["mask"]
    assert mask.dtype == np.uint8
    expected = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10}
    expected |= {24: 11, 25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18}
    assert mask[0, :34].tolist() == [expected.get(label, 19) for label in range(34)]
    assert splits.test.example(2)["image"][0, 0].tolist() == [100, 100, 100]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold folders of cities"):
        cityscapes.load(tmp_path, 0.1, seed=0)
    root = write_cityscapes(tmp_path)
    name = "ulm_000001_000019"
    (root / "gtFine" / "train" / "ulm" / f"{name}_gtFine_labelIds.png").unlink()
    source = cityscapes.read_split(root, "train")
    (place,) = (index for index in range(len(source)) if name in source.identifier(index))
    with pytest.raises(DataError, match=f"{name}_gtFine_labelIds.png was not found"):
        source.example(place)
    for city in CITIES["train"][1:]:
        (root / "leftImg8bit" / "train" / city).rename(tmp_path / city)
    with pytest.raises(DataError, match=r"two cities or more, .* received 1"):
        cityscapes.load(root, 0.1, seed=0)
