"""The four networks of CycleGAN layer by layer, and the models made of the generators."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.cyclegan import (
    ReflectionPadding,
    build_depth_to_picture,
    build_discriminator,
    build_generator,
    build_grey_depth_to_picture,
    build_picture_to_depth,
)
from keras_models.map_output import map_layer


def shape_after(model: keras.Model, layer: str) -> tuple[int, ...]:
    return tuple(model.get_layer(layer).output.shape[1:])


def test_the_generator_layer_by_layer() -> None:
    model = build_generator(3, 1, (64, 96), width=8, residual_blocks=5)
    for layer, shape in {
        "pad_in": (70, 102, 3),
        "in": (64, 96, 8),
        "down1": (32, 48, 16),
        "down2": (16, 24, 32),
        "residual1_pad1": (18, 26, 32),
        "residual1_add": (16, 24, 32),
        "residual5_add": (16, 24, 32),
        "up1": (32, 48, 16),
        "up2": (64, 96, 8),
        "pad_out": (70, 102, 8),
        "out": (64, 96, 1),
    }.items():
        assert shape_after(model, layer) == shape, layer
    assert "residual6_add" not in [layer.name for layer in model.layers]


def test_the_generator_of_the_paper_has_as_many_parameters_as_the_authors_program() -> None:
    """Which prints 11.378 M for nine blocks; five leave out four of 2 (9 * 256^2 + 256)."""
    assert build_generator(3, 3, (256, 256), residual_blocks=9).count_params() == 11_378_179
    five = build_generator(3, 3, (256, 256), residual_blocks=5).count_params()
    assert five == 11_378_179 - 4 * 2 * (9 * 256**2 + 256)


def test_the_discriminator_layer_by_layer() -> None:
    """2.765 M parameters and 30 x 30 scores, as the authors' program has them."""
    model = build_discriminator(3, (256, 256))
    for layer, shape in {
        "conv1": (128, 128, 64),
        "conv2": (64, 64, 128),
        "conv3": (32, 32, 256),
        "conv4": (31, 31, 512),
        "scores": (30, 30, 1),
    }.items():
        assert shape_after(model, layer) == shape, layer
    assert model.count_params() == 2_764_737
    assert "norm1" not in [layer.name for layer in model.layers]


def test_a_score_judges_seventy_pixels() -> None:
    """Size of what one score sees, from the last layer back: 1 -> 4 -> 7 -> 16 -> 34 -> 70."""
    model = build_discriminator(1, (256, 256), width=1)
    seen = 1
    for name in ("scores", "conv4", "conv3", "conv2", "conv1"):
        layer = model.get_layer(name)
        seen = (seen - 1) * layer.strides[0] + layer.kernel_size[0]
    assert seen == 70


def test_reflection_is_that_of_numpy() -> None:
    maps = np.arange(2 * 4 * 5 * 2, dtype=np.float32).reshape(2, 4, 5, 2)
    padded = ReflectionPadding(3)(maps)
    expected = np.pad(maps, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(padded, expected)
    assert ReflectionPadding(3).compute_output_shape((None, 4, None, 2)) == (None, 10, None, 2)


def test_instances_are_normalised_each_channel_for_itself() -> None:
    model = build_generator(3, 3, (24, 24), width=4, residual_blocks=1)
    inner = keras.Model(model.input, model.get_layer("down2_norm").output)
    picture = np.random.default_rng(0).uniform(-1, 1, (2, 24, 24, 3)).astype(np.float32)
    maps = inner.predict_on_batch(picture)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), 0, atol=1e-5)
    deviations = maps.std(axis=(1, 2))
    # The weights are small in the beginning, beside which the epsilon is not nothing.
    assert ((deviations > 0.9) & (deviations < 1.0001)).all()
    # And no picture takes part in another's.
    np.testing.assert_allclose(inner.predict_on_batch(picture[:1]), maps[:1], atol=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        build_generator(1, 3, (24, 32), width=2, residual_blocks=1),
        build_discriminator(3, (24, 32), width=2),
    ],
    ids=["generator", "discriminator"],
)
def test_every_weight_learns_and_weights_begin_small_and_different(model: keras.Model) -> None:
    source = tf.constant(
        np.random.default_rng(1).uniform(-1, 1, (2, *model.input_shape[1:])), tf.float32
    )
    with tf.GradientTape() as tape:
        output = model(source, training=True)
        loss = tf.reduce_mean(tf.square(output - 0.7))
    variables = model.trainable_variables
    assert len(variables) == len(model.weights)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path
    kernels = [v.numpy().ravel() for v in variables if v.name == "kernel" and v.shape[-2] > 1]
    assert np.concatenate(kernels).std() == pytest.approx(0.02, rel=0.2)
    # An initialiser that two layers share would give them the same weights.
    for number, one in enumerate(kernels):
        assert not any(np.array_equal(one, other) for other in kernels[:number])


def test_the_saved_models_take_pictures_and_metres(tmp_path: Path) -> None:
    scale = ("log", 2.0, 50.0)
    to_depth = build_picture_to_depth(build_generator(3, 1, (24, 32), 2, 1), *scale)
    to_picture = build_depth_to_picture(build_generator(1, 3, (24, 32), 2, 1), *scale)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    metres = to_depth.predict_on_batch(pictures)
    assert metres.shape == (2, 24, 32, 1)
    assert metres.dtype == np.float32
    assert ((metres >= 2.0) & (metres <= 50.001)).all()
    levels = to_picture.predict_on_batch(metres)
    assert levels.shape == (2, 24, 32, 3)
    assert ((levels >= 0) & (levels <= 255)).all()
    assert (map_layer(to_depth).names, map_layer(to_depth).unit) == (("depth",), "m")
    assert map_layer(to_picture).names == ("red", "green", "blue")
    for model, source, expected in (
        (to_depth, pictures, metres),
        (to_picture, metres, levels),
    ):
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(again.predict_on_batch(source), expected, rtol=1e-5)


def test_depth_may_come_as_a_grey_picture() -> None:
    """Level 51 of 255 is a fifth of the way to the far end of 10 m."""
    generator = build_generator(1, 3, (24, 24), 2, 1)
    to_picture = build_depth_to_picture(generator, "linear", 0.1, 10.0)
    grey = np.random.default_rng(0).integers(0, 6, (1, 24, 24, 1), dtype=np.uint8) * 51
    received = build_grey_depth_to_picture(generator).predict_on_batch(np.repeat(grey, 3, axis=-1))
    metres = grey.astype(np.float32) / 255 * 10
    # A depth of 0 m would be one that nobody measured.
    expected = to_picture.predict_on_batch(np.maximum(metres, 1e-6))
    np.testing.assert_allclose(received, expected, atol=0.05)


def test_sizes_and_widths_that_do_not_work_are_refused() -> None:
    for arguments in (((62, 64),), ((64, 0),), ((64, 64), 0), ((64, 64), 8, -1)):
        with pytest.raises(ValueError, match="Received"):
            build_generator(3, 1, *arguments)
    for arguments in (((23, 64),), ((64, 64), 0)):
        with pytest.raises(ValueError, match="Received"):
            build_discriminator(3, *arguments)
    assert build_discriminator(3, (24, 24), 1).output_shape == (None, 1, 1, 1)
