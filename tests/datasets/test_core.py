"""Splits, subsets and fingerprints: nothing is lost, and the same seed gives the same parts."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from datasets.core import (
    Subset,
    content_fingerprint,
    example_digest,
    fingerprint,
    limit,
    per_class,
    stratified_split,
)
from datasets.memory import Remembered
from tests.datasets.sources import Pictures, noisy, numbered

SHARES = (0.7, 0.15, 0.15)


def labels_of(counts: list[int], seed: int = 3) -> np.ndarray:
    """Labels in a mixed order, with so many examples of each class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(seed).permutation(labels)


@pytest.mark.parametrize("counts", [[40, 40], [1, 2, 3, 4, 5], [100, 1, 7], [3], [0, 5, 0, 9]])
@pytest.mark.parametrize("fractions", [SHARES, (0.5, 0.5), (1.0,), (0.01, 0.99)])
def test_every_example_is_in_exactly_one_part(
    counts: list[int], fractions: tuple[float, ...]
) -> None:
    labels = labels_of(counts)
    parts = stratified_split(labels, fractions, seed=5)
    assert len(parts) == len(fractions)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    for part in parts:
        assert part.dtype == np.int64
        np.testing.assert_array_equal(part, np.sort(part))


def test_each_class_has_its_share_in_each_part() -> None:
    counts = [200, 60, 33, 20]
    labels = labels_of(counts)
    parts = stratified_split(labels, SHARES, seed=0)
    for class_id, count in enumerate(counts):
        for part, share in zip(parts, SHARES, strict=True):
            assert abs((labels[part] == class_id).sum() - share * count) <= 1


def test_shares_that_come_out_whole_are_exact() -> None:
    labels = labels_of([20, 40])
    parts = stratified_split(labels, (0.5, 0.25, 0.25), seed=1)
    assert [np.bincount(labels[part]).tolist() for part in parts] == [[10, 20], [5, 10], [5, 10]]


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_a_class_with_as_many_examples_as_parts_is_in_each(count: int) -> None:
    labels = labels_of([count, 50])
    for fractions in (SHARES, (0.98, 0.01, 0.01), (0.01, 0.01, 0.98)):
        for part in stratified_split(labels, fractions, seed=2):
            assert 0 in labels[part]


def test_the_seed_decides() -> None:
    labels = labels_of([50, 50])
    first = stratified_split(labels, SHARES, seed=1)
    again = stratified_split(labels.tolist(), SHARES, seed=1)
    other = stratified_split(labels, SHARES, seed=2)
    for part, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(part, same)
    assert any(not np.array_equal(*pair) for pair in zip(first, other, strict=True))


def test_a_class_is_split_alike_whatever_the_other_classes_are() -> None:
    """Leaving out a class leaves the examples of the others where they were."""
    alone = stratified_split(np.zeros(30, int), (0.5, 0.5), seed=4)[0]
    together = stratified_split(np.repeat([0, 1], 30), (0.5, 0.5), seed=4)[0]
    np.testing.assert_array_equal(alone, together[together < 30])


@pytest.mark.parametrize("fractions", [(0.5, 0.6), (0.5, 0.4), (1.5, -0.5), (1.0, 0.0)])
def test_impossible_fractions_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"positive and sum to 1.*Received"):
        stratified_split([0, 1, 0, 1], fractions, seed=0)


def test_a_limit_keeps_the_shares_of_the_classes() -> None:
    source = Pictures([np.zeros((1, 1, 3), np.uint8)] * 100, [0] * 60 + [1] * 40)
    kept = limit(source, 20, seed=0)
    assert len(kept) == 20
    np.testing.assert_array_equal(np.bincount(kept.labels), [12, 8])
    assert len({kept.identifier(index) for index in range(20)}) == 20


@pytest.mark.parametrize("count", [1, 2, 5, 11])
def test_a_limit_is_never_exceeded(count: int) -> None:
    kept = limit(numbered(40, class_count=7), count, seed=0)
    assert 0 < len(kept) <= count


@pytest.mark.parametrize("count", [1, 4, 9])
def test_a_limit_leaves_something_where_each_class_has_one_example(count: int) -> None:
    assert 0 < len(limit(numbered(10, class_count=10), count, seed=0)) <= count


def test_a_limit_above_the_size_changes_nothing() -> None:
    source = numbered(5)
    assert limit(source, 5, seed=0) is source
    assert limit(source, 6, seed=0) is source


def test_a_limit_repeats_with_its_seed() -> None:
    source = numbered(60)
    names = [
        [kept.identifier(index) for index in range(len(kept))]
        for kept in (limit(source, 15, seed) for seed in (1, 1, 2))
    ]
    assert names[0] == names[1] != names[2]


def test_a_subset_has_the_examples_in_the_order_of_its_indices() -> None:
    subset = Subset(numbered(10), np.array([7, 2, 7]))
    assert len(subset) == 3
    assert [subset.identifier(index) for index in range(3)] == [
        "picture 7",
        "picture 2",
        "picture 7",
    ]
    np.testing.assert_array_equal(subset.labels, [1, 2, 1])
    assert [int(subset.example(index)["image"][0, 0, 0]) for index in range(3)] == [7, 2, 7]


def test_a_subset_of_a_subset() -> None:
    inner = Subset(numbered(10), np.array([9, 8, 7, 6]))
    outer = Subset(inner, np.array([3, 0]))
    assert [outer.identifier(index) for index in range(2)] == ["picture 6", "picture 9"]
    np.testing.assert_array_equal(outer.labels, [0, 0])


def test_equal_sources_have_equal_fingerprints() -> None:
    assert fingerprint([numbered(6), numbered(4)]) == fingerprint([numbered(6), numbered(4)])
    assert len(fingerprint([])) == 64


def test_a_fingerprint_sees_every_change() -> None:
    source = numbered(6)
    relabelled = Pictures([np.zeros((1, 1, 3), np.uint8)] * 6, [0, 1, 2, 0, 1, 1])
    variants = [
        [source],
        [relabelled],
        [Subset(source, np.arange(5))],
        [Subset(source, np.array([1, 0, 2, 3, 4, 5]))],
        [Subset(source, np.arange(3)), Subset(source, np.arange(3, 6))],
        [source, Subset(source, np.arange(0))],
    ]
    assert len({fingerprint(variant) for variant in variants}) == len(variants)


def test_a_file_name_that_is_not_utf_8_has_a_fingerprint_and_others_keep_theirs() -> None:
    """Python holds the bytes of a name that are not UTF-8 as surrogates."""

    class Named:
        labels = np.array([7])

        def __init__(self, name: bytes) -> None:
            self.name = name

        def __len__(self) -> int:
            return 1

        def identifier(self, index: int) -> str:
            return self.name.decode("utf-8", "surrogateescape")

    for name in (b"caf\xe9.png", "caf\u00e9.png".encode()):
        written_out = (1).to_bytes(8, "little") + name + b"\0" + b"7\n"
        assert fingerprint([Named(name)]) == hashlib.sha256(written_out).hexdigest()


def test_a_fingerprint_reads_no_picture() -> None:
    source = numbered(6)
    fingerprint([source])
    assert not source.reads


def test_a_content_fingerprint_is_the_hash_of_all_digests() -> None:
    source = noisy(5)
    digests = [example_digest(source.example(index)) for index in range(5)]
    assert {len(digest) for digest in digests} == {16}
    assert content_fingerprint(source) == hashlib.sha256(b"".join(digests)).hexdigest()


def test_the_way_to_an_example_does_not_count() -> None:
    source = noisy(8)
    expected = content_fingerprint(source)
    remembered = Remembered(source, 0)
    backwards = np.arange(8)[::-1]
    for way in (
        remembered,
        Subset(remembered, np.arange(8)),
        Subset(Subset(source, backwards), backwards),
        Remembered(Subset(source, np.arange(8)), 10**6),
    ):
        assert content_fingerprint(way) == expected


def test_a_content_fingerprint_sees_every_change() -> None:
    source = noisy(4)
    images = [source.example(index)["image"] for index in range(4)]
    other_pixel = [image.copy() for image in images]
    other_pixel[3][11, 15, 2] ^= 1
    other_shape = [*images[:3], images[3].reshape(16, 12, 3)]
    labels = source.labels.tolist()
    variants = [
        source,
        Pictures(other_pixel, labels),
        Pictures(other_shape, labels),
        Pictures(images, [*labels[:3], 9]),
        Subset(source, np.array([1, 0, 2, 3])),
        Subset(source, np.arange(3)),
        Subset(source, np.array([0, 1, 2, 3, 3])),
    ]
    assert len({content_fingerprint(variant) for variant in variants}) == len(variants)


def test_a_content_fingerprint_reads_only_what_has_no_digest() -> None:
    source = noisy(6)
    remembered = Remembered(source, 0)
    for index in range(4):
        remembered.example(index)
    source.reads.clear()
    content_fingerprint(Subset(remembered, np.array([5, 0, 1, 2])))
    assert dict(source.reads) == {5: 1}


def test_a_digest_does_not_depend_on_the_layout_in_memory() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)
    strided = np.zeros((12, 4, 3), np.uint8)[::2]
    strided[:] = image
    label = np.int64(1)
    expected = example_digest({"image": image, "label": label})
    assert example_digest({"image": strided, "label": label}) == expected
    assert example_digest({"image": np.asfortranarray(image), "label": label}) == expected
    assert example_digest({"image": image, "label": 1}) == expected


def test_so_many_examples_of_each_class() -> None:
    labels = np.array([0] * 30 + [1] * 4 + [2] * 20 + [5] * 10)
    chosen = per_class(labels, 10, seed=3)
    assert chosen.dtype == np.int64
    assert np.all(np.diff(chosen) > 0)
    assert np.bincount(labels[chosen]).tolist() == [10, 4, 10, 0, 0, 10]
    np.testing.assert_array_equal(per_class(labels, 10, seed=3), chosen)
    assert not np.array_equal(per_class(labels, 10, seed=4), chosen)
    assert set(per_class(labels, 5, seed=3)) < set(chosen)
