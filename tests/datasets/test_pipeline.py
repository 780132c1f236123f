"""The stream of batches: complete, repeatable, resumable at any step, and well resized."""

from __future__ import annotations

import itertools
import os
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from datasets import augment, pipeline
from datasets.pipeline import Batching
from tests.datasets.sources import Pictures, noisy, numbered

SIZE = (12, 16)
EVERY_CHANGE = ("flip", "crop", "colour", "rand_augment", "erase")


def batching_of(batch_size: int = 3, workers: int = 2, class_count: int = 3) -> Batching:
    return Batching(batch_size, SIZE, class_count, workers=workers)


def stream(source, epochs: range, first_step: int = 0, **options) -> list[tuple[np.ndarray, ...]]:
    """The batches of `training_batches` as arrays; `batching` and `seed` have defaults."""
    batching = options.pop("batching", batching_of())
    seed = options.pop("seed", 0)
    batches = pipeline.training_batches(source, batching, seed, epochs, first_step, **options)
    return list(batches.as_numpy_iterator())


def order_of(batches: list[tuple[np.ndarray, ...]]) -> list[int]:
    """Which of the `numbered` pictures came, in order."""
    return [int(image[0, 0, 0]) for images, _ in batches for image in images]


def assert_equal_batches(received: list, expected: list) -> None:
    assert len(received) == len(expected) > 0
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize(("examples", "batch_size", "steps"), [(7, 3, 3), (6, 3, 2), (2, 5, 1)])
def test_each_epoch_has_every_example_once(examples: int, batch_size: int, steps: int) -> None:
    source = numbered(examples)
    batching = batching_of(batch_size)
    assert pipeline.steps_per_epoch(source, batch_size) == steps
    batches = stream(source, range(4), batching=batching)
    assert len(batches) == 4 * steps
    for epoch in range(4):
        part = batches[epoch * steps : (epoch + 1) * steps]
        assert sorted(order_of(part)) == list(range(examples))
        sizes = [len(images) for images, _ in part]
        assert sizes == [min(batch_size, examples - batch_size * step) for step in range(steps)]


def test_one_example_alone() -> None:
    assert order_of(stream(numbered(1), range(3))) == [0, 0, 0]


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    source = numbered(20)
    orders = [order_of(stream(source, range(epoch, epoch + 1), seed=1)) for epoch in range(4)]
    assert len({tuple(order) for order in orders}) == 4
    assert list(range(20)) not in orders
    assert order_of(stream(source, range(4), seed=1)) == [*itertools.chain(*orders)]
    assert order_of(stream(source, range(1), seed=2)) != orders[0]


def test_a_batch_holds_uint8_pictures_and_one_hot_targets() -> None:
    images, targets = stream(numbered(5), range(1))[0]
    assert images.shape == (3, *SIZE, 3)
    assert images.dtype == np.uint8
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(targets, np.eye(3)[images[:, 0, 0, 0] % 3])


def test_the_element_shapes_are_known_to_keras() -> None:
    for mix in (None, augment.batch_mixing("mixup", 0.2)):
        images, targets = pipeline.training_batches(
            numbered(5), batching_of(), 0, range(1), mix=mix
        ).element_spec
        assert images.shape.as_list() == [None, *SIZE, 3]
        assert targets.shape.as_list() == [None, 3]


def changes(names: tuple[str, ...], mixing: str) -> dict:
    """New functions that change and mix, as a new process makes them."""
    return {
        "augment": augment.picture_changes(names, SIZE),
        "mix": augment.batch_mixing(mixing, 0.8),
    }


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_a_stream_goes_on_at_any_step_of_any_epoch(mixing: str) -> None:
    source = noisy(7)
    whole = stream(source, range(2), **changes(("flip", "crop"), mixing))
    for epoch in range(2):
        for step in range(3):
            rest = stream(source, range(epoch, 2), step, **changes(("flip", "crop"), mixing))
            assert_equal_batches(rest, whole[3 * epoch + step :])


def test_a_stream_goes_on_with_every_change_switched_on() -> None:
    source = noisy(7)
    whole = stream(source, range(2), **changes(EVERY_CHANGE, "cutmix"))
    rest = stream(source, range(1, 2), 1, **changes(EVERY_CHANGE, "cutmix"))
    assert_equal_batches(rest, whole[4:])


@pytest.mark.parametrize("names", [("colour",), ("rand_augment",), ("erase",), ("flip", "crop")])
def test_one_change_serves_several_streams(names: tuple[str, ...]) -> None:
    """A recipe of several stages, and the pictures shown before the first, use one function."""
    source = noisy(4)
    change = augment.picture_changes(names, SIZE)
    first, second = (stream(source, range(1), augment=change) for _ in range(2))
    assert_equal_batches(second, first)


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_one_mixing_serves_several_streams(mixing: str) -> None:
    source = noisy(4)
    mix = augment.batch_mixing(mixing, 0.8)
    first, second = (stream(source, range(1), mix=mix) for _ in range(2))
    assert_equal_batches(second, first)


def test_the_stream_does_not_depend_on_the_number_of_workers() -> None:
    source = noisy(11)
    names = ("flip", "crop", "colour")
    alone = stream(source, range(2), batching=batching_of(workers=1), **changes(names, "mixup"))
    crowd = stream(source, range(2), batching=batching_of(workers=7), **changes(names, "mixup"))
    assert_equal_batches(crowd, alone)


def test_an_example_is_changed_alike_whatever_the_batch_size() -> None:
    source = noisy(6)
    change = augment.picture_changes(("flip", "crop"), SIZE)
    by_two = stream(source, range(1), batching=batching_of(2), augment=change)
    by_three = stream(source, range(1), batching=batching_of(3), augment=change)
    np.testing.assert_array_equal(
        np.concatenate([images for images, _ in by_two]),
        np.concatenate([images for images, _ in by_three]),
    )


def test_an_example_is_changed_in_another_way_each_epoch() -> None:
    """One picture alone: its crop differs from epoch to epoch and from seed to seed."""
    change = augment.picture_changes(("crop",), SIZE)
    seen = [
        images[0].tobytes()
        for seed in (0, 1)
        for images, _ in stream(noisy(1), range(3), seed=seed, augment=change)
    ]
    assert len(set(seen)) == 6


def test_no_epoch_leaves_neighbours_together() -> None:
    """Of 300 places one is followed by the next index by chance; also in epoch 12."""
    positions = tf.range(300, dtype=tf.int64)
    for seed in (0, 1, 7):
        for epoch in range(64):
            order = pipeline.shuffled_index(positions, seed, tf.constant(epoch, tf.int64), 300)
            assert sorted(order.numpy()) == list(range(300))
            assert (np.diff(order.numpy()) == 1).sum() < 10, (seed, epoch)


def in_order_of_index(batches: list[tuple[np.ndarray, ...]], seed: int, epoch: int) -> np.ndarray:
    """The pictures of one epoch of a training, sorted back to the order of the source."""
    pictures = np.concatenate([images for images, _ in batches])
    positions = np.arange(len(pictures))
    order = pipeline.shuffled_index(positions, seed, tf.constant(epoch, tf.int64), len(pictures))
    return pictures[np.argsort(order)]


@pytest.mark.parametrize(("seed", "view"), [(0, 0), (0, 3), (7, 1)])
def test_a_view_shows_each_example_as_that_epoch_of_the_training(seed: int, view: int) -> None:
    source = noisy(7)
    change = augment.picture_changes(EVERY_CHANGE, SIZE)
    trained = stream(source, range(view, view + 1), seed=seed, augment=change)
    views = pipeline.view_batches(source, batching_of(2), seed, view, augment=change)
    received = list(views.as_numpy_iterator())
    assert [len(images) for images in received] == [2, 2, 2, 1]
    assert received[0].dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(received), in_order_of_index(trained, seed, view))


def test_a_view_goes_on_at_any_example() -> None:
    source = noisy(7)
    change = augment.picture_changes(("flip", "crop"), SIZE)
    whole, rest = (
        np.concatenate(
            list(
                pipeline.view_batches(
                    source, batching_of(), 0, 2, first, change
                ).as_numpy_iterator()
            )
        )
        for first in (0, 4)
    )
    assert len(whole) == 7
    np.testing.assert_array_equal(rest, whole[4:])


def test_a_view_without_changes_is_what_evaluation_shows() -> None:
    source = numbered(7)
    views = list(pipeline.view_batches(source, batching_of(), 0, 5).as_numpy_iterator())
    plain = list(pipeline.evaluation_batches(source, batching_of()).as_numpy_iterator())
    assert views[0].dtype == np.uint8
    np.testing.assert_array_equal(
        np.concatenate(views), np.concatenate([images for images, _ in plain])
    )


class Together(Pictures):
    """Hands out an example only when `count` of them are asked for at the same time."""

    def __init__(self, count: int, examples: int) -> None:
        super().__init__([np.zeros((4, 6, 3), np.uint8)] * examples, [0] * examples)
        self._barrier = threading.Barrier(count, timeout=300)

    def example(self, index: int) -> dict[str, np.ndarray]:
        self._barrier.wait()
        return super().example(index)


@pytest.mark.parametrize("batches", ["training", "evaluation", "view"])
def test_as_many_examples_are_loaded_at_once_as_there_are_workers(batches: str) -> None:
    """More than this machine has cores, for a source may wait for a disk."""
    workers = 3 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 16
    source = Together(workers, 2 * workers)
    batching = batching_of(batch_size=2, workers=workers)
    dataset = {
        "training": lambda: pipeline.training_batches(source, batching, 0, range(1)),
        "evaluation": lambda: pipeline.evaluation_batches(source, batching),
        "view": lambda: pipeline.view_batches(source, batching, 0, 0),
    }[batches]()
    assert len(list(dataset)) == workers
    assert len(source.reads) == 2 * workers


def test_few_examples_wait_for_a_slow_step() -> None:
    """The batch that was handed out, two that are ready, and one example a worker."""
    source = numbered(250)
    expected = 4 * (1 + 2) + 2
    iterator = iter(pipeline.training_batches(source, batching_of(4, workers=2), 0, range(1)))
    next(iterator)
    deadline = time.monotonic() + 300
    while sum(source.reads.values()) < expected and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    assert sum(source.reads.values()) == expected


def test_evaluation_is_in_order_complete_and_unchanged() -> None:
    source = numbered(7)
    batches = list(pipeline.evaluation_batches(source, batching_of()).as_numpy_iterator())
    assert order_of(batches) == list(range(7))
    assert [len(images) for images, _ in batches] == [3, 3, 1]
    np.testing.assert_array_equal(
        np.concatenate([targets for _, targets in batches]), np.eye(3)[source.labels]
    )
    assert all(count == 1 for count in source.reads.values())


def test_pictures_of_different_sizes_come_out_in_one() -> None:
    rng = np.random.default_rng(0)
    sizes = [(5, 9), (40, 31), (12, 16), (1, 1)]
    pictures = [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    source = Pictures(pictures, [0, 1, 2, 0])
    images, _ = next(pipeline.evaluation_batches(source, batching_of(4)).as_numpy_iterator())
    assert images.shape == (4, *SIZE, 3)
    np.testing.assert_array_equal(images[2], pictures[2])


def resized(picture: np.ndarray, size: tuple[int, int], resizing: str) -> np.ndarray:
    result = pipeline.resize(tf.constant(picture), size, resizing)
    assert result.dtype == tf.uint8
    return result.numpy()


@pytest.mark.parametrize(
    ("original", "size"), [((97, 131), (32, 48)), ((64, 64), (20, 33)), ((50, 40), (50, 13))]
)
def test_down_scaling_agrees_with_pillow(original: tuple[int, int], size: tuple[int, int]) -> None:
    """Pillow's BILINEAR is antialiased as well; it rounds between its two passes."""
    picture = np.random.default_rng(1).integers(0, 256, (*original, 3), np.uint8)
    expected = np.asarray(
        Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR), np.int32
    )
    difference = np.abs(resized(picture, size, "squash").astype(np.int32) - expected)
    assert difference.max() <= 1
    assert expected.std() > 5


def column(*values: int) -> np.ndarray:
    """A picture that is constant from top to bottom: one row of grey values."""
    return np.array(values, np.uint8)[None, :, None].repeat(3, axis=2)


def test_squash_changes_the_aspect_ratio() -> None:
    """Halving the width: each new pixel has the triangle weights 1, 3, 3, 1 of four old ones."""
    row = column(0, 80, 160, 240).repeat(2, axis=0)
    # Left: (3*0 + 3*80 + 1*160) / 7 = 57.1, the weight beyond the edge left out. Right alike.
    np.testing.assert_array_equal(resized(row, (2, 2), "squash")[0, :, 0], [57, 183])


def test_crop_cuts_the_longer_side_on_both_ends() -> None:
    wide = column(10, 20, 30, 40).repeat(2, axis=0)
    np.testing.assert_array_equal(resized(wide, (2, 2), "crop"), wide[:, 1:3])
    tall = wide.transpose(1, 0, 2)
    np.testing.assert_array_equal(resized(tall, (2, 2), "crop"), tall[1:3])


def test_pad_adds_black_on_both_ends() -> None:
    wide = column(10, 20, 30, 40).repeat(2, axis=0)
    expected = np.zeros((4, 4, 3), np.uint8)
    expected[1:3] = wide
    np.testing.assert_array_equal(resized(wide, (4, 4), "pad"), expected)
    np.testing.assert_array_equal(
        resized(wide.transpose(1, 0, 2), (4, 4), "pad"), expected.transpose(1, 0, 2)
    )


@pytest.mark.parametrize("resizing", ["squash", "crop", "pad"])
def test_a_picture_of_the_right_size_stays_as_it_is(resizing: str) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (9, 13, 3), np.uint8)
    np.testing.assert_array_equal(resized(picture, (9, 13), resizing), picture)


@pytest.mark.parametrize("shape", [(9, 13), (40, 30), (5, 8)])
def test_in_a_graph_the_size_is_known_and_the_pixels_are_the_same(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    function = tf.function(
        lambda image: pipeline.resize(image, (9, 13), "squash"),
        input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)],
    )
    assert function.get_concrete_function().output_shapes.as_list() == [9, 13, 3]
    np.testing.assert_array_equal(function(picture), resized(picture, (9, 13), "squash"))


@pytest.mark.parametrize("resizing", ["squash", "crop"])
@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_constant_picture_keeps_its_value(resizing: str, value: int) -> None:
    """Rounding, not cutting off: 254.9999 must not become 254."""
    picture = np.full((37, 53, 3), value, np.uint8)
    for size in ((16, 16), (71, 90)):
        np.testing.assert_array_equal(resized(picture, size, resizing), np.full((*size, 3), value))


def test_colours_stay_in_their_channels() -> None:
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[..., 0], picture[..., 1], picture[..., 2] = 200, 100, 50
    assert (resized(picture, (7, 9), "squash") == [200, 100, 50]).all()
