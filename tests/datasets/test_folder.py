"""Folders of class folders, in every shape people make them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import folder
from datasets.core import DataError


def fill(class_folder: Path, count: int, shade: int = 0) -> None:
    """`count` pictures of one pixel; red tells the class, green the number."""
    class_folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.new("RGB", (1, 1), (shade, i, 0)).save(class_folder / f"{i:03}.png")


def load(root: Path, seed: int = 0) -> folder.Splits:
    return folder.load(root, validation_fraction=0.2, test_fraction=0.3, seed=seed)


def colours(source) -> list[tuple[int, int, int]]:
    """Label, red and green of each example."""
    examples = [source.example(i) for i in range(len(source))]
    return [(int(e["label"]), *e["image"][0, 0, :2].tolist()) for e in examples]


def test_class_folders_alone_are_split_in_three(tmp_path):
    fill(tmp_path / "dog", 10, shade=200)
    fill(tmp_path / "cat", 20, shade=100)
    (tmp_path / "dog/deeper").mkdir()
    (tmp_path / "dog/000.png").rename(tmp_path / "dog/deeper/000.png")
    (tmp_path / "notes.txt").write_text("not a class")
    (tmp_path / ".git").mkdir()
    splits = load(tmp_path)
    assert splits.info.class_names == ("cat", "dog")
    assert "20% for validation and 30% for test split off" in splits.info.description
    parts = (splits.train, splits.validation, splits.test)
    assert [np.bincount(p.labels).tolist() for p in parts] == [[10, 5], [4, 2], [6, 3]]
    seen = sorted(colour for part in parts for colour in colours(part))
    assert seen == [(0, 100, i) for i in range(20)] + [(1, 200, i) for i in range(10)]
    assert splits.train.labels.dtype == np.int64


def test_large_jpegs_are_reduced_in_all_parts(tmp_path):
    for part in ("train", "validation", "test"):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            Image.new("RGB", (64, 40)).save(tmp_path / part / label / "large.jpg")
    for image_size, shape in (((10, 10), (20, 32, 3)), (None, (40, 64, 3))):
        splits = folder.load(tmp_path, 0.2, 0.2, 0, image_size)
        for source in (splits.train, splits.validation, splits.test):
            assert [source.example(index)["image"].shape for index in (0, 1)] == [shape] * 2


def test_the_seed_decides_the_split(tmp_path):
    for name in ("a", "b"):
        fill(tmp_path / name, 30)
    first, again, other = load(tmp_path, 5), load(tmp_path, 5), load(tmp_path, 6)
    assert colours(first.test) == colours(again.test)
    assert colours(first.test) != colours(other.test)


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Val"])
def test_its_own_splits_are_kept(tmp_path, name):
    for part, count in (("train", 4), (name, 2), ("test", 3)):
        for shade, label in enumerate("ab"):
            fill(tmp_path / part / label, count, shade)
    splits = load(tmp_path)
    assert [len(p) for p in (splits.train, splits.validation, splits.test)] == [8, 4, 6]
    assert splits.train.identifier(0) == str(tmp_path / "train/a/000.png")
    assert splits.validation.identifier(0) == str(tmp_path / name / "a/000.png")
    assert "its own train, validation and test" in splits.info.description


@pytest.mark.parametrize(
    ("present", "sizes", "said"),
    [
        (("test",), (16, 4, 20), "20% for validation split off"),
        (("validation",), (14, 20, 6), "30% for test split off"),
        ((), (10, 4, 6), "20% for validation and 30% for test split off"),
    ],
)
def test_a_missing_part_is_split_off_train(tmp_path, present, sizes, said):
    for part in ("train", *present):
        for label in "ab":
            fill(tmp_path / part / label, 10)
    splits = load(tmp_path)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == sizes
    assert said in splits.info.description
    train = {splits.train.identifier(i) for i in range(len(splits.train))}
    assert all("/train/" in name for name in train)
    assert not train & {splits.validation.identifier(i) for i in range(len(splits.validation))}


def test_a_test_part_may_lack_classes(tmp_path):
    for label in "abc":
        fill(tmp_path / "train" / label, 5)
    fill(tmp_path / "test/c", 2)
    assert load(tmp_path).test.labels.tolist() == [2, 2]


def test_folders_in_folders_are_stepped_into(tmp_path):
    for label in "ab":
        fill(tmp_path / "archive/archive/train" / label, 5)
    fill(tmp_path / "__MACOSX/archive", 1)
    assert load(tmp_path).info.class_names == ("a", "b")


def test_classes_called_train_and_test_are_classes(tmp_path):
    for label in ("train", "test", "bus"):
        fill(tmp_path / label, 3)
    assert load(tmp_path).info.class_names == ("bus", "test", "train")


def test_class_ids_follow_the_sorted_names(tmp_path):
    for label in ("b", "B", "10", "9", "ä"):
        fill(tmp_path / label, 3)
    assert load(tmp_path).info.class_names == ("10", "9", "B", "b", "ä")


def missing(root: Path) -> None:
    root.rmdir()


def a_file(root: Path) -> None:
    root.rmdir()
    root.write_text("x")


def empty(root: Path) -> None:
    (root / "notes.txt").touch()


def pictures_without_classes(root: Path) -> None:
    fill(root, 3)


def folders_without_pictures(root: Path) -> None:
    for label in "ab":
        (root / label).mkdir()
        (root / label / "x.txt").touch()


def one_class(root: Path) -> None:
    fill(root / "only", 9)


def small_class(root: Path) -> None:
    fill(root / "big", 9)
    fill(root / "small", 2)


def empty_class(root: Path) -> None:
    for label in "ab":
        fill(root / "train" / label, 9)
        fill(root / "val" / label, 9)
        fill(root / "test" / label, 9)
    (root / "train/c").mkdir()


def unknown_class(root: Path) -> None:
    for label in "ab":
        fill(root / "train" / label, 9)
    fill(root / "test/c", 1)


def no_train(root: Path) -> None:
    for label in "ab":
        fill(root / "test" / label, 9)
        fill(root / "val" / label, 9)


def two_validations(root: Path) -> None:
    for part in ("train", "val", "valid"):
        fill(root / part / "a", 2)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (missing, "is not a folder that can be found"),
        (a_file, "is not a folder that can be found"),
        (empty, "must hold one folder a class"),
        (pictures_without_classes, "must hold one folder a class"),
        (folders_without_pictures, "must hold one folder a class"),
        (one_class, "at least two class folders, received only 'only'"),
        (small_class, "Class 'small' .* at least 3 pictures, .* received 2"),
        (empty_class, "Class 'c' .* at least 1 picture"),
        (unknown_class, "only classes that the train folder has, received 'c'"),
        (no_train, "must have a folder 'train'"),
        (two_validations, "one folder for validation, received 'val' and 'valid'"),
    ],
)
def test_what_does_not_hold_is_named_in_one_sentence(tmp_path, make, why):
    root = tmp_path / "root"
    root.mkdir()
    make(root)
    with pytest.raises(DataError, match=why) as caught:
        load(root)
    message = str(caught.value)
    assert str(root) in message
    assert "\n" not in message
