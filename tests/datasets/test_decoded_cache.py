"""Decoded pictures on disk: exactly those that are resized anew, and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets import pipeline
from datasets.core import DataError, Subset, content_fingerprint
from datasets.decoded_cache import DecodedCache
from datasets.memory import Remembered
from tests.datasets.sources import Pictures

SIZE = (12, 16)
RESIZINGS = ("squash", "crop", "pad")


def ragged(count: int = 37) -> Pictures:
    """Pictures of random bytes and many sizes, smaller and larger than the cache's, some equal."""
    random = np.random.default_rng(5)
    sizes = [SIZE, (1, 1), (40, 7), *random.integers(2, 60, (count - 3, 2)).tolist()]
    pictures = [random.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    return Pictures(pictures, [number % 3 for number in range(count)])


def stores(folder: Path) -> int:
    return len(list(folder.glob("*/rows.bin")))


@pytest.mark.parametrize("resizing", RESIZINGS)
def test_pictures_are_exactly_those_of_the_pipeline(tmp_path: Path, resizing: str) -> None:
    source = ragged()
    for _ in range(2):
        cache = DecodedCache(source, tmp_path, SIZE, resizing)
        assert len(cache) == len(source)
        np.testing.assert_array_equal(cache.labels, source.labels)
        for index in range(len(source)):
            example, original = cache.example(index), source.example(index)
            expected = pipeline.resize(original["image"], SIZE, resizing).numpy()
            assert example["image"].dtype == np.uint8
            np.testing.assert_array_equal(example["image"], expected)
            assert example["label"] == original["label"]
            assert cache.identifier(index) == source.identifier(index)
    assert stores(tmp_path) == 1


@pytest.mark.parametrize("resizing", RESIZINGS)
def test_batches_are_those_of_the_source(tmp_path: Path, resizing: str) -> None:
    """Resized a second time, to the same size, a picture stays as it is."""
    source = ragged(9)
    batching = pipeline.Batching(4, SIZE, 3, resizing)
    cache = DecodedCache(source, tmp_path, SIZE, resizing)
    batches = [
        list(pipeline.training_batches(each, batching, 7, range(2)).as_numpy_iterator())
        for each in (source, cache)
    ]
    assert len(batches[0]) == len(batches[1]) == 6
    for expected, received in zip(*batches, strict=True):
        np.testing.assert_array_equal(received[0], expected[0])
        np.testing.assert_array_equal(received[1], expected[1])


def test_a_second_run_reads_each_picture_once_for_its_digest(tmp_path: Path) -> None:
    DecodedCache(ragged(), tmp_path, SIZE, "squash")
    source = ragged()
    remembered = Remembered(source, 0)
    for index in range(len(source)):
        remembered.example(index)
    cache = DecodedCache(remembered, tmp_path, SIZE, "squash")
    for index in range(len(source)):
        cache.example(index)
    assert set(source.reads.values()) == {1}


def test_every_change_makes_another_store(tmp_path: Path) -> None:
    def variant(change: str) -> DecodedCache:
        pictures, labels = ragged(), list(range(37))
        images = [pictures.example(index)["image"].copy() for index in range(37)]
        size, resizing = SIZE, "squash"
        if change == "pixel":
            images[20][0, 1, 2] ^= 1
        elif change == "label":
            labels[20] += 1
        elif change == "order":
            images[4], images[5] = images[5], images[4]
        elif change == "fewer":
            images, labels = images[:-1], labels[:-1]
        elif change == "size":
            size = (16, 12)
        elif change == "resizing":
            resizing = "crop"
        return DecodedCache(Pictures(images, labels), tmp_path, size, resizing)

    changes = ("none", "pixel", "label", "order", "fewer", "size", "resizing")
    caches = {change: variant(change) for change in changes}
    assert stores(tmp_path) == len(changes)
    for change in changes:
        again = variant(change)
        np.testing.assert_array_equal(
            again.example(20)["image"], caches[change].example(20)["image"]
        )
    assert stores(tmp_path) == len(changes)


def test_equal_content_under_other_names_shares_a_store(tmp_path: Path) -> None:
    source = ragged()
    DecodedCache(source, tmp_path, SIZE, "squash")
    half = Subset(source, np.arange(10, 20))
    DecodedCache(half, tmp_path, SIZE, "squash")
    DecodedCache(
        Subset(Subset(source, np.arange(5, 37)), np.arange(5, 15)), tmp_path, SIZE, "squash"
    )
    assert stores(tmp_path) == 2


def test_an_interrupted_pass_goes_on(tmp_path: Path) -> None:
    source = ragged(100)
    fingerprint = content_fingerprint(source)

    def show(done: int, total: int) -> None:
        assert total == 100
        if done == 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DecodedCache(source, tmp_path, SIZE, "pad", show=show)
    told: list[int] = []
    cache = DecodedCache(source, tmp_path, SIZE, "pad", show=lambda done, _: told.append(done))
    assert told == [64, 96, 100]
    for index in range(100):
        expected = pipeline.resize(source.example(index)["image"], SIZE, "pad")
        np.testing.assert_array_equal(cache.example(index)["image"], expected)
    assert content_fingerprint(source) == fingerprint


def test_a_picture_cannot_be_changed_by_who_looks_at_it(tmp_path: Path) -> None:
    cache = DecodedCache(ragged(4), tmp_path, SIZE, "squash")
    with pytest.raises(ValueError, match="read-only"):
        cache.example(0)["image"][0, 0, 0] = 1


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    class Unreadable(Pictures):
        def example(self, index: int) -> dict[str, np.ndarray]:
            if index == 2:
                raise DataError("picture 2 is damaged")
            return super().example(index)

    source = Unreadable([np.zeros((3, 3, 3), np.uint8)] * 4, [0] * 4)
    with pytest.raises(DataError, match="picture 2 is damaged"):
        DecodedCache(source, tmp_path, SIZE, "squash")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    with pytest.raises(DataError, match="--cache-dir"):
        DecodedCache(ragged(4), file, SIZE, "squash")
