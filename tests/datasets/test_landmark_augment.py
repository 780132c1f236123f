"""Changes of pictures and points together: what moves in one moves in the other."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from datasets.landmark_augment import flipped, paired_changes, transformed
from datasets.landmark_schemes import MUCT76
from datasets.rendered.faces import RenderedFaces

SIZE = (48, 64)


def dots(points: np.ndarray) -> np.ndarray:
    """A picture with a bright pixel at each point, in one channel each; float32."""
    image = np.zeros((*SIZE, 3), np.float32)
    for channel, (x, y) in enumerate(points):
        image[int(y * SIZE[0]), int(x * SIZE[1]), channel] = 255
    return image


def brightest(image: np.ndarray) -> np.ndarray:
    """Where the bright pixel of each channel has gone: its middle, in shares, (3, 2)."""
    found = []
    for channel in np.moveaxis(image, -1, 0):
        rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]] + 0.5
        weights = channel / channel.sum()
        found.append(((columns * weights).sum() / SIZE[1], (rows * weights).sum() / SIZE[0]))
    return np.array(found)


def three_points() -> np.ndarray:
    """Middles of pixels, as shares: left, right, middle."""
    pixels = np.array([(20.5, 17.5), (43.5, 17.5), (31.5, 30.5)])
    return (pixels / SIZE[::-1]).astype(np.float32)


def test_a_flip_moves_points_with_their_pixels_and_exchanges_partners() -> None:
    points = three_points()
    image, moved = (part.numpy() for part in flipped(dots(points), points, (1, 0, 2)))
    # The bright pixel of channel 0 was the left point; it is the right one now.
    np.testing.assert_allclose(moved[[1, 0, 2]], brightest(image), atol=1e-6)
    assert moved[0, 0] < moved[1, 0]


def test_flipped_twice_nothing_has_changed() -> None:
    example = RenderedFaces(3, 5, SIZE).example(2)
    shares = (example["points"] / SIZE[::-1]).astype(np.float32)
    image = example["image"].astype(np.float32)
    once = flipped(image, shares, MUCT76.mirror)
    image_again, points_again = flipped(*once, MUCT76.mirror)
    np.testing.assert_array_equal(image_again, image)
    np.testing.assert_allclose(points_again, shares, atol=1e-6)
    assert not np.array_equal(once[0], image)


def test_a_missing_point_stays_missing_and_so_does_its_partner_in_the_mirror() -> None:
    points = three_points()
    points[1] = 0
    _, moved = flipped(dots(points), points, (1, 0, 2))
    assert moved.numpy()[0].tolist() == [0, 0]
    assert moved.numpy()[1].all()
    _, moved = transformed(dots(points), points, 0.1, 1.0, tf.constant([0.05, 0.05]))
    assert moved.numpy()[1].tolist() == [0, 0]


def test_drawn_faces_keep_their_left_eye_on_the_left() -> None:
    """All changes at once, many times: the left eye has the smaller x, as in every plain face."""
    faces = RenderedFaces(12, 1, (64, 64))
    change = paired_changes(("flip", "affine", "colour"), (64, 64), MUCT76.mirror)
    left, right = MUCT76.eye_corners
    seen = 0
    for number in range(48):
        example = faces.example(number % 12)
        points = (example["points"] / 64).astype(np.float32)
        _, moved = change(example["image"], points, tf.constant([number, 7]))
        moved = moved.numpy()
        if moved[left].any() and moved[right].any():
            seen += 1
            assert moved[left, 0] < moved[right, 0]
    assert seen > 20


@pytest.mark.parametrize(
    ("turn", "scale", "shift"),
    [(0.0, 1.0, (0.0, 0.0)), (0.4, 1.0, (0.0, 0.0)), (0.0, 1.25, (0.0, 0.0)),
     (0.0, 0.8, (0.1, -0.05)), (-0.3, 1.1, (-0.06, 0.04))],
)  # fmt: skip
def test_points_land_where_their_pixels_land(turn, scale, shift) -> None:
    points = three_points()
    image, moved = transformed(dots(points), points, turn, scale, tf.constant(shift))
    np.testing.assert_allclose(moved, brightest(image.numpy()), atol=0.5 / min(SIZE))


def test_a_quarter_turn_by_hand() -> None:
    """Clockwise around the middle of a square: what was above is now to the right."""
    points = np.array([[0.5, 0.25]], np.float32)
    _, moved = transformed(np.zeros((40, 40, 3), np.float32), points, np.pi / 2, 1.0, tf.zeros(2))
    np.testing.assert_allclose(moved, [[0.75, 0.5]], atol=1e-6)


def test_points_that_leave_the_picture_become_missing() -> None:
    points = np.array([[0.05, 0.5], [0.6, 0.5], [0.0, 0.0]], np.float32)
    _, moved = transformed(
        np.zeros((40, 40, 3), np.float32), points, 0.0, 1.0, tf.constant([-0.1, 0.0])
    )
    np.testing.assert_allclose(moved, [[0, 0], [0.5, 0.5], [0, 0]], atol=1e-6)


def test_a_change_follows_from_its_seed_alone() -> None:
    example = RenderedFaces(1, 2, SIZE).example(0)
    points = (example["points"] / SIZE[::-1]).astype(np.float32)
    change = paired_changes(("flip", "affine", "colour", "erase"), SIZE, MUCT76.mirror)
    results = [change(example["image"], points, tf.constant([1, n])) for n in (3, 4, 3)]
    for image, moved in results:
        assert image.shape == (*SIZE, 3)
        assert image.dtype == tf.float32
        assert 0 <= float(tf.reduce_min(image)) <= float(tf.reduce_max(image)) <= 255
        assert moved.shape == (76, 2)
    np.testing.assert_array_equal(results[0][0], results[2][0])
    np.testing.assert_array_equal(results[0][1], results[2][1])
    assert not np.array_equal(results[0][1], results[1][1])


def test_what_cannot_be_is_refused() -> None:
    assert paired_changes((), SIZE, None) is None
    for names, mirror in [(("flip",), None), (("crop",), MUCT76.mirror)]:
        with pytest.raises(ValueError, match="Changes must be among"):
            paired_changes(names, SIZE, mirror)
