"""LeNet-5 against the numbers and formulas of the paper, computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models import lenet
from keras_models.digit_bitmaps import digit_codes
from keras_models.transfer import feature_extractor

DIGITS = tuple("0123456789")
PICTURES = np.random.default_rng(1).integers(0, 256, (4, 28, 28, 3), np.uint8)


@pytest.fixture(scope="module")
def lenet5() -> keras.Model:
    keras.utils.set_random_seed(0)
    return lenet.build_lenet5(DIGITS)


def trainable(layer: keras.layers.Layer) -> int:
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)


def test_each_layer_has_as_many_weights_as_the_paper_says(lenet5: keras.Model) -> None:
    counts = {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164}
    assert {name: trainable(lenet5.get_layer(name)) for name in counts} == counts
    assert trainable(lenet5) == sum(counts.values()) == 60_000
    assert lenet5.count_params() == 60_000 + 10 * 84


def test_it_has_as_many_connections_as_the_paper_says(lenet5: keras.Model) -> None:
    """A connection is a weight at a place: convolutions use each of theirs once a place."""
    places = {
        name: int(np.prod(lenet5.get_layer(name).output.shape[1:3])) for name in ("C1", "C3", "C5")
    }
    connections = {name: places[name] * trainable(lenet5.get_layer(name)) for name in places}
    for name in ("S2", "S4"):  # four inputs and a bias for each unit
        connections[name] = 5 * int(np.prod(lenet5.get_layer(name).output.shape[1:]))
    connections["F6"] = trainable(lenet5.get_layer("F6"))
    connections["output"] = 84 * 10
    assert connections["C1"] == 122_304
    assert connections["S2"] == 5_880
    assert connections["S4"] == 2_000
    assert sum(connections.values()) == 340_908


def test_the_table_of_c3_is_that_of_the_paper() -> None:
    """Six maps see 3, nine see 4, one sees all; each map of S2 is seen by ten."""
    assert [len(row) for row in lenet.C3_TABLE] == [3] * 6 + [4] * 9 + [6]
    assert len(set(lenet.C3_TABLE)) == 16
    seen = np.bincount([source for row in lenet.C3_TABLE for source in row])
    assert seen.tolist() == [10] * 6
    assert all(
        sorted((i + shift) % 6 for shift in range(3)) in map(list, lenet.C3_TABLE) for i in range(6)
    )


def test_the_squashing_function_maps_one_to_one() -> None:
    values = keras.ops.convert_to_numpy(lenet.scaled_tanh(np.array([-1.0, 0.0, 1.0, 100.0])))
    np.testing.assert_allclose(values, [-1.0, 0.0, 1.0, 1.7159], atol=1e-4)


def test_sub_sampling_is_a_loop_over_fields() -> None:
    layer = lenet.SubSampling()
    x = np.random.default_rng(2).normal(size=(2, 6, 4, 3)).astype(np.float32)
    layer.build(x.shape)
    coefficient, bias = np.array([0.3, -0.5, 1.1]), np.array([0.0, 0.2, -0.1])
    layer.set_weights([coefficient, bias])
    expected = np.zeros((2, 3, 2, 3))
    for row in range(3):
        for column in range(2):
            field = x[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            expected[:, row, column] = field.sum(axis=(1, 2)) * coefficient + bias
    expected = 1.7159 * np.tanh(2 / 3 * expected)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), expected, atol=1e-5)


def test_a_table_convolution_is_one_convolution_a_map() -> None:
    """Against `tf.nn.conv2d` of each output map on the maps that it sees, one after another."""
    table = ((0, 2), (1,), (0, 1, 2))
    layer = lenet.TableConvolution(table, size=3)
    x = np.random.default_rng(3).normal(size=(2, 7, 6, 3)).astype(np.float32)
    result = keras.ops.convert_to_numpy(layer(x))
    assert result.shape == (2, 5, 4, 3)
    kernel, bias = layer.get_weights()
    first = 0
    for number, sources in enumerate(table):
        own = kernel[:, :, first : first + len(sources), None]
        first += len(sources)
        plain = tf.nn.conv2d(x[..., list(sources)], own, 1, "VALID").numpy()[..., 0] + bias[number]
        np.testing.assert_allclose(result[..., number], 1.7159 * np.tanh(2 / 3 * plain), atol=1e-5)


@pytest.mark.parametrize(
    ("initialization", "limit"),
    [("paper", lambda inputs: 2.4 / inputs), ("balanced", lambda inputs: (3 / inputs) ** 0.5)],
)
def test_weights_begin_within_their_limits(initialization: str, limit: Callable) -> None:
    """By the inputs of the unit, and the largest of them not much below."""
    keras.utils.set_random_seed(0)
    model = lenet.build_lenet5(DIGITS, initialization)
    kernel = keras.ops.convert_to_numpy(model.get_layer("C3").kernel)
    first = 0
    for sources in lenet.C3_TABLE:
        own = np.abs(kernel[:, :, first : first + len(sources)])
        assert 0.9 < own.max() / limit(25 * len(sources)) <= 1.000001
        first += len(sources)
    for name, inputs in (("C1", 25), ("C5", 400), ("F6", 120)):
        largest = np.abs(model.get_layer(name).get_weights()[0]).max()
        assert 0.9 < largest / limit(inputs) <= 1.000001


def test_balanced_weights_keep_the_signal_that_the_papers_lose() -> None:
    deviations = {}
    for initialization in ("paper", "balanced"):
        keras.utils.set_random_seed(0)
        model = lenet.build_lenet5(DIGITS, initialization)
        code = keras.Model(model.input, model.get_layer("F6").output).predict(PICTURES, verbose=0)
        deviations[initialization] = float(code.std())
    assert deviations["paper"] < 0.05
    assert 0.2 < deviations["balanced"] < 1.2


def test_the_projector_shows_what_the_output_layer_takes(lenet5: keras.Model) -> None:
    assert feature_extractor(lenet5).output_shape == (None, 84)


def test_pixels_have_the_range_of_the_paper(lenet5: keras.Model) -> None:
    """Ground, and the frame around it, at -0.1; ink at 1.175."""
    pixels = keras.Model(lenet5.input, lenet5.get_layer("range").output)
    black, white = np.zeros((1, 28, 28, 3), np.uint8), np.full((1, 28, 28, 3), 255, np.uint8)
    np.testing.assert_allclose(pixels.predict(black, verbose=0), np.full((1, 32, 32, 1), -0.1))
    inked = pixels.predict(white, verbose=0)[0, :, :, 0]
    np.testing.assert_allclose(inked[2:-2, 2:-2], 1.175, rtol=1e-5)
    np.testing.assert_allclose(inked[[0, 1, -2, -1]], -0.1, rtol=1e-5)


def test_the_output_is_nearest_to_the_picture_of_its_digit() -> None:
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    answers = keras.ops.convert_to_numpy(lenet.DigitDistances()(codes))
    # Two codes of +1 and -1 are 4 apart for each pixel in which they differ.
    expected = -4.0 * np.array([[(a != b).sum() for b in codes] for a in codes])
    np.testing.assert_allclose(answers, expected, atol=1e-4)
    assert (answers.argmax(axis=1) == np.arange(10)).all()
    assert np.sort(-answers, axis=1)[:, 1].min() >= 4 * 6


@pytest.mark.parametrize("build", [lenet.build_lenet5, lenet.build_modern_lenet5])
def test_a_network_gives_probabilities_and_survives_saving(build, tmp_path: Path) -> None:
    model = build(DIGITS)
    probabilities = model.predict(PICTURES, verbose=0)
    assert probabilities.shape == (4, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(PICTURES, verbose=0), probabilities)


@pytest.mark.parametrize("build", [lenet.build_lenet5, lenet.build_modern_lenet5])
def test_every_weight_gets_a_finite_gradient(build) -> None:
    """Also from pictures without a stroke, and from answers as wrong as can be."""
    model = build(DIGITS)
    targets = tf.one_hot([0, 1, 2, 3], 10)
    for pictures in (PICTURES, np.zeros_like(PICTURES), np.full_like(PICTURES, 255)):
        with tf.GradientTape() as tape:
            loss = keras.losses.CategoricalCrossentropy()(targets, model(pictures, training=True))
        for gradient in tape.gradient(loss, model.trainable_variables):
            assert np.isfinite(gradient.numpy()).all()
    with tf.GradientTape() as tape:
        loss = keras.losses.CategoricalCrossentropy()(targets, model(PICTURES, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(np.abs(gradient.numpy()).max() > 0 for gradient in gradients)


def test_the_pictures_of_the_digits_do_not_train(lenet5: keras.Model) -> None:
    layer = lenet5.get_layer("logits")
    assert layer.trainable_weights == []
    np.testing.assert_array_equal(layer.get_weights()[0], digit_codes())


def test_lenet5_of_1998_needs_the_ten_digits() -> None:
    with pytest.raises(ValueError, match=r"needs 10 classes\. Received: 3 classes"):
        lenet.build_lenet5(("a", "b", "c"))


def test_a_wider_modern_network_has_more_of_everything() -> None:
    model = lenet.build_modern_lenet5(("a", "b", "c"), width=2.0)
    assert model.get_layer("C1").filters == 12
    assert model.get_layer("C3").filters == 32
    assert model.get_layer("F6").units == 168
    assert model.output_shape == (None, 3)
    with pytest.raises(ValueError, match="`width` must be above 0"):
        lenet.build_modern_lenet5(DIGITS, width=0.0)
