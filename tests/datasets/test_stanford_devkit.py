"""The devkit's files: right ones against the photographs, hostile ones refused in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
from PIL import Image
from stanford_layouts import drawn_cars, drawn_photographs, original, write_annotations

from datasets import stanford_cars, stanford_devkit
from datasets.core import DataError


def test_a_box_beyond_the_picture_is_cut_off_and_one_outside_is_named(tmp_path):
    cars = drawn_cars()
    original(tmp_path, cars)
    write_annotations(tmp_path / "devkit/cars_train_annos.mat", cars.train, bbox_x2=9999)
    devkit = stanford_devkit.read(tmp_path, crop_to_box=True)
    width = Image.open(tmp_path / "cars_train/00002.jpg").width
    assert devkit.train.example(1)["image"].shape[1] == width - 2
    write_annotations(
        tmp_path / "devkit/cars_train_annos.mat", cars.train, bbox_x1=9000, bbox_x2=9999
    )
    devkit = stanford_devkit.read(tmp_path, crop_to_box=True)
    with pytest.raises(DataError, match=r"00002\.jpg.*box must lie inside"):
        devkit.train.example(1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fname": "../../etc/passwd"}, "plain files without folders"),
        ({"fname": "/etc/passwd"}, "plain files without folders"),
        ({"fname": "a\\b.jpg"}, "plain files without folders"),
        ({"fname": ".."}, "plain files without folders"),
        ({"fname": 7}, "plain files without folders"),
        ({"class": 4}, r"classes from 1 to 3, received 4 for 00002\.jpg"),
        ({"class": 0}, "classes from 1 to 3, received 0"),
        ({"class": 1.5}, "whole numbers, received 1.5"),
        ({"class": float("nan")}, "whole numbers, received nan"),
        ({"class": "two"}, "whole numbers, received 'two'"),
        ({"class": np.array([1, 2])}, "one text or number as class"),
        ({"bbox_x1": 0}, "1 <= x1 <= x2"),
        ({"bbox_y2": 1}, "1 <= y1 <= y2"),
        ({"bbox_x2": 1e300}, "whole numbers"),
    ],
)
def test_hostile_annotations_are_named(tmp_path, changes, why):
    path = tmp_path / "cars_train_annos.mat"
    write_annotations(path, drawn_photographs(3, 0), **changes)
    with pytest.raises(DataError, match=why) as caught:
        stanford_devkit.read_annotations(path, class_count=3)
    assert str(caught.value).startswith(str(path))


def test_damaged_matlab_files_are_named(tmp_path):
    cars = drawn_cars()
    path = tmp_path / "cars_train_annos.mat"
    write_annotations(path, cars.train)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    hostile = [whole[: int(end)] for end in random.integers(0, len(whole), 20)]
    hostile += [b"", b"not a matlab file", b"\x89HDF\r\n\x1a\n" + bytes(600)]
    for _ in range(60):
        changed = bytearray(whole)
        for place in random.integers(0, len(whole), 4):
            changed[place] = random.integers(256)
        hostile.append(bytes(changed))
    refused = 0
    for data in hostile:
        path.write_bytes(data)
        try:
            stanford_devkit.read_annotations(path, class_count=3)
        except DataError as error:
            assert str(error).startswith(str(path))
            assert "\n" not in str(error)
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("names", [["One 2000"], ["Same 2000", "Same 2000"], ["", "Two 2000"]])
def test_class_names_must_differ(tmp_path, names):
    path = tmp_path / "cars_meta.mat"
    scipy.io.savemat(path, {"class_names": np.array([names], dtype=object)})
    with pytest.raises(DataError, match="two or more different class names"):
        stanford_devkit.read_class_names(path)


def test_the_whole_real_devkit(shared_data):
    """The counts are those of the README of the real data."""
    splits = stanford_cars.load(shared_data / "stanford_cars_mini", 0.2, seed=0)
    assert len(splits.train) + len(splits.validation) == 629
    assert len(splits.test) == 206
    assert len(splits.info.class_names) == 20
    # Read off the files by hand: the first test photograph is an Audi TTS.
    assert splits.test.identifier(0).endswith("cars_test/00001.jpg")
    assert splits.info.class_names[splits.test.labels[0]] == "Audi TTS Coupe 2012"
    assert splits.test.example(0)["image"].shape == (240, 491, 3)
