"""Two small models that are no classifiers of pictures, with inputs that they tell apart.

Their weights are random, and large enough that answers differ from example to example: a model
that answers all alike would agree with any export.
"""

from __future__ import annotations

import functools

import keras
import numpy as np

FEATURES, CLASS_NAMES = 5, ("low", "middle", "high")
SIDE, POINT_NAMES = 16, ("x00", "y00", "x01", "y01", "x02", "y02")


@functools.cache
def vector_classifier() -> keras.Model:
    """Rows of numbers, float32 (batch, 5), to the probabilities of three classes."""
    keras.utils.set_random_seed(5)
    features = keras.Input((FEATURES,), name="features")
    x = keras.layers.Dense(16, name="hidden")(features)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    wide = keras.initializers.RandomNormal(stddev=1.5, seed=1)
    x = keras.layers.Dense(len(CLASS_NAMES), "softmax", kernel_initializer=wide)(x)
    return keras.Model(features, x)


def rows(count: int, seed: int) -> np.ndarray:
    """Rows of numbers around 0, float32 (count, 5)."""
    return np.random.default_rng(seed).normal(0, 1, (count, FEATURES)).astype(np.float32)


@functools.cache
def point_finder() -> keras.Model:
    """Pictures, uint8 (batch, 16, 16, 3), to three points, x and y in [0, 1] (batch, 6)."""
    keras.utils.set_random_seed(5)
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="convolution")(x)
    x = keras.layers.Flatten()(x)
    wide = keras.initializers.RandomNormal(stddev=0.2, seed=2)
    return keras.Model(
        image, keras.layers.Dense(len(POINT_NAMES), "sigmoid", kernel_initializer=wide)(x)
    )


def patches(count: int, seed: int) -> np.ndarray:
    """Coarse random pictures, uint8 (count, 16, 16, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)
