"""Stored views of pictures are what the pipeline shows, computed once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import augment, picture_views, pipeline
from datasets.rendered import cars

SIZE = (32, 40)
BATCHING = pipeline.Batching(4, SIZE, 1, workers=1)
NAMES = ("flip", "crop")


class Counted:
    """Pictures that count how often they are asked for."""

    def __init__(self, seed: int = 0) -> None:
        self.inner = cars.RenderedCars(6, seed, SIZE)
        self.asked = 0

    def __len__(self) -> int:
        return len(self.inner)

    @property
    def labels(self) -> np.ndarray:
        return self.inner.labels

    def digest(self, index: int) -> bytes:
        return f"{self.inner.seed} {index}".encode()

    def example(self, index: int) -> dict[str, np.ndarray]:
        self.asked += 1
        return self.inner.example(index)


def views(source: Counted, folder: Path, count: int, seed: int = 5):
    change = augment.picture_changes(NAMES, SIZE)
    return picture_views.stored(source, folder, BATCHING, count, seed, NAMES, change)


def test_they_are_what_a_training_shows(tmp_path: Path) -> None:
    source = Counted()
    found = views(source, tmp_path, 3)
    assert (found.views, found.count, found.shape, found.dtype) == (3, 6, (*SIZE, 3), np.uint8)
    change = augment.picture_changes(NAMES, SIZE)
    for view in range(3):
        shown = pipeline.view_batches(source, BATCHING, 5, view, 0, change if view else None)
        expected = np.concatenate([batch.numpy() for batch in shown])
        np.testing.assert_array_equal(found.maps[view], np.floor(expected))
    plain = np.stack([source.example(index)["image"] for index in range(6)])
    np.testing.assert_array_equal(found.maps[0], plain)
    assert not np.array_equal(found.maps[1], found.maps[2])


def test_they_are_computed_once_and_more_views_later(tmp_path: Path) -> None:
    first, again = Counted(), Counted()
    two = views(first, tmp_path, 2)
    assert first.asked == 12
    three = views(again, tmp_path, 3)
    assert again.asked == 6
    for view in range(2):
        np.testing.assert_array_equal(three.maps[view], two.maps[view])


def test_other_pictures_and_seeds_are_kept_apart(tmp_path: Path) -> None:
    one, other = Counted(0), Counted(1)
    first = views(one, tmp_path, 2)
    assert not np.array_equal(views(other, tmp_path, 1).maps[0], first.maps[0])
    moved = views(one, tmp_path, 2, seed=6)
    np.testing.assert_array_equal(moved.maps[0], first.maps[0])
    assert not np.array_equal(moved.maps[1], first.maps[1])
