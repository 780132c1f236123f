"""Splits as JPEG files that any program reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import datasets
from benchmarks import class_folders
from datasets.core import Splits, Subset


@pytest.fixture
def splits() -> Splits:
    return datasets.rendered.cars.load(12, 4, 6, (32, 48), seed=3, class_count=3)


def test_the_suite_reads_back_the_same_pictures(tmp_path: Path, splits: Splits) -> None:
    assert class_folders.write(splits, tmp_path) == {"train": 12, "validation": 4, "test": 6}
    read = datasets.folder.load(tmp_path, 0.1, 0.1, seed=0)
    for part in ("train", "validation", "test"):
        before, after = getattr(splits, part), getattr(read, part)
        assert np.bincount(after.labels).tolist() == np.bincount(before.labels).tolist()
        # Written in order within each class, and read in the order of the names.
        order = np.argsort(before.labels, kind="stable")
        for index, original in enumerate(order):
            expected = before.example(int(original))["image"].astype(int)
            received = after.example(index)["image"].astype(int)
            assert received.shape == expected.shape
            assert np.abs(received - expected).mean() < 6


def test_keras_finds_the_same_classes(tmp_path: Path, splits: Splits) -> None:
    import keras

    class_folders.write(splits, tmp_path)
    found = keras.utils.image_dataset_from_directory(
        tmp_path / "test", image_size=(32, 48), shuffle=False, verbose=False
    )
    assert found.class_names == list(class_folders.class_folder_names(splits.info.class_names))
    labels = np.concatenate([labels for _, labels in found.as_numpy_iterator()])
    assert labels.tolist() == sorted(splits.test.labels.tolist())


def test_a_class_without_a_picture_keeps_its_place(tmp_path: Path, splits: Splits) -> None:
    without_last = Subset(splits.test, np.flatnonzero(splits.test.labels < 2))
    poorer = Splits(splits.train, splits.validation, without_last, splits.info)
    class_folders.write(poorer, tmp_path)
    names = class_folders.class_folder_names(splits.info.class_names)
    assert sorted(path.name for path in (tmp_path / "test").iterdir()) == list(names)
    assert list((tmp_path / "test" / names[2]).iterdir()) == []


def test_names_are_fit_for_paths_and_sort_by_class() -> None:
    names = tuple(f"class {number}" for number in range(9))
    folders = class_folders.class_folder_names((*names, "Ram C/V Cargo", "../up", "é:*?"))
    assert folders[9:] == ("09 Ram C_V Cargo", "10 .._up", "11 é___")
    assert list(folders) == sorted(folders)
    assert folders[0] == "00 class 0"
