"""A small model, its data, and readers of TensorBoard's event files."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util


@pytest.fixture(scope="session")
def data() -> tuple[np.ndarray, np.ndarray]:
    """32 dark and light pictures, uint8, shape (32, 8, 8, 3), with labels 0 and 1."""
    generator = np.random.default_rng(0)
    labels = np.arange(32) % 2
    pictures = generator.integers(0, 120, (32, 8, 8, 3)) + 120 * labels[:, None, None, None]
    return pictures.astype(np.uint8), labels


@pytest.fixture(scope="session")
def make_model():
    """Builds and compiles a classifier of the pictures of `data`; same seed, same weights."""

    def make(optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Rescaling(1 / 127.5, -1),
                keras.layers.Conv2D(4, 3, activation="relu", name="convolution"),
                keras.layers.BatchNormalization(),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(2, activation="softmax", name="head"),
            ]
        )
        model.compile(
            optimizer or keras.optimizers.SGD(0.01),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    return make


@pytest.fixture
def read_events():
    """Reads every tensor event of a folder: tag -> list of (step, array), oldest first.

    Sorted by time, because files of one second are read by name, number 10 before number 9.
    """

    def read(folder: Path) -> dict[str, list[tuple[int, np.ndarray]]]:
        accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
        accumulator.Reload()
        return {
            tag: [
                (event.step, tensor_util.make_ndarray(event.tensor_proto))
                for event in sorted(accumulator.Tensors(tag), key=lambda event: event.wall_time)
            ]
            for tag in accumulator.Tags()["tensors"]
        }

    return read
