"""Rows of numbers as a source, and the batches made of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datasets import core, vector_batches, vectors
from datasets.vectors import VectorSource


def numbered(count: int, classes: int = 3) -> VectorSource:
    """Row i is (i, 10 i) and has the class i mod classes."""
    features = np.arange(count, dtype=np.float32)[:, None] * np.array([[1, 10]], np.float32)
    labels = np.arange(count) % classes
    return VectorSource(features, labels, [f"row {i}" for i in range(count)])


def test_an_example_is_its_row_label_and_name() -> None:
    source = numbered(5)
    assert len(source) == 5
    np.testing.assert_array_equal(source.example(3)["features"], np.float32([3, 30]))
    assert source.example(4)["label"] == 1
    assert source.identifier(4) == "row 4"


def test_the_matrix_of_a_subset_keeps_its_order() -> None:
    chosen = core.Subset(numbered(6), np.array([5, 0, 2]))
    rows = vectors.matrix(chosen)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[:, 0], [5, 0, 2])
    np.testing.assert_array_equal(vectors.matrix(numbered(4))[:, 1], [0, 10, 20, 30])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.zeros((3, 2))}, "float32"),
        ({"features": np.zeros(3, np.float32)}, "shape"),
        ({"labels": np.zeros(2, np.int64)}, "labels"),
        ({"labels": np.zeros(3)}, "int64"),
        ({"names": ["one"]}, "names"),
        ({"features": np.full((3, 2), np.nan, np.float32)}, "finite"),
        ({"labels": np.array([0, -1, 0])}, "not negative"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(numbered(3), **changes)


def batches(source: VectorSource, epochs: range, first_step: int = 0, seed: int = 7) -> list:
    dataset = vector_batches.training_batches(source, 3, 4, seed, epochs, first_step)
    return [(rows, targets) for rows, targets in dataset.as_numpy_iterator()]


def test_an_epoch_shows_every_example_once_with_its_own_target() -> None:
    received = batches(numbered(10), range(1))
    assert [len(rows) for rows, _ in received] == [4, 4, 2]
    rows = np.concatenate([rows for rows, _ in received])
    targets = np.concatenate([targets for _, targets in received])
    assert rows.dtype == targets.dtype == np.float32
    assert sorted(rows[:, 0]) == list(range(10))
    np.testing.assert_array_equal(targets.argmax(axis=1), rows[:, 0] % 3)
    np.testing.assert_array_equal(targets.sum(axis=1), 1)


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    def order(*arguments: object, **options: int) -> list[float]:
        return [row[0] for rows, _ in batches(numbered(10), *arguments, **options) for row in rows]

    two = order(range(2))
    assert two == order(range(2))
    assert two[:10] != two[10:]
    assert two[10:] == order(range(1, 2))
    assert two[:10] != order(range(1), seed=8)


@pytest.mark.parametrize("first_step", [0, 1, 2])
def test_batches_go_on_at_any_step(first_step: int) -> None:
    whole = batches(numbered(10), range(3))
    rest = batches(numbered(10), range(1, 3), first_step)
    for (rows, targets), (rows_again, targets_again) in zip(
        whole[3 + first_step :], rest, strict=True
    ):
        np.testing.assert_array_equal(rows, rows_again)
        np.testing.assert_array_equal(targets, targets_again)


def test_evaluation_keeps_the_order() -> None:
    dataset = vector_batches.evaluation_batches(core.Subset(numbered(9), np.arange(3, 9)), 3, 4)
    rows, targets = zip(*dataset.as_numpy_iterator(), strict=True)
    np.testing.assert_array_equal(np.concatenate(rows)[:, 0], np.arange(3, 9))
    np.testing.assert_array_equal(np.concatenate(targets).argmax(axis=1), np.arange(3, 9) % 3)
    assert dataset.cardinality() == 2
