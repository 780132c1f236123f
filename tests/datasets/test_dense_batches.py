"""From pictures with maps to batches."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from datasets import dense_augment, dense_batches
from datasets.core import DataError
from datasets.dense_batches import DenseBatching
from datasets.dense_maps import MapKind

KINDS = (MapKind("mask", "nearest", 11), MapKind("density", "bilinear", 0))
SIZE = (12, 16)


class Maps:
    """Pictures whose mask is their index and whose density is a ramp; sizes differ."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    @property
    def labels(self) -> np.ndarray:
        return np.zeros(self.count, np.int64)

    def example(self, index: int) -> dict[str, np.ndarray]:
        height, width = 24 + 12 * (index % 2), 32
        ramp = np.tile(np.arange(width, dtype=np.float32), (height, 1))
        return {
            "image": np.full((height, width, 3), index, np.uint8),
            "mask": np.full((height, width), index, np.uint8),
            "density": ramp,
            "label": np.int64(0),
        }

    def identifier(self, index: int) -> str:
        return f"maps {index}"


def how(**changed: object) -> DenseBatching:
    return DenseBatching(**{"batch_size": 4, "image_size": SIZE, "maps": KINDS, **changed})


def test_evaluation_batches_hold_every_example_once_in_order() -> None:
    batches = list(dense_batches.evaluation_batches(Maps(6), how()).as_numpy_iterator())
    assert [images.shape for images, _ in batches] == [(4, 12, 16, 3), (2, 12, 16, 3)]
    assert [target.shape for _, target in batches] == [(4, 12, 16, 2), (2, 12, 16, 2)]
    images, targets = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert images.dtype == np.uint8
    assert targets.dtype == np.float32
    for index in range(6):
        assert (images[index] == index).all()
        assert (targets[index, ..., 0] == index).all()
        # Two columns averaged: 0.5, 2.5, ..., but at the edges, where the kernel is cut.
        np.testing.assert_allclose(targets[index, 3, 2:-2, 1], np.arange(4.5, 28, 2), atol=1e-4)


def test_the_target_may_have_a_size_of_its_own() -> None:
    small = how(target_size=(6, 8), batch_size=3)
    images, targets = next(iter(dense_batches.evaluation_batches(Maps(3), small)))
    assert images.shape == (3, 12, 16, 3)
    assert targets.shape == (3, 6, 8, 2)
    assert set(np.unique(targets[2, ..., 0])) == {2.0}


def test_class_ids_are_never_mixed() -> None:
    class Halves(Maps):
        def example(self, index: int) -> dict[str, np.ndarray]:
            example = super().example(index)
            example["mask"][:, 15:] = 10
            return example

    _, targets = next(iter(dense_batches.evaluation_batches(Halves(1), how(image_size=(7, 9)))))
    assert set(np.unique(targets[..., 0])) == {0.0, 10.0}


def test_training_batches_are_a_function_of_seed_epoch_and_index() -> None:
    change = dense_augment.paired_changes(("flip", "zoom", "colour"), SIZE, KINDS, (0.8, 1.6))

    def batches(seed: int, epochs: range, first_step: int = 0) -> list:
        made = dense_batches.training_batches(Maps(10), how(), seed, epochs, first_step, change)
        return list(made.as_numpy_iterator())

    whole, again, other = batches(3, range(2)), batches(3, range(2)), batches(4, range(2))
    resumed = batches(3, range(1, 2), first_step=1)
    assert len(whole) == 6
    for one, two in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])
    for one, two in zip(whole[4:], resumed, strict=True):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])
    assert not np.array_equal(whole[0][1], other[0][1])
    # Every example once an epoch: its number is in the middle of its mask, whatever its zoom.
    seen = np.concatenate([targets[:, 6, 8, 0] for _, targets in whole[:3]])
    assert set(seen) - {11.0} <= set(range(10))


def test_a_map_of_another_size_than_its_picture_is_refused() -> None:
    example = Maps(1).example(0)
    example["mask"] = example["mask"][1:]
    with pytest.raises(DataError, match=r"The mask of a picture .* received an array of shape"):
        dense_batches.stacked_maps(example, KINDS)


def test_a_resized_depth_is_the_mean_of_what_is_known() -> None:
    depth = np.array([[2, 4, 0, 0], [6, 8, 0, 5], [1, 1, 0, 0], [1, 1, 0, 0]], np.float32)
    kinds = (MapKind("depth", "known", 0.0),)
    halved = dense_batches.resize_maps(tf.constant(depth[..., None]), kinds, (2, 2))
    smooth = tf.image.resize(depth[..., None], (2, 2), antialias=True)
    known = tf.image.resize((depth > 0)[..., None].astype(np.float32), (2, 2), antialias=True)
    expected = np.where(known > 0.499, smooth / np.maximum(known, 1e-9), 0)
    np.testing.assert_allclose(halved, expected, rtol=1e-6)
    assert halved[0, 1, 0] == 0.0


def test_a_resized_depth_lies_where_its_picture_lies() -> None:
    """A depth that rises from left to right by its column: pixel k of half the size sees the two
    columns 2 k and 2 k + 1.
    """
    columns = np.tile(np.arange(8, dtype=np.float32) + 10, (8, 1))[..., None]
    kinds = (MapKind("depth", "known", 0.0),)
    halved = dense_batches.resize_maps(tf.constant(columns), kinds, (4, 4))[..., 0]
    inner = halved.numpy()[1:-1, 1:-1]
    np.testing.assert_allclose(inner, np.tile([12.5, 14.5], (2, 1)), rtol=1e-6)
