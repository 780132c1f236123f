"""Examples kept in memory: read once, within a limit of bytes, by several threads."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from datasets import memory
from datasets.core import DataError
from datasets.memory import Remembered
from tests.datasets.sources import Pictures, noisy, numbered

LABEL_BYTES = 8
PICTURE_BYTES = 4 * 6 * 3


def read_all(source: Remembered, times: int = 2) -> None:
    for _ in range(times):
        for index in range(len(source)):
            source.example(index)


def test_each_example_is_read_once_within_the_limit() -> None:
    source = numbered(7)
    read_all(Remembered(source, 7 * (PICTURE_BYTES + LABEL_BYTES)), times=3)
    assert set(source.reads) == set(range(7))
    assert set(source.reads.values()) == {1}


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_only_so_many_bytes_are_kept(kept: int) -> None:
    source = numbered(5)
    one_byte_short_of_the_next = (kept + 1) * (PICTURE_BYTES + LABEL_BYTES) - 1
    read_all(Remembered(source, one_byte_short_of_the_next))
    assert sorted(source.reads.values()) == [1] * kept + [2] * (5 - kept)


def test_a_smaller_example_still_fits_after_a_larger_one_did_not() -> None:
    pictures = [np.zeros((side, side, 3), np.uint8) for side in (10, 20, 5)]
    source = Pictures(pictures, [0, 0, 0])
    read_all(Remembered(source, 10 * 10 * 3 + 5 * 5 * 3 + 2 * LABEL_BYTES))
    assert dict(source.reads) == {0: 1, 1: 2, 2: 1}


def test_examples_labels_and_identifiers_are_those_of_the_source() -> None:
    source = noisy(6)
    remembered = Remembered(source, 10**6)
    assert len(remembered) == 6
    np.testing.assert_array_equal(remembered.labels, source.labels)
    for _ in range(2):
        for index in range(6):
            assert remembered.identifier(index) == source.identifier(index)
            expected = source.example(index)
            received = remembered.example(index)
            assert set(received) == set(expected)
            for key in expected:
                np.testing.assert_array_equal(received[key], expected[key])


def test_an_unreadable_example_is_not_remembered_and_fails_each_time() -> None:
    class Unreadable(Pictures):
        def example(self, index: int) -> dict[str, np.ndarray]:
            super().example(index)
            raise DataError(f"picture {index} is damaged")

    source = Unreadable([np.zeros((1, 1, 3), np.uint8)], [0])
    remembered = Remembered(source, 10**6)
    for _ in range(2):
        with pytest.raises(DataError, match="picture 0"):
            remembered.example(0)
    assert source.reads[0] == 2


def test_threads_that_want_the_same_example_count_its_bytes_once() -> None:
    """All threads miss together; were each to add its bytes, the second example would not fit."""
    threads = 4
    meeting = threading.Barrier(threads)

    class Waiting(Pictures):
        def example(self, index: int) -> dict[str, np.ndarray]:
            if index == 0 and self.reads[0] < threads:
                example = super().example(index)
                meeting.wait(timeout=300)
                return example
            return super().example(index)

    source = Waiting([np.full((4, 6, 3), value, np.uint8) for value in (1, 2)], [0, 1])
    remembered = Remembered(source, 2 * (PICTURE_BYTES + LABEL_BYTES))
    with ThreadPoolExecutor(threads) as pool:
        for example in pool.map(remembered.example, [0] * threads):
            assert example["image"].max() == 1
    read_all(remembered)
    assert source.reads[0] == threads
    assert source.reads[1] == 1


def test_many_threads_keep_to_the_limit_and_get_the_right_examples() -> None:
    source = numbered(40)
    remembered = Remembered(source, 10 * (PICTURE_BYTES + LABEL_BYTES))
    with ThreadPoolExecutor(8) as pool:
        wanted = [index for _ in range(5) for index in range(40)]
        for index, example in zip(wanted, pool.map(remembered.example, wanted), strict=True):
            assert int(example["image"][0, 0, 0]) == index
    source.reads.clear()
    read_all(remembered, times=1)
    assert len(source.reads) == 30


def independent_digest(picture: np.ndarray, label: int) -> bytes:
    height, width, channels = picture.shape
    head = f"({height}, {width}, {channels}) uint8 {label}\n".encode()
    return hashlib.blake2b(head + picture.tobytes(), digest_size=16).digest()


@pytest.mark.parametrize("byte_limit", [0, 3 * 12 * 16 * 3, 10**6])
def test_digests_are_those_of_the_pictures(byte_limit: int) -> None:
    source = noisy(6)
    expected = [independent_digest(**_named(source.example(index))) for index in range(6)]
    source.reads.clear()
    remembered = Remembered(source, byte_limit)
    for _ in range(2):
        assert [remembered.digest(index) for index in range(6)] == expected
    assert set(source.reads.values()) == {1}


def _named(example: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"picture": example["image"], "label": int(example["label"])}


def test_a_digest_outlives_a_picture_that_is_not_kept() -> None:
    source = noisy(4)
    remembered = Remembered(source, 0)
    read_all(remembered)
    source.reads.clear()
    digests = {remembered.digest(index) for index in range(4)}
    assert not source.reads
    assert len(digests) == 4


def test_an_example_is_hashed_once_however_often_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = []
    monkeypatch.setattr(memory, "example_digest", lambda example: hashed.append(1) or bytes(16))
    remembered = Remembered(noisy(4), 0)
    read_all(remembered, times=3)
    assert len(hashed) == 4


def test_an_unreadable_example_has_no_digest() -> None:
    class Unreadable(Pictures):
        def example(self, index: int) -> dict[str, np.ndarray]:
            raise DataError(f"picture {index} is damaged")

    remembered = Remembered(Unreadable([np.zeros((1, 1, 3), np.uint8)], [0]), 10**6)
    for _ in range(2):
        with pytest.raises(DataError, match="picture 0"):
            remembered.digest(0)


def test_many_threads_get_the_right_digests() -> None:
    source = noisy(40)
    expected = [independent_digest(**_named(source.example(index))) for index in range(40)]
    remembered = Remembered(source, 0)
    wanted = [index for _ in range(5) for index in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(remembered.digest, wanted)) == expected * 5
