"""Batches of points: frames, order, repetition, resuming in the middle."""

from __future__ import annotations

import numpy as np
import pytest

from datasets import landmark_frames, pipeline
from datasets.landmark_augment import paired_changes
from datasets.landmark_batches import LandmarkBatching, evaluation_batches, training_batches
from datasets.landmark_schemes import MUCT76
from datasets.rendered.faces import RenderedFaces

FACES = RenderedFaces(10, 4, (40, 56))
HOW = LandmarkBatching(batch_size=4, image_size=(48, 48), point_count=76, workers=2)


@pytest.mark.parametrize("picture", [(40, 56), (56, 40), (33, 97), (48, 48), (1, 100)])
@pytest.mark.parametrize("frame", [(48, 48), (32, 64), (50, 30)])
def test_there_and_back(picture, frame) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0.1, 1, (20, 2)) * picture[::-1]
    points[::5] = 0
    shares = landmark_frames.to_shares(points, picture, frame)
    assert (shares[::5] == 0).all()
    assert ((shares >= 0) & (shares <= 1)).all()
    back = landmark_frames.to_pixels(shares, picture, frame)
    kept = points.any(axis=1)
    np.testing.assert_allclose(back[kept], points[kept], atol=1e-3)


@pytest.mark.parametrize("picture", [(40, 56), (57, 40), (33, 98), (48, 48)])
@pytest.mark.parametrize("frame", [(96, 96), (64, 128), (100, 60)])
def test_the_frame_is_that_of_the_resized_picture(picture, frame) -> None:
    """A bright patch lies in the resized picture where its share says."""
    image = np.zeros((*picture, 3), np.uint8)
    x, y = picture[1] // 2 + 9, picture[0] // 2 - 7
    image[y - 2 : y + 2, x - 2 : x + 2] = 255
    resized = pipeline.resize(image, frame, "pad").numpy()[..., 0].astype(float)
    rows, columns = np.mgrid[0 : frame[0], 0 : frame[1]] + 0.5
    weights = resized / resized.sum()
    place = (columns * weights).sum() / frame[1], (rows * weights).sum() / frame[0]
    shares = landmark_frames.to_shares(np.array([[x, y]]), picture, frame)[0]
    np.testing.assert_allclose(shares, place, atol=0.6 / min(frame))


def test_a_face_is_not_stretched() -> None:
    """Distances in the frame are those of the picture times one factor."""
    points = FACES.example(1)["points"]
    visible = points.any(axis=1)
    shares = landmark_frames.to_shares(points, (40, 56), (30, 90)) * [90, 30]
    before, after = (np.ptp(part[visible], axis=0) for part in (points, shares))
    assert after / before == pytest.approx([30 / 40, 30 / 40], rel=1e-5)


def test_every_example_once_in_order() -> None:
    batches = list(evaluation_batches(FACES, HOW).as_numpy_iterator())
    images, targets = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert [len(batch[0]) for batch in batches] == [4, 4, 2]
    assert images.shape == (10, 48, 48, 3)
    assert images.dtype == np.uint8
    expected = landmark_frames.to_shares(FACES.example(7)["points"], (40, 56), (48, 48))
    np.testing.assert_array_equal(targets[7], expected.ravel())
    assert not images[:, 0].any()


def test_training_repeats_itself_and_goes_on_from_any_step() -> None:
    change = paired_changes(("flip", "affine"), (48, 48), MUCT76.mirror)

    def batches(epochs: range, first: int = 0, seed: int = 3) -> list:
        made = training_batches(FACES, HOW, seed, epochs, first, change)
        return list(made.as_numpy_iterator())

    whole = batches(range(2))
    assert len(whole) == 6
    for again, offset in (
        (batches(range(2)), 0),
        (batches(range(2), 2), 2),
        (batches(range(1, 2)), 3),
    ):
        for (image, target), (same, same_target) in zip(again, whole[offset:], strict=True):
            np.testing.assert_array_equal(image, same)
            np.testing.assert_array_equal(target, same_target)
    assert not np.array_equal(whole[0][1], whole[3][1])
    assert not np.array_equal(whole[0][1], batches(range(1), seed=4)[0][1])
