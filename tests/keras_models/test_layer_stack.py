"""Stacks: their layers, their first weights against the papers' formulas, saving."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models.layer_stack import SCHEMES, build_layer_stack, hidden_layers, initializer

NAMES = ("a", "b", "c")
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 3), np.uint8)


@pytest.mark.parametrize(
    ("scheme", "deviation"),
    [
        ("zeros", 0.0),
        ("small", 0.01),
        ("large", 1.0),
        ("xavier", np.sqrt(2 / (300 + 200))),
        ("he", np.sqrt(2 / 300)),
    ],
)
def test_first_weights_have_the_deviation_of_the_formula(scheme: str, deviation: float) -> None:
    weights = keras.ops.convert_to_numpy(initializer(scheme, 3)((300, 200)))
    # Four deviations of the estimate of a deviation from 60,000 normal draws.
    assert abs(weights.std() - deviation) <= 4 * deviation / np.sqrt(2 * weights.size)
    if scheme == "xavier":
        limit = np.sqrt(6 / 500)
        assert 0.999 * limit < np.abs(weights).max() <= limit


@pytest.mark.parametrize("kind", ["dense", "convolution"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_stack_has_its_layers_in_order(activation: str, kind: str) -> None:
    model = build_layer_stack(NAMES, "he", activation, 12, 5, kind)
    pairs = hidden_layers(model)
    assert [layer.name for layer, _ in pairs] == [f"layer_{n:02d}" for n in range(1, 13)]
    assert all(after.activation is getattr(keras.activations, activation) for _, after in pairs)
    units = {layer.units if kind == "dense" else layer.filters for layer, _ in pairs}
    assert units == {5}
    assert model.output_shape == (None, 3)
    if kind == "convolution":
        sides = [after.output.shape[1] for _, after in pairs]
        assert sides == [14] * 6 + [7] * 6


def test_dense_weights_count() -> None:
    model = build_layer_stack(NAMES, "he", "relu", 3, 7)
    assert model.count_params() == (784 + 1) * 7 + 2 * (7 + 1) * 7 + (7 + 1) * 3


def test_first_weights_follow_from_the_seed_and_differ_between_layers() -> None:
    first, again, other = (
        build_layer_stack(NAMES, "large", "tanh", 3, 6, seed=seed).get_weights()
        for seed in (4, 4, 5)
    )
    for one, same, different in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        if one.ndim == 2:
            assert (one != different).any()
    assert (first[2] != first[4]).any()


def test_pixels_have_mean_zero_and_deviation_one_where_mnists_have() -> None:
    model = build_layer_stack(NAMES, "he", "relu", 1, 2)
    scaled = keras.Model(model.input, model.get_layer("range").output)
    levels = np.arange(0, 256, 51, dtype=np.uint8).reshape(1, 1, 6, 1)
    pictures = np.broadcast_to(np.tile(levels, (1, 28, 5, 3))[:, :, :28], (1, 28, 28, 3))
    values = scaled.predict(pictures, verbose=0)[0, 0, :6, 0]
    np.testing.assert_allclose(values, (np.arange(0, 1.1, 0.2) - 0.1307) / 0.3081, rtol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stack_survives_saving(scheme: str, tmp_path: Path) -> None:
    model = build_layer_stack(NAMES, scheme, "tanh", 2, 4)
    probabilities = model.predict(PICTURES, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(PICTURES, verbose=0), probabilities)
    assert len(hidden_layers(again)) == 2


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="`depth` and `width`"):
        build_layer_stack(NAMES, "he", "relu", 0, 3)
    with pytest.raises(ValueError, match="`scheme` must be one of"):
        initializer("orthogonal", 0)
    values = keras.Input((3,))
    with pytest.raises(ValueError, match="must be a stack"):
        hidden_layers(keras.Model(values, keras.layers.Dense(2)(values)))
