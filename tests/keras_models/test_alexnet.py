"""AlexNet against the numbers of the paper, and its normalisation against two other ways."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.alexnet import build_alexnet
from keras_models.local_response_normalization import LocalResponseNormalization

THOUSAND = tuple(f"class {number}" for number in range(1000))


def loop(x: np.ndarray, k: float, n: int, alpha: float, beta: float) -> np.ndarray:
    """The paper's formula, channel by channel."""
    result = np.zeros_like(x)
    channels = x.shape[-1]
    for i in range(channels):
        neighbours = range(max(0, i - n // 2), min(channels - 1, i + n // 2) + 1)
        total = sum(x[..., j] ** 2 for j in neighbours)
        result[..., i] = x[..., i] / (k + alpha * total) ** beta
    return result


@pytest.mark.parametrize("channels", [1, 3, 4, 9])
@pytest.mark.parametrize("values", [(2.0, 5, 1e-4, 0.75), (1.0, 3, 0.5, 0.5), (2.0, 1, 0.1, 1.0)])
def test_normalisation_is_the_formula_and_that_of_tensorflow(channels: int, values) -> None:
    x = np.random.default_rng(channels).normal(0, 30, (2, 3, 4, channels)).astype(np.float32)
    k, n, alpha, beta = values
    result = keras.ops.convert_to_numpy(LocalResponseNormalization(k, n, alpha, beta)(x))
    np.testing.assert_allclose(result, loop(x.astype(np.float64), *values), rtol=1e-4, atol=1e-5)
    theirs = tf.nn.local_response_normalization(x, n // 2, k, alpha, beta)
    np.testing.assert_allclose(result, theirs.numpy(), rtol=1e-4, atol=1e-5)


def test_normalisation_has_the_values_of_the_paper_by_default() -> None:
    config = LocalResponseNormalization().get_config()
    assert {key: config[key] for key in ("k", "n", "alpha", "beta")} == {
        "k": 2.0,
        "n": 5,
        "alpha": 1e-4,
        "beta": 0.75,
    }


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e15])
def test_gradients_of_the_normalisation_are_finite(scale: float) -> None:
    x = tf.constant(np.random.default_rng(0).normal(0, 1, (1, 2, 2, 7)) * scale, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(LocalResponseNormalization()(x))
    assert np.isfinite(tape.gradient(total, x).numpy()).all()


@pytest.mark.parametrize("values", [{"k": 0.0}, {"n": 4}, {"n": -1}, {"alpha": -1.0}])
def test_normalisation_refuses_values_out_of_range(values) -> None:
    with pytest.raises(ValueError, match="`k` must be above 0"):
        LocalResponseNormalization(**values)


@pytest.mark.parametrize(("towers", "count"), [(2, 60_965_224), (1, 62_378_344)])
def test_it_has_as_many_weights_as_in_2012(towers: int, count: int) -> None:
    """Each convolution: size^2 * maps it sees * its maps, and a bias a map."""
    model = build_alexnet((227, 227), THOUSAND, towers=towers)
    by_hand = (
        (11 * 11 * 3 + 1) * 96
        + (5 * 5 * 96 // towers + 1) * 256
        + (3 * 3 * 256 + 1) * 384
        + (3 * 3 * 384 // towers + 1) * 384
        + (3 * 3 * 384 // towers + 1) * 256
        + (6 * 6 * 256 + 1) * 4096
        + (4096 + 1) * 4096
        + (4096 + 1) * 1000
    )
    assert model.count_params() == by_hand == count
    sides = {name: model.get_layer(name).output.shape[1] for name in ("conv1", "conv2", "conv5")}
    assert sides == {"conv1": 55, "conv2": 27, "conv5": 13}
    trained = [layer for layer in model.layers if layer.trainable_weights]
    assert len(trained) == 8


@pytest.fixture(scope="module")
def small() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_alexnet((67, 83), ("a", "b", "c"), width=0.04)


def test_a_tower_sees_only_its_own_maps(small: keras.Model) -> None:
    """Half of the maps of convolution 2 do not change with the other half of its input."""
    layer = small.get_layer("conv2")
    x = np.random.default_rng(0).normal(size=(1, 5, 5, layer.input.shape[-1])).astype(np.float32)
    half = x.shape[-1] // 2
    changed = x.copy()
    changed[..., half:] += 1.0
    before, after = (keras.ops.convert_to_numpy(layer(values)) for values in (x, changed))
    maps = before.shape[-1] // 2
    np.testing.assert_array_equal(before[..., :maps], after[..., :maps])
    assert np.abs(before[..., maps:] - after[..., maps:]).max() > 0


def test_weights_begin_as_in_the_paper() -> None:
    """Deviation 0.01 everywhere; biases 1 in convolutions 2, 4, 5 and in fc6 and fc7."""
    model = build_alexnet((67, 67), ("a", "b"), width=0.25)
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "logits"):
        kernel, bias = model.get_layer(name).get_weights()
        # Three deviations of the deviation of so many draws, each with a deviation of 0.01.
        assert abs(kernel.std() - 0.01) < 3 * 0.01 / np.sqrt(2 * kernel.size)
        assert (bias == (name in ("conv2", "conv4", "conv5", "fc6", "fc7"))).all()


def test_it_gives_probabilities_and_survives_saving(small: keras.Model, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 67, 83, 3), np.uint8)
    probabilities = small.predict(pictures, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    small.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(pictures, verbose=0), probabilities)


def test_every_weight_gets_a_finite_gradient() -> None:
    model = build_alexnet((67, 67), ("a", "b"), width=0.04, initialization="balanced")
    pictures = np.random.default_rng(0).integers(0, 256, (4, 67, 67, 3), np.uint8)
    with tf.GradientTape() as tape:
        probabilities = model(pictures, training=False)
        loss = keras.losses.CategoricalCrossentropy()(tf.one_hot([0, 1, 1, 0], 2), probabilities)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(np.isfinite(gradient.numpy()).all() for gradient in gradients)
    assert all(np.abs(gradient.numpy()).max() > 0 for gradient in gradients)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"image_size": (66, 100)}, "at least 67 pixels"),
        ({"width": 0.0}, "`width` must be above 0"),
        ({"towers": 3}, "`towers` must be 1 or 2"),
    ],
)
def test_impossible_arguments_are_refused(options, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build_alexnet(**{"image_size": (67, 67), "class_names": ("a", "b"), **options})
