"""Against Keras's own grouped convolution: values, gradients, saving."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.grouped_convolution import GroupedConvolution


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_values_and_gradients_are_those_of_keras(groups: int, padding: str) -> None:
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 7, 6, 6)), tf.float32)
    options = {"groups": groups, "padding": padding, "strides": 2, "activation": "relu"}
    ours, theirs = GroupedConvolution(12, 3, **options), keras.layers.Conv2D(12, 3, **options)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    found = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(y**2)
        found.append([y, *tape.gradient(total, [x, *layer.trainable_variables])])
    for own, other in zip(*found, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4)


def test_it_survives_saving(tmp_path: Path) -> None:
    image = keras.Input((5, 5, 4))
    model = keras.Model(image, GroupedConvolution(6, 3, groups=2)(image))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
