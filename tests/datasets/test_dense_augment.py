"""Changes of pictures and maps together: what moves in one moves in the other."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from datasets.dense_augment import flipped, moved, paired_changes
from datasets.dense_maps import MapKind

SIZE = (40, 60)
IDS = MapKind("mask", "nearest", 9)
METRES = MapKind("depth", "nearest", 0, zoom_exponent=-1.0)
SHARES = MapKind("density", "bilinear", 0)


def blobs() -> tuple[np.ndarray, np.ndarray]:
    """A picture with a bright square, and maps that hold the same square; float32."""
    image = np.zeros((*SIZE, 3), np.float32)
    image[8:16, 10:24] = 200
    return image, np.stack([image[..., 0] / 200, image[..., 0] / 40 + 1], axis=-1)


def box(plane: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(plane)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_a_flip_mirrors_both() -> None:
    image, maps = (part.numpy() for part in flipped(*blobs()))
    assert box(image[..., 0]) == (8, 16, 36, 50)
    np.testing.assert_array_equal(maps[..., 0] > 0, image[..., 0] > 0)


def test_nothing_moves_without_zoom_turn_and_shift() -> None:
    image, maps = blobs()
    same = moved(image, maps, (IDS, METRES), tf.constant(1.0), tf.constant(0.0), tf.zeros(2))
    np.testing.assert_allclose(same[0], image, atol=1e-4)
    np.testing.assert_allclose(same[1], maps, atol=1e-6)


def test_a_shift_moves_to_the_right_and_down_and_fills_what_comes_in() -> None:
    image, maps = blobs()
    shift = tf.constant([5.0, 3.0])
    after = moved(image, maps, (IDS, METRES), tf.constant(1.0), tf.constant(0.0), shift)
    assert box(after[0].numpy()[..., 0] > 100) == (11, 19, 15, 29)
    assert box(after[1].numpy()[3:, 5:, 0] == 1) == (8, 16, 10, 24)
    assert (after[1].numpy()[:3, :, 0] == 9).all()
    assert (after[1].numpy()[:, :5, 1] == 0).all()


def test_what_is_seen_twice_as_large_is_half_as_far() -> None:
    image = np.zeros((*SIZE, 3), np.float32)
    image[14:22, 20:34] = 200
    maps = np.stack([image[..., 0] / 200, image[..., 0] / 40 + 1], axis=-1)
    zoom = tf.constant(2.0)
    _, after = moved(image, maps, (IDS, METRES), zoom, tf.constant(0.0), tf.zeros(2))
    assert set(np.unique(maps[..., 1])) == {1.0, 6.0}
    assert set(np.unique(after.numpy()[..., 1])) == {0.5, 3.0}
    top, bottom, left, right = box(after.numpy()[..., 0] == 1)
    # Twice as high, twice as wide, twice as far from the middle, to within a pixel.
    np.testing.assert_allclose([bottom - top, right - left], [16, 28], atol=1)
    np.testing.assert_allclose([(top + bottom) / 2, (left + right) / 2], [16, 24], atol=1)


def test_a_quarter_turn_clockwise() -> None:
    image = np.zeros((41, 41, 3), np.float32)
    image[20, 30] = 200  # right of the middle
    turn = tf.constant(np.pi / 2, tf.float32)
    after, _ = moved(image, image[..., :1], (SHARES,), tf.constant(1.0), turn, tf.zeros(2))
    row, column = np.unravel_index(after.numpy()[..., 0].argmax(), (41, 41))
    assert (row, column) == (30, 20)


def test_all_together_keep_picture_and_map_in_step() -> None:
    """The map says where the picture is bright, before and after any change that moves."""
    change = paired_changes(("flip", "zoom", "turn"), SIZE, (SHARES,), (0.6, 2.0), 0.4)
    image, maps = blobs()
    seen = set()
    for number in range(20):
        after, shares = change(tf.constant(image), tf.constant(maps[..., :1]), [number, 3])
        np.testing.assert_allclose(after.numpy()[..., 0] / 200, shares.numpy()[..., 0], atol=1e-4)
        seen.add(round(float(shares.numpy().sum())))
    assert len(seen) > 15


def test_the_same_seed_gives_the_same_change() -> None:
    names = ("flip", "zoom", "turn", "colour", "erase")
    change = paired_changes(names, SIZE, (IDS,), (0.6, 2.0), 0.4)
    image, maps = blobs()
    one, again, other = (change(image, maps[..., :1], [4, seed]) for seed in (7, 7, 8))
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one[0], other[0])


def test_colour_and_erasing_leave_the_maps() -> None:
    change = paired_changes(("colour", "erase"), SIZE, (IDS,))
    image, maps = blobs()
    after, ids = change(image, maps[..., :1], [1, 2])
    np.testing.assert_array_equal(ids, maps[..., :1])
    assert not np.array_equal(after, image)


def test_a_quarter_of_the_pictures_have_swapped_channels() -> None:
    change = paired_changes(("channels",), SIZE, (IDS,))
    _, maps = blobs()
    image = np.broadcast_to(np.array([10.0, 20.0, 30.0], np.float32), (*SIZE, 3))
    orders = []
    for number in range(200):
        after, ids = change(image, maps[..., :1], [number, 5])
        np.testing.assert_array_equal(ids, maps[..., :1])
        assert (after.numpy() == after.numpy()[0, 0]).all()
        orders.append(tuple(after.numpy()[0, 0].tolist()))
    # Of six orders one is that of before: 5 / 6 of a quarter look swapped.
    assert 25 <= sum(order != (10, 20, 30) for order in orders) <= 58
    assert {tuple(sorted(order)) for order in orders} == {(10, 20, 30)}


def test_no_names_no_change() -> None:
    assert paired_changes((), SIZE, (IDS,)) is None


@pytest.mark.parametrize(
    "wrong", [{"names": ("mirror",)}, {"zoom": (0.0, 1.0)}, {"zoom": (2.0, 1.0)}, {"turn": -1.0}]
)
def test_what_is_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="Received"):
        paired_changes(**{"names": ("zoom",), "image_size": SIZE, "maps": (IDS,), **wrong})
