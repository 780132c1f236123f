"""Folders of pictures without labels, and what their pixels are standardised by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from datasets import plain_pictures
from datasets.core import DataError, DatasetInfo, Splits
from datasets.rendered import street


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def noise(seed: int, size: tuple[int, int] = (8, 10)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        write(tmp_path / "pictures" / f"group_{number % 3}" / f"{number:02d}.png", noise(number))
    (tmp_path / "pictures" / "notes.txt").write_text("not a picture")
    return tmp_path / "pictures"


def test_a_folder_is_split_by_the_seed(folder: Path) -> None:
    splits = plain_pictures.load_folder(folder, 0.15, 0.2, seed=0)
    parts = {name: getattr(splits, name) for name in ("train", "validation", "test")}
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 13,
        "validation": 3,
        "test": 4,
    }
    names = [part.identifier(k) for part in parts.values() for k in range(len(part))]
    assert len(set(names)) == 20
    again = plain_pictures.load_folder(folder, 0.15, 0.2, seed=0)
    other = plain_pictures.load_folder(folder, 0.15, 0.2, seed=1)
    listed = [{s.test.identifier(k) for k in range(4)} for s in (splits, again, other)]
    assert listed[0] == listed[1] != listed[2]
    assert splits.train.labels.tolist() == [0] * 13
    example = splits.test.example(0)
    np.testing.assert_array_equal(example["image"], Image.open(splits.test.identifier(0)))


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_folder_without_pictures_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=f"{place}.*name a folder of pictures"):
        plain_pictures.load_folder(tmp_path / place, 0.15, 0.2, 0)


def test_too_few_pictures_are_named(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path / f"{number}.png", noise(number))
    with pytest.raises(DataError, match=r"at least 3 pictures, one .* received 2") as caught:
        plain_pictures.load_folder(tmp_path, 0.15, 0.2, 0)
    assert "class" not in str(caught.value).lower(), "the pictures are of none"


def test_statistics_are_those_of_the_training_pixels(folder: Path) -> None:
    splits = plain_pictures.load_folder(folder, 0.15, 0.2, 0)
    info = plain_pictures.with_statistics(splits, (8, 10)).info
    train = splits.train
    pixels = np.concatenate([train.example(k)["image"].reshape(-1, 3) for k in range(len(train))])
    np.testing.assert_allclose(info.mean, pixels.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(info.deviation, pixels.std(axis=0), rtol=1e-9)
    assert info.description == splits.info.description


def test_statistics_are_those_of_the_pictures_that_are_measured(folder: Path) -> None:
    """Noise loses most of its deviation where four pixels become one."""
    splits = plain_pictures.load_folder(folder, 0.15, 0.2, 0)

    def reduced(batch: tf.Tensor) -> tf.Tensor:
        return tf.nn.avg_pool2d(tf.cast(batch, tf.float32), 2, 2, "VALID")

    info = plain_pictures.with_statistics(splits, (8, 10), reduced=reduced).info
    whole = np.stack([splits.train.example(k)["image"] for k in range(len(splits.train))])
    pixels = reduced(whole).numpy().reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(info.mean, pixels.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(info.deviation, pixels.std(axis=0), rtol=1e-9)
    assert max(info.deviation) < 0.6 * whole.std()


def test_pictures_of_one_colour_are_refused(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"{number}.png", np.full((8, 8, 3), 7, np.uint8))
    splits = plain_pictures.load_folder(tmp_path, 0.2, 0.2, 0)
    with pytest.raises(DataError, match=r"received deviations of \[0.0, 0.0, 0.0\]"):
        plain_pictures.with_statistics(splits, (8, 8))


def test_pictures_of_another_data_set_come_alone() -> None:
    source = street.source.RenderedStreet(2, 0, (32, 40))
    info = DatasetInfo("street", ("a", "b"), "Streets.", "drawn", "free")
    splits = plain_pictures.pictures_of(Splits(source, source, source, info))
    example = splits.train.example(1)
    assert set(example) == {"image", "label"}
    np.testing.assert_array_equal(example["image"], source.example(1)["image"])
    assert splits.train.identifier(1) == source.identifier(1)
    assert splits.info.class_names == ("picture",)
    assert (len(splits.train), splits.train.labels.tolist()) == (2, [0, 0])
