"""The pool of generated pictures: what it keeps, what it gives, and that it depends on the step."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tasks.common.cyclegan.image_pool import ImagePool

SHAPE = (2, 3, 1)


def pool(capacity: int, seed: int = 0) -> ImagePool:
    return ImagePool(capacity, SHAPE, seed, "pool")


def exchanged(images: ImagePool, numbers: list[int], step: int) -> list[int]:
    """What comes back for pictures that hold these numbers everywhere."""
    pictures = np.stack([np.full(SHAPE, number, np.float32) for number in numbers])
    given = images.exchange(tf.constant(pictures), tf.constant(step, tf.int64)).numpy()
    assert given.shape == pictures.shape
    assert (given == given[:, :1, :1]).all()
    return given[:, 0, 0, 0].astype(int).tolist()


def held(images: ImagePool) -> list[int]:
    return sorted(images.content.numpy()[:, 0, 0, 0].astype(int).tolist())


def test_it_fills_first_and_gives_back_what_comes() -> None:
    images = pool(3)
    for step, number in enumerate((5, 6, 7)):
        assert exchanged(images, [number], step) == [number]
        assert int(images.count) == step + 1
    assert held(images) == [5, 6, 7]


def test_a_full_pool_exchanges_half_of_the_pictures() -> None:
    """Whatever is given back has left the pool, and what was exchanged for it is in it."""
    images, older = pool(4), 0
    for step in range(204):
        before = [] if step < 4 else held(images)
        (given,) = exchanged(images, [step + 1], step)
        if step < 4:
            continue
        after = held(images)
        if given == step + 1:
            assert after == before
        else:
            older += 1
            assert given in before
            assert sorted([*after, given]) == sorted([*before, step + 1])
    # Half of 200, within four standard deviations.
    assert abs(older - 100) < 4 * np.sqrt(200 / 4)


def test_every_place_of_the_pool_is_sampled() -> None:
    images = pool(3)
    for step in range(60):
        exchanged(images, [step + 1], step)
    assert min(held(images)) > 20


def test_it_is_a_function_of_seed_and_step() -> None:
    """Two pools with the same content give the same, whatever either was asked before."""
    runs = []
    for seed in (0, 0, 1):
        images = pool(5, seed)
        runs.append([exchanged(images, [step + 1], step)[0] for step in range(60)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    late = pool(5)
    for step in range(30):
        exchanged(late, [step + 1], step)
    going_on = pool(5)
    going_on.content.assign(late.content)
    going_on.count.assign(late.count)
    assert [exchanged(going_on, [step + 1], step)[0] for step in range(30, 60)] == runs[0][30:]


def test_several_at_a_time_take_different_places() -> None:
    images = pool(4)
    assert exchanged(images, [1, 2, 3], 0) == [1, 2, 3]
    # The fourth place and, going round, the first.
    assert exchanged(images, [4, 5], 1) == [4, 5]
    assert held(images) == [2, 3, 4, 5]
    present = [2, 3, 4, 5]
    for step in range(2, 40):
        new = [10 * step + k for k in range(3)]
        given = exchanged(images, new, step)
        assert len(set(given)) == 3
        assert sorted([*held(images), *given]) == sorted([*present, *new])
        present = held(images)


def test_a_pool_of_none_gives_back_what_comes() -> None:
    images = pool(0)
    assert exchanged(images, [3, 4], 9) == [3, 4]


def test_no_gradient_passes() -> None:
    images, pictures = pool(2), tf.ones((1, *SHAPE))
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        given = tf.reduce_sum(images.exchange(pictures, tf.constant(0)))
    assert tape.gradient(given, pictures) is None


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity=-1"):
        pool(-1)
