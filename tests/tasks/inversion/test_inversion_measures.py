"""The numbers of rebuilt pictures against their definitions, and the decoders of a sceptic."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tasks.common.inversion import drawing, measures
from tasks.common.inversion.linear_decoder import Examples, LinearDecoder

DEVIATION = (60.0, 50.0, 70.0)


def pictures(seed: int, count: int = 9, size: tuple[int, int] = (6, 8)) -> np.ndarray:
    values = np.random.default_rng(seed).uniform(0, 255, (count, *size, 3))
    return values.astype(np.float32)


def test_numbers_of_a_split_are_their_definitions() -> None:
    truth, rebuilt = pictures(0), pictures(1)
    batches = [(truth[k : k + 4], rebuilt[k : k + 4]) for k in (0, 4, 8)]
    numbers = measures.numbers(measures.errors(batches, DEVIATION))
    standardised = ((rebuilt - truth) / np.array(DEVIATION)) ** 2
    assert numbers["squared_error"] == pytest.approx(standardised.mean(), rel=1e-5)
    distances = np.linalg.norm((rebuilt - truth).reshape(9, -1), axis=1)
    expected = distances.mean() / pdist(truth.reshape(9, -1)).mean()
    assert numbers["relative_error"] == pytest.approx(expected, rel=1e-5)
    assert numbers["count"] == 9
    low, high = numbers["squared_error_low"], numbers["squared_error_high"]
    assert low < numbers["squared_error"] < high


def test_one_picture_has_no_distance_from_another() -> None:
    numbers = measures.numbers(measures.errors([(pictures(0, 1), pictures(1, 1))], DEVIATION))
    assert np.isnan(numbers["relative_error"])
    assert numbers["squared_error"] > 0


def test_the_mean_picture_is_the_best_of_those_that_are_always_the_same() -> None:
    truth = pictures(2)
    batches = [truth[:4], truth[4:]]
    mean = measures.mean_picture(batches)
    np.testing.assert_allclose(mean, truth.mean(axis=0), rtol=1e-5)
    best = measures.errors(measures.always(mean, batches), DEVIATION).squared.mean()
    for other in (truth.mean(axis=(0, 1, 2)), truth[0], mean + 5):
        worse = measures.errors(measures.always(other, batches), DEVIATION).squared.mean()
        assert worse > best


@pytest.mark.parametrize("reach", [0, 1], ids=["at the place", "around it"])
def test_a_linear_decoder_finds_a_linear_code(reach: int) -> None:
    """Maps that hold the pixels of their patch, or of their neighbour's patch, in other words."""
    truth = pictures(3, 40, (8, 12))
    grid = truth.reshape(40, 4, 2, 6, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(40, 4, 6, 12)
    mixing, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))
    features = (np.roll(grid, reach, axis=2) @ mixing).astype(np.float32)
    parts = [Examples(features[k], truth[k]) for k in (slice(0, 30), slice(30, 36))]
    decoder = LinearDecoder(*parts, target_size=(8, 12), seed=0)
    rebuilt = np.concatenate(list(decoder.rebuilt(features[36:], 3)))
    assert rebuilt.shape == (4, 8, 12, 3)
    # What was rolled over the edge cannot be seen from the last column of places.
    seen = slice(None, 12 - 2 * reach)
    assert np.abs(rebuilt - truth[36:])[:, :, seen].mean() < 15
    assert np.abs(np.roll(rebuilt, 1, axis=0) - truth[36:])[:, :, seen].mean() > 50


def test_a_linear_decoder_of_vectors_and_of_sizes_that_do_not_divide() -> None:
    codes = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    basis = np.random.default_rng(1).normal(size=(5, 7 * 9 * 3))
    truth = (codes @ basis).reshape(60, 7, 9, 3) * 10 + 128
    parts = [Examples(codes[k], truth[k]) for k in (slice(0, 40), slice(40, 50))]
    decoder = LinearDecoder(*parts, target_size=(7, 9), seed=0)
    rebuilt = np.concatenate(list(decoder.rebuilt(codes[50:], 32)))
    assert np.abs(rebuilt - truth[50:]).max() < 0.2 * truth.std()
    maps = np.random.default_rng(2).normal(size=(10, 3, 3, 4)).astype(np.float32)
    odd = LinearDecoder(Examples(maps, truth[:10]), Examples(maps, truth[:10]), (7, 9), 0)
    assert next(odd.rebuilt(maps, 32)).shape == (10, 7, 9, 3)


def test_panels_show_what_is_off() -> None:
    original = np.full((4, 5, 3), 100.0, np.float32)
    rebuilt = original.copy()
    rebuilt[0, 0] = 400.0
    rebuilt[0, 1] = -50.0
    shown, seen, off = drawing.panels(original, rebuilt)
    assert [panel.shape for panel in (shown, seen, off)] == [(4, 5, 3)] * 3
    assert [panel.dtype for panel in (shown, seen, off)] == [np.uint8] * 3
    assert seen[0, 0].tolist() == [255] * 3
    assert seen[0, 1].tolist() == [0] * 3
    assert off[0, 0].sum() > off[0, 2].sum()
    assert (off[1:] == off[1, 0]).all()
