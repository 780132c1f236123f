"""Pictures in one order, maps in another, both functions of seed and epoch."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import pipeline, unpaired_batches
from datasets.dense_augment import paired_changes
from datasets.dense_batches import DenseBatching
from datasets.dense_maps import MapKind

COUNT = 12
DEPTH = MapKind("depth", "nearest", 0.0, -1.0)
HOW = DenseBatching(1, (8, 8), (DEPTH,), workers=2)


class Numbered:
    """Picture and depth of example k hold the number k + 1 everywhere."""

    labels = np.zeros(COUNT, np.int64)

    def __len__(self) -> int:
        return COUNT

    def example(self, index: int) -> dict[str, np.ndarray]:
        return {
            "image": np.full((8, 8, 3), index + 1, np.uint8),
            "depth": np.full((8, 8), index + 1, np.float32),
            "label": np.int64(0),
        }

    def identifier(self, index: int) -> str:
        return str(index)


def numbers(epochs: range, seed: int = 3, first_step: int = 0) -> np.ndarray:
    """Which picture and which map each batch holds, (batches, 2)."""
    batches = unpaired_batches.training_batches(Numbered(), HOW, seed, epochs, first_step)
    return np.array([(x[0, 0, 0, 0], y[0, 0, 0, 0]) for x, y in batches.as_numpy_iterator()])


def test_each_kind_comes_once_an_epoch_in_an_order_of_its_own() -> None:
    both = numbers(range(2)).reshape(2, COUNT, 2)
    for epoch in both:
        assert sorted(epoch[:, 0]) == sorted(epoch[:, 1]) == list(range(1, COUNT + 1))
        # By chance one in twelve pairs is a true one.
        assert (epoch[:, 0] == epoch[:, 1]).sum() <= 4
    for kind in range(2):
        assert not np.array_equal(both[0, :, kind], both[1, :, kind])


def test_true_pairs_are_as_rare_as_chance_has_them() -> None:
    """Of 300 examples one an epoch, in none many, though their seeds differ in one bit."""

    def orders(seed: int) -> np.ndarray:
        batches = pipeline.shuffled_batches(
            300, 300, 1, lambda index, one: (index, index), seed, range(40)
        )
        return np.array([indices for indices, _ in batches.as_numpy_iterator()])

    for seed in (0, 1, 7):
        pairs = (orders(seed) == orders(seed ^ 1)).sum(axis=1)
        assert pairs.max() < 10
        assert 0.3 < pairs.mean() < 2


def test_the_same_seed_gives_the_same_and_another_seed_another_order() -> None:
    np.testing.assert_array_equal(numbers(range(1)), numbers(range(1)))
    assert not np.array_equal(numbers(range(1)), numbers(range(1), seed=4))


def test_the_largest_seed_works() -> None:
    assert sorted(numbers(range(1), seed=2**31 - 1)[:, 1]) == list(range(1, COUNT + 1))


@pytest.mark.parametrize("first_step", [1, 7])
def test_it_goes_on_in_the_middle_of_an_epoch(first_step: int) -> None:
    whole = numbers(range(3))
    rest = numbers(range(1, 3), first_step=first_step)
    np.testing.assert_array_equal(whole[COUNT + first_step :], rest)


def test_maps_change_with_seed_and_place_alone() -> None:
    """Enlarging divides depth by a factor of [1, 2], which the maps then show."""
    change = paired_changes(("zoom",), (8, 8), (DEPTH,), (1.0, 2.0))
    first, again, other = (
        np.sort(
            [
                target[0, 0, 0, 0]
                for _, target in unpaired_batches.training_batches(
                    Numbered(), HOW, seed, range(1), change=change
                ).as_numpy_iterator()
            ]
        )
        for seed in (3, 3, 5)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.min() >= 0.5
    assert (first != np.rint(first)).sum() > COUNT / 2
