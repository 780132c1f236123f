"""Every layout of Stanford Cars is recognised and gives the same pictures and labels."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stanford_layouts import (
    Photograph,
    SmallCars,
    class_folders,
    drawn_cars,
    drawn_photographs,
    kaggle,
    original,
    parquet,
    parquet_directly,
    prepared,
    real_cars,
    torchvision_copy,
    write_annotations,
    write_devkit,
    write_parquet,
    write_pictures,
)

from datasets import stanford_cars
from datasets.core import DataError, LabelledSource, Splits


@pytest.fixture(params=["drawn", "real"])
def cars(request) -> SmallCars:
    if request.param == "drawn":
        return drawn_cars()
    return real_cars(request.getfixturevalue("shared_data") / "stanford_cars_mini")


LIGHT_LAYOUTS = (
    *(original, kaggle, torchvision_copy),
    *(parquet, parquet_directly, class_folders),
)


def content(*sources: LabelledSource, class_names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Class name and picture of each example, in an order that no layout decides."""
    found = []
    for source in sources:
        for index in range(len(source)):
            example = source.example(index)
            assert example["label"] == source.labels[index]
            assert example["image"].dtype == np.uint8
            picture = hashlib.sha256(example["image"].tobytes()).hexdigest()
            found.append((class_names[int(example["label"])], picture))
    return sorted(found)


def expected_content(
    cars: SmallCars,
    photographs: list[Photograph],
    crop: bool = False,
    reduced_to: tuple[int, int] | None = None,
) -> list[tuple[str, str]]:
    found = []
    for photograph in photographs:
        image = Image.open(io.BytesIO(photograph.data))
        image.draft(None, reduced_to)
        pixels = np.asarray(image.convert("RGB"))
        if crop:
            x1, y1, x2, y2 = photograph.box
            pixels = pixels[y1 - 1 : y2, x1 - 1 : x2]
        picture = hashlib.sha256(pixels.tobytes()).hexdigest()
        found.append((cars.class_names[photograph.class_id], picture))
    return sorted(found)


def loaded_content(splits: Splits) -> dict[str, list]:
    """What the splits hold, in an order that no layout decides."""
    names = splits.info.class_names
    return {
        "classes": sorted(names),
        "training part": content(splits.train, splits.validation, class_names=names),
        "test part": content(splits.test, class_names=names),
        "classes in validation": sorted({names[label] for label in splits.validation.labels}),
    }


def written_content(cars: SmallCars, *how) -> dict[str, list]:
    """The same for the photographs that were written."""
    return {
        "classes": sorted(cars.class_names),
        "training part": expected_content(cars, cars.train, *how),
        "test part": expected_content(cars, cars.test, *how),
        "classes in validation": sorted(cars.class_names),
    }


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("write", LIGHT_LAYOUTS, ids=lambda write: write.__name__)
def test_every_layout_gives_the_same_pictures_and_labels(tmp_path, cars, write):
    write(tmp_path, cars)
    splits = stanford_cars.load(tmp_path, 0.34, seed=3)
    assert loaded_content(splits) == written_content(cars)
    assert splits.info.name == "stanford_cars"
    assert "34% for validation split off the training part" in splits.info.description


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_a_prepared_folder_gives_the_same_pictures_and_labels(tmp_path, file_format):
    cars = drawn_cars()
    prepared(tmp_path, cars, file_format)
    assert loaded_content(stanford_cars.load(tmp_path, 0.34, seed=3)) == written_content(cars)
    assert loaded_content(
        stanford_cars.load(tmp_path, 0.34, 3, crop_to_box=True)
    ) == written_content(cars, True)
    for crop in (False, True):
        splits = stanford_cars.load(tmp_path, 0.34, 3, crop, image_size=(5, 3))
        assert loaded_content(splits) == written_content(cars, crop, None if crop else (6, 10))


@pytest.mark.slow
def test_a_prepared_folder_of_real_photographs(tmp_path, shared_data):
    cars = real_cars(shared_data / "stanford_cars_mini")
    prepared(tmp_path, cars)
    assert loaded_content(stanford_cars.load(tmp_path, 0.34, seed=3)) == written_content(cars)


@pytest.mark.slow
def test_a_damaged_prepared_folder_is_named(tmp_path):
    prepared(tmp_path, drawn_cars())
    record = next((tmp_path / "cars196/2.1.0").glob("*train*tfrecord*"))
    record.write_bytes(record.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"2\.1\.0 cannot be read by tensorflow-datasets"):
        stanford_cars.load(tmp_path, 0.34, seed=3)


@pytest.mark.parametrize("write", [original, kaggle])
def test_cropping_converts_the_boxes_of_the_devkit(tmp_path, write):
    cars = drawn_cars()
    write(tmp_path, cars)
    splits = stanford_cars.load(tmp_path, 0.34, seed=3, crop_to_box=True)
    assert loaded_content(splits) == written_content(cars, True)
    reduced = stanford_cars.load(tmp_path, 0.34, seed=3, crop_to_box=True, image_size=(5, 3))
    assert loaded_content(reduced) == written_content(cars, True)


@pytest.mark.parametrize("write", LIGHT_LAYOUTS, ids=lambda write: write.__name__)
def test_every_layout_is_reduced_for_the_size_it_is_wanted_in(tmp_path, write):
    cars = drawn_cars()
    write(tmp_path, cars)
    splits = stanford_cars.load(tmp_path, 0.34, seed=3, image_size=(5, 3))
    assert loaded_content(splits) == written_content(cars, False, (6, 10))


@pytest.mark.parametrize("write", [parquet, class_folders])
def test_cropping_without_boxes_is_refused(tmp_path, write):
    write(tmp_path, drawn_cars())
    with pytest.raises(DataError, match="no boxes to crop to"):
        stanford_cars.load(tmp_path, 0.34, seed=3, crop_to_box=True)


def without_test_labels(root: Path, cars: SmallCars) -> None:
    kaggle(root, cars)
    (root / "cars_test_annos_withlabels (1).mat").unlink()


def without_test_pictures(root: Path, cars: SmallCars) -> None:
    write_devkit(root / "devkit", cars)
    write_annotations(root / "cars_test_annos_withlabels.mat", cars.test)
    write_pictures(root / "cars_train", cars.train)


def with_withheld_test_labels(root: Path, cars: SmallCars) -> None:
    write_parquet(root / "train-0.parquet", cars, cars.train)
    withheld = [dataclasses.replace(photograph, class_id=-1) for photograph in cars.test]
    write_parquet(root / "test-0.parquet", cars, withheld)


def class_folders_alone(root: Path, cars: SmallCars) -> None:
    for photograph in cars.train:
        folder = root / cars.class_names[photograph.class_id]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / photograph.name).write_bytes(photograph.data)


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (without_test_labels, r"cars_test_annos_withlabels\.mat is missing"),
        (without_test_pictures, "cars_test is missing"),
        (with_withheld_test_labels, "withheld"),
        (class_folders_alone, "no folder 'test'"),
    ],
)
def test_without_labelled_test_part_train_is_split_in_three_and_said_so(tmp_path, write, why):
    cars = drawn_cars()
    write(tmp_path, cars)
    with pytest.warns(UserWarning, match=why) as warned:
        splits = stanford_cars.load(tmp_path, 0.2, seed=3)
    assert len(warned) == 1
    assert "20% for validation and 20% for test split off" in splits.info.description
    # 15 pictures, 5 of each of 3 classes: 3 + 1 + 1 of each.
    parts = (splits.train, splits.validation, splits.test)
    assert [np.bincount(part.labels).tolist() for part in parts] == [[3] * 3, [1] * 3, [1] * 3]
    found = content(*parts, class_names=splits.info.class_names)
    assert found == expected_content(cars, cars.train)
    with pytest.warns(UserWarning):
        again, other = (stanford_cars.load(tmp_path, 0.2, seed=seed) for seed in (3, 4))
    same = [again.train.identifier(i) for i in range(9)]
    assert same == [splits.train.identifier(i) for i in range(9)]
    assert same != [other.train.identifier(i) for i in range(9)]


def test_nothing_found_names_the_copies_and_the_option(tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError) as caught:
            stanford_cars.load(folder, 0.2, seed=0)
        message = str(caught.value)
        assert str(folder) in message
        for copy in (
            "jessicali9530/stanford-cars-dataset",
            "tanganke/stanford_cars",
            "cyizhuo/stanford-cars-by-classes-folder",
            "rickyyyyyyy/torchvision-stanford-cars",
            "--data-dir",
        ):
            assert copy in message


def test_folders_of_other_pictures_do_not_pass_for_cars(tmp_path):
    for name in ("cats", "dogs"):
        write_pictures(tmp_path / name, drawn_photographs(4, 0))
    with pytest.raises(DataError, match="holds no copy of Stanford Cars"):
        stanford_cars.load(tmp_path, 0.2, seed=0)


def test_pictures_without_devkit_are_not_taken_for_classes(tmp_path):
    write_pictures(tmp_path / "cars_train", drawn_photographs(4, 0))
    write_pictures(tmp_path / "cars_test", drawn_photographs(4, 0))
    with pytest.raises(DataError, match=r"must also have devkit/cars_meta\.mat"):
        stanford_cars.load(tmp_path, 0.2, seed=0)


def test_a_devkit_without_pictures_is_named(tmp_path):
    write_devkit(tmp_path / "devkit", drawn_cars())
    with pytest.raises(DataError, match="must also have the pictures in cars_train"):
        stanford_cars.load(tmp_path, 0.2, seed=0)


def test_parquet_without_names_numbers_the_classes(tmp_path):
    cars = drawn_cars()
    write_parquet(tmp_path / "train-0.parquet", cars, cars.train, named=False)
    write_parquet(tmp_path / "test-0.parquet", cars, cars.test, named=False)
    splits = stanford_cars.load(tmp_path, 0.2, seed=0)
    assert splits.info.class_names == ("class 0", "class 1", "class 2")


def test_reading_needs_no_tensorflow(tmp_path):
    original(tmp_path, drawn_cars())
    code = f"""
import sys
from datasets import check, stanford_cars
splits = stanford_cars.load({str(tmp_path)!r}, 0.34, 0)
check.find_bad_pictures(splits.train)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras")))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
