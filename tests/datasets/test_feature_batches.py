"""Batches of stored features: every example once an epoch, views in turn, resumable anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.feature_batches import evaluation_batches, training_batches
from datasets.feature_cache import FeatureCache

COUNT, VIEWS, BATCH = 11, 3, 4


@pytest.fixture
def cache() -> FeatureCache:
    """Features that tell their example and view: (example, view)."""
    examples = np.arange(COUNT)
    maps = [
        np.stack([examples, np.full(COUNT, view)], axis=1).astype(np.float16)
        for view in range(VIEWS)
    ]
    return FeatureCache(maps)


TARGETS = np.eye(COUNT, dtype=np.float32)


def epochs_of(cache: FeatureCache, epochs: range, seed: int = 0, first_step: int = 0):
    """Features and targets of each batch."""
    return [
        (features.numpy(), targets.numpy())
        for features, targets in training_batches(cache, TARGETS, BATCH, seed, epochs, first_step)
    ]


def joined(batches) -> np.ndarray:
    return np.concatenate([features for features, _ in batches])


def test_every_example_comes_once_an_epoch_with_its_own_target(cache) -> None:
    batches = epochs_of(cache, range(2))
    assert [len(features) for features, _ in batches] == [4, 4, 3, 4, 4, 3]
    for epoch in (batches[:3], batches[3:]):
        assert sorted(joined(epoch)[:, 0]) == list(range(COUNT))
    for features, targets in batches:
        assert features.dtype == np.float32
        np.testing.assert_array_equal(targets.argmax(axis=1), features[:, 0])
    assert list(joined(batches[:3])[:, 0]) != list(joined(batches[3:])[:, 0])


def test_each_example_shows_all_its_views_in_turn(cache) -> None:
    batches = epochs_of(cache, range(2 * VIEWS))
    shown = {example: [] for example in range(COUNT)}
    for example, view in joined(batches):
        shown[int(example)].append(int(view))
    for views in shown.values():
        assert sorted(views[:VIEWS]) == list(range(VIEWS))
        assert views[VIEWS:] == views[:VIEWS]
    assert len({views[0] for views in shown.values()}) > 1


def test_an_epoch_depends_on_seed_and_number_alone(cache) -> None:
    whole = epochs_of(cache, range(4))
    np.testing.assert_array_equal(joined(whole[6:9]), joined(epochs_of(cache, range(2, 3))))
    assert not np.array_equal(joined(whole), joined(epochs_of(cache, range(4), seed=1)))


def test_going_on_in_the_middle_gives_the_rest(cache) -> None:
    whole = epochs_of(cache, range(1, 3))
    rest = epochs_of(cache, range(1, 3), first_step=2)
    assert len(rest) == len(whole) - 2
    for (expected, expected_targets), (received, targets) in zip(whole[2:], rest, strict=True):
        np.testing.assert_array_equal(received, expected)
        np.testing.assert_array_equal(targets, expected_targets)


def test_evaluation_shows_the_plain_view_in_order(cache) -> None:
    batches = [
        (features.numpy(), targets.numpy())
        for features, targets in evaluation_batches(cache, TARGETS, BATCH)
    ]
    np.testing.assert_array_equal(joined(batches)[:, 0], np.arange(COUNT))
    assert not joined(batches)[:, 1].any()
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), TARGETS)


def test_the_number_of_batches_is_known(cache) -> None:
    assert int(training_batches(cache, TARGETS, BATCH, 0, range(1, 4), 2).cardinality()) == 7
    assert int(evaluation_batches(cache, TARGETS, BATCH).cardinality()) == 3


def test_a_target_may_be_of_the_view_that_is_shown(cache) -> None:
    pictures = FeatureCache([array.astype(np.uint8) * 2 for array in cache.maps])
    for features, targets in training_batches(cache, pictures, BATCH, 3, range(VIEWS)):
        assert targets.dtype == np.float32
        np.testing.assert_array_equal(targets, 2 * features.numpy())
    plain = evaluation_batches(cache, pictures, BATCH)
    joined_targets = np.concatenate([targets.numpy() for _, targets in plain])
    np.testing.assert_array_equal(joined_targets, pictures.maps[0])
