"""Features at deviation 1, and standardised pixels as pixels again."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models.standardization import FeatureStandardization, PixelRange


@pytest.mark.parametrize("shape", [(50, 4), (20, 3, 5, 4)], ids=["vectors", "maps"])
def test_what_it_learned_from_has_mean_0_and_deviation_1(shape: tuple[int, ...]) -> None:
    scales = np.array([1.0, 3.0, 0.8, 2.0], np.float32)
    features = np.random.default_rng(0).normal(5, scales, shape).astype(np.float32)
    layer = FeatureStandardization()
    np.testing.assert_array_equal(layer(features), features)
    layer.learn(features)
    given = np.asarray(layer(features)).reshape(-1, 4)
    np.testing.assert_allclose(given.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(given.std(axis=0), 1, rtol=1e-4)


def test_channels_that_do_not_move_stay_small() -> None:
    features = np.random.default_rng(0).normal(0, 1, (100, 3)).astype(np.float32)
    features[:, 1] = 7
    layer = FeatureStandardization()
    layer(features)
    layer.learn(features)
    assert np.abs(layer(features)[:, 1]).max() < 1e-3
    # The average deviation of 1, 0 and 1 is 2 / 3, a quarter of which is 1 / 6.
    assert np.abs(layer(features + 1)[:, 1]).max() == pytest.approx(6, rel=0.2)
    layer.learn(np.full((4, 3), 2.0, np.float32))
    np.testing.assert_array_equal(layer(np.full((1, 3), 3.0, np.float32)), [[1, 1, 1]])


def test_what_was_learned_is_saved(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(3, 2, (30, 2)).astype(np.float32)
    layer = FeatureStandardization(name="standardization")
    model = keras.Sequential([keras.Input((2,)), layer])
    layer.learn(features)
    assert model.trainable_variables == []
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(features), model(features))
    copy = keras.Sequential([keras.Input((2,)), FeatureStandardization()])
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(features), model(features))


def test_pixels_are_what_was_standardised(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    mean, deviation = (100.0, 120.0, 90.0), (60.0, 50.0, 70.0)
    layer = PixelRange(mean, deviation)
    given = layer((pixels - mean) / deviation)
    np.testing.assert_allclose(given, pixels, rtol=1e-5, atol=1e-3)
    again = PixelRange.from_config(layer.get_config())
    np.testing.assert_array_equal(again(pixels), layer(pixels))


@pytest.mark.parametrize(("mean", "deviation"), [((1.0,), (1.0, 2.0)), ((1.0,), (0.0,))])
def test_impossible_pixels_are_refused(mean, deviation) -> None:
    with pytest.raises(ValueError, match="Received"):
        PixelRange(mean, deviation)
