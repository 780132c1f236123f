"""Random changes: repeatable from their seed, within the range, and what their names say."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import tensorflow as tf

from datasets import augment

SIZE = (24, 32)
NAMES = ("flip", "crop", "affine", "colour", "rand_augment", "erase")


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Smooth colours with some noise, over the whole range of values."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    channels = [rows * 10, columns * 8, (rows + columns) * 4]
    noise = np.random.default_rng(0).integers(-9, 10, (*SIZE, 3))
    return np.clip(np.stack(channels, axis=-1) + noise, 0, 255).astype(np.uint8)


def changed(names: tuple[str, ...], picture: np.ndarray, count: int) -> np.ndarray:
    """The picture changed in `count` ways, by the seeds (0, 0) ... (0, count - 1)."""
    seeds = np.stack([np.zeros(count), np.arange(count)], axis=1).astype(np.int32)
    return changed_by(names, picture, seeds)


def changed_by(names: tuple[str, ...], picture: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The picture changed once by each seed, through `tf.data` as in training."""
    change = augment.picture_changes(names, SIZE)
    results = tf.data.Dataset.from_tensor_slices(seeds).map(
        lambda seed: change(tf.constant(picture), seed), num_parallel_calls=2, deterministic=True
    )
    return np.stack(list(results.as_numpy_iterator()))


@pytest.mark.parametrize("name", NAMES)
def test_a_change_follows_from_its_seed_and_does_what_a_change_may(
    name: str, picture: np.ndarray
) -> None:
    seeds = np.array([[first, second] for first in range(2) for second in range(20)], np.int32)
    results = changed_by((name,), picture, np.concatenate([seeds, seeds[::-1]]))
    there, back = results[:40], results[40:][::-1]
    np.testing.assert_array_equal(there, back)
    np.testing.assert_array_equal(there, changed_by((name,), picture, seeds))
    assert not np.array_equal(there[:20], there[20:])
    assert there.dtype == np.float32
    assert there.shape == (40, *SIZE, 3)
    assert np.isfinite(there).all()
    assert there.min() >= 0
    assert there.max() <= 255
    assert sum(not np.array_equal(result, picture) for result in there) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_the_ends_of_the_range_stay_inside_it(name: str) -> None:
    black_and_white = np.zeros((*SIZE, 3), np.uint8)
    black_and_white[:, SIZE[1] // 2 :] = 255
    results = changed((name,), black_and_white, 30)
    assert results.min() >= 0
    assert results.max() <= 255
    assert np.isfinite(results).all()


def test_flip_mirrors_left_and_right_half_of_the_time(picture: np.ndarray) -> None:
    count = 200
    results = changed(("flip",), picture, count)
    flipped = [np.array_equal(result, picture[:, ::-1]) for result in results]
    kept = [np.array_equal(result, picture) for result in results]
    assert sum(flipped) + sum(kept) == count
    # Five standard deviations of a fair coin: sqrt(200) / 2 = 7.1.
    assert abs(sum(flipped) - count / 2) <= 36


def test_crop_shows_a_part_of_half_the_area_or_more_enlarged() -> None:
    """On a ramp from left to right the steps between columns tell how much was enlarged."""
    ramp = np.broadcast_to(np.arange(SIZE[1])[None, :, None] * 8, (*SIZE, 3)).astype(np.uint8)
    steps = changed(("crop",), ramp, 60)[:, 12, 8:24, 0]
    enlargement = 8 / np.diff(steps, axis=1).mean(axis=1)
    assert enlargement.min() >= 0.95
    # Half the area with the widest aspect ratio: width at least sqrt(0.5 * 3 / 4) = 0.61.
    assert enlargement.max() <= 1 / 0.61 + 0.15
    assert np.ptp(enlargement) > 0.2


def test_affine_is_one_small_map_of_the_plane(picture: np.ndarray) -> None:
    """Against SciPy, by homogeneous matrices, from the draws that the seed gives."""
    seeds = np.array([[0, number] for number in range(12)], np.int32)
    results = changed_by(("affine",), picture, seeds)
    for seed, result in zip(seeds, results, strict=True):
        own = tf.random.experimental.stateless_fold_in(seed, 0)
        draws = tf.random.stateless_uniform((6,), own, -1.0, 1.0).numpy().astype(float)
        turn, slant = 0.21 * draws[0], 0.15 * draws[1]
        grow, shift = 1 + 0.1 * draws[2:4], 0.07 * draws[4:] * [SIZE[1], SIZE[0]]
        middle = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2])
        inverse = (
            moved(middle)
            @ np.array(
                [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
            )
            @ np.array([[1, slant, 0], [0, 1, 0], [0, 0, 1]])
            @ np.diag([1 / grow[0], 1 / grow[1], 1])
            @ moved(-middle - shift)
        )
        rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
        places = np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)])
        x, y, _ = inverse @ places
        for channel in range(3):
            expected = scipy.ndimage.map_coordinates(
                picture[..., channel].astype(float), [y, x], order=1, mode="nearest"
            )
            np.testing.assert_allclose(result[..., channel].ravel(), expected, atol=0.05)


def moved(by: np.ndarray) -> np.ndarray:
    """The homogeneous matrix of a shift in the plane."""
    return np.array([[1, 0, by[0]], [0, 1, by[1]], [0, 0, 1]])


def test_erase_puts_one_grey_box_over_a_part(picture: np.ndarray) -> None:
    shares = []
    for result in changed(("erase",), picture, 100):
        erased = (result == 127).all(axis=-1) & (picture != 127).any(axis=-1)
        np.testing.assert_array_equal(result[~erased], picture[~erased])
        if erased.any():
            rows, columns = np.flatnonzero(erased.any(1)), np.flatnonzero(erased.any(0))
            box = erased[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert box.mean() > 0.9
            shares.append(erased.mean())
    # A probability sampled from [0, 0.5]: a quarter of the pictures, five standard deviations.
    assert 4 <= len(shares) <= 47
    assert max(shares) <= 0.25


def test_changes_are_made_one_after_another(picture: np.ndarray) -> None:
    """The first of several changes is the same change as it is alone."""
    both = changed(("flip", "erase"), picture, 30)
    flips = changed(("flip",), picture, 30)
    for together, alone in zip(both, flips, strict=True):
        untouched = (together == alone).all(axis=-1)
        assert untouched.mean() > 0.7


def test_the_same_change_twice_draws_twice(picture: np.ndarray) -> None:
    """Were both flips to use one seed, they would undo each other always."""
    results = changed(("flip", "flip"), picture, 60)
    mirrored = sum(np.array_equal(result, picture[:, ::-1]) for result in results)
    assert 11 <= mirrored <= 49


def test_no_names_make_no_change() -> None:
    assert augment.picture_changes((), SIZE) is None
    assert augment.batch_mixing(None, 0.2) is None


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rand_augment.*Received: \['rotate'\]"):
        augment.picture_changes(("flip", "rotate"), SIZE)
    with pytest.raises(ValueError, match=r"cutmix.*Received: 'blend'"):
        augment.batch_mixing("blend", 0.2)


@pytest.fixture
def bfloat16() -> Iterator[None]:
    """Keras as `--mixed-precision` sets it on a CPU."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("name", ["colour", "rand_augment", "erase"])
def test_mixed_precision_leaves_the_pictures_exact(name: str, picture: np.ndarray) -> None:
    """Pixels are changed in float32 whatever the network computes in."""
    mixed = changed((name,), picture, 8)
    keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(mixed, changed((name,), picture, 8), atol=0.01)


def mixed(
    name: str, alpha: float, seed: int, images: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One batch blended, through `tf.data` as in training."""
    mix = augment.batch_mixing(name, alpha)
    batch = tf.data.Dataset.from_tensors((images, targets))
    seeds = tf.constant([seed, 7], tf.int32)
    return next(batch.map(lambda images, targets: mix(images, targets, seeds)).as_numpy_iterator())


@pytest.fixture(scope="module")
def greys() -> tuple[np.ndarray, np.ndarray]:
    """Eight constant pictures of grey level 30 n with a class each, so that a pixel tells n."""
    levels = 30.0 * np.arange(8)
    images = np.broadcast_to(levels[:, None, None, None], (8, *SIZE, 3)).astype(np.float32)
    return images, np.eye(8, dtype=np.float32)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_follows_from_its_seed(name: str, greys: tuple[np.ndarray, np.ndarray]) -> None:
    first, again, other = (mixed(name, 1.0, seed, *greys) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixed_labels_are_shares_of_at_most_two_classes(
    name: str, alpha: float, greys: tuple[np.ndarray, np.ndarray]
) -> None:
    for seed in range(3):
        _, targets = mixed(name, alpha, seed, *greys)
        assert targets.dtype == np.float32
        assert targets.min() >= -1e-6
        np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-5)
        assert ((targets > 1e-6).sum(axis=1) <= 2).all()


def test_mixup_blends_pictures_by_the_shares_of_their_labels(
    greys: tuple[np.ndarray, np.ndarray],
) -> None:
    images, targets = mixed("mixup", 1.0, 3, *greys)
    levels = targets @ (30.0 * np.arange(8))
    expected = np.broadcast_to(levels[:, None, None, None], images.shape)
    np.testing.assert_allclose(images, expected, atol=0.01)
    assert (targets.max(axis=1) < 0.99).any()


def test_cutmix_labels_are_the_shares_of_the_area(greys: tuple[np.ndarray, np.ndarray]) -> None:
    """The box has fractional edges: in each direction it covers less than a pixel more or less."""
    height, width = SIZE
    pasted = 0
    for seed in range(6):
        images, targets = mixed("cutmix", 1.0, seed, *greys)
        for number, (image, target) in enumerate(zip(images, targets, strict=True)):
            classes, counts = np.unique(np.rint(image[..., 0] / 30), return_counts=True)
            others = classes != number
            assert others.sum() <= 1
            np.testing.assert_allclose(image, np.rint(image / 30) * 30)
            if not others.any():
                continue
            pasted += 1
            rows, columns = np.nonzero(np.rint(image[..., 0] / 30) != number)
            rows, columns = np.unique(rows), np.unique(columns)
            assert len(rows) * len(columns) == counts[others][0]
            largest = (len(rows) + 1) * (len(columns) + 1) / (height * width)
            smallest = (len(rows) - 1) * (len(columns) - 1) / (height * width)
            assert smallest - 1e-5 <= target[int(classes[others][0])] <= largest + 1e-5
    assert pasted > 10


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_shares_have_the_stated_beta_distribution(name: str, alpha: float) -> None:
    """Kolmogorov-Smirnov over the share that each example keeps of itself.

    In a batch of as many classes as examples the diagonal of the targets is that share.
    """
    count = 200
    shares = []
    for seed in range(5):
        targets = np.eye(count, dtype=np.float32)
        _, blended = mixed(name, alpha, seed, np.zeros((count, 8, 8, 3), np.float32), targets)
        alone = np.diag(blended)
        partnered = (blended > 0).sum(axis=1) > 1
        shares.extend(alone[partnered])
    result = scipy.stats.kstest(shares, scipy.stats.beta(alpha, alpha).cdf)
    # A thousand shares: 0.06 is exceeded once in a thousand such tests.
    assert result.statistic < 0.062, result


def test_mixup_blends_more_evenly_with_an_alpha_above_one(
    greys: tuple[np.ndarray, np.ndarray],
) -> None:
    _, targets = mixed("mixup", 50.0, 0, *greys)
    shares = targets.max(axis=1)
    assert (np.abs(shares - 0.5) < 0.3).mean() > 0.7
