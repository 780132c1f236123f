"""The script that a user would write: what trains in it, and how it reads pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
import numpy as np
import pytest

import datasets
from benchmarks import class_folders, keras_guide


def options(**changes: object) -> argparse.Namespace:
    defaults = {
        "backbone": "MobileNetV2",
        "weights": None,
        "image_size": (32, 48),
        "batch_size": 4,
        "seed": 0,
    }
    return argparse.Namespace(**{**defaults, **changes})


@pytest.fixture
def built() -> tuple[keras.Model, keras.Model]:
    return keras_guide.build(options(), class_count=3)


def test_the_classifier_gives_logits_of_float_pictures(built) -> None:
    _, model = built
    assert model.input_shape == (None, 32, 48, 3)
    logits = model.predict(np.full((2, 32, 48, 3), 255.0, np.float32), verbose=0)
    assert logits.shape == (2, 3)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("name", "white"), [("MobileNetV2", 1.0), ("ResNet50", 255 - 103.939), ("VGG16", 255 - 103.939)]
)
def test_preprocessing_is_that_of_the_network(name: str, white: float) -> None:
    pixels = keras_guide.preprocessing_of(name)(np.full((1, 1, 1, 3), 255.0, np.float32))
    assert np.asarray(pixels)[0, 0, 0, 0] == pytest.approx(white, abs=1e-4)


def test_the_head_alone_trains_on_the_frozen_base(built) -> None:
    base, model = built
    base.trainable = False
    assert [weight.path.split("/")[-1] for weight in model.trainable_weights] == ["kernel", "bias"]


def test_the_last_stage_trains_without_its_normalization(built) -> None:
    base, model = built
    keras_guide.unfreeze(base, "block_13_expand")
    paths = [weight.path for weight in model.trainable_weights]
    # Four blocks of three convolutions and the last one, then kernel and bias of the head.
    assert len(paths) == 4 * 3 + 1 + 2
    assert "block_13_expand/kernel" in paths[0]
    assert not any("gamma" in path or "beta" in path for path in paths)


def test_normalization_keeps_its_statistics_while_the_last_stage_trains(built) -> None:
    base, model = built
    keras_guide.unfreeze(base, "block_13_expand")
    keras_guide.compile_at(model, 1e-3)
    means = [layer.moving_mean.numpy() for layer in normalizations(base)]
    kernel = base.get_layer("block_13_expand").kernel
    before = kernel.numpy()
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 32, 48, 3)).astype(np.float32)
    model.fit(pictures, np.array([0, 1, 2, 0]), verbose=0)
    for layer, mean in zip(normalizations(base), means, strict=True):
        np.testing.assert_array_equal(layer.moving_mean.numpy(), mean)
    assert np.abs(kernel.numpy() - before).max() > 0


def normalizations(base: keras.Model) -> list[keras.layers.Layer]:
    return [one for one in base.layers if isinstance(one, keras.layers.BatchNormalization)]


def test_without_a_layer_the_whole_base_trains(built) -> None:
    base, _ = built
    keras_guide.unfreeze(base, None)
    assert base.get_layer("Conv1").trainable
    assert not base.get_layer("bn_Conv1").trainable


def test_only_training_is_shuffled(tmp_path: Path) -> None:
    splits = datasets.rendered.cars.load(24, 8, 8, (32, 48), seed=0, class_count=2)
    class_folders.write(splits, tmp_path)
    test = keras_guide.read_pictures(options(pictures=tmp_path), "test")
    assert np.concatenate([y for _, y in test.as_numpy_iterator()]).tolist() == [0] * 4 + [1] * 4
    train = keras_guide.read_pictures(options(pictures=tmp_path), "train")
    images, _ = next(train.as_numpy_iterator())
    assert images.shape == (4, 32, 48, 3)
    assert images.max() > 1
    everything = np.concatenate([y for _, y in train.as_numpy_iterator()])
    assert sorted(everything) == [0] * 12 + [1] * 12
    assert everything.tolist() != sorted(everything)
    assert len(train.class_names) == 2
