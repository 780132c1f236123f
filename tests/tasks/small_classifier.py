"""A small trained classifier for the tests of exports, and pictures that it tells apart.

It tells pictures by their dominant colour. It is trained, not random: an untrained network answers
every picture alike, so that any export would seem to agree. Its input is not square and its
preprocessing differs per channel, so that swapped axes or channels show.
"""

from __future__ import annotations

import functools

import keras
import numpy as np

from tasks.common.exports import litert, onnx, saved_model

HEIGHT, WIDTH = 24, 32
CLASS_NAMES = ("rot", "grün", "blue, dark", "白")
MODULES = {"saved_model": saved_model, "litert": litert, "onnx": onnx}


def coloured_pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures whose dominant colour, of four, is the class."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    colours = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [200, 200, 200]])
    noise = generator.normal(0, 40, (count, HEIGHT, WIDTH, 3))
    shade = generator.uniform(0.5, 1.2, (count, 1, 1, 1))
    pictures = colours[labels][:, None, None] * shade + noise
    return np.clip(pictures, 0, 255).astype(np.uint8), labels


def build_classifier() -> keras.Model:
    image = keras.Input((HEIGHT, WIDTH, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling([1 / 58, 1 / 57, 1 / 60], [-2.1, -2.0, -1.8])(image)
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(momentum=0.8)(x))
    x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(momentum=0.8)(x))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(256, 3)(x))
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(image, keras.layers.Dense(4, activation="softmax", dtype="float32")(x))


@functools.cache
def trained_classifier() -> keras.Model:
    """The same trained model for every test of a process: none may change it."""
    keras.utils.set_random_seed(3)
    model = build_classifier()
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(*coloured_pictures(256, seed=1), epochs=4, batch_size=32, verbose=0)
    return model
