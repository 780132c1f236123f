"""The network of an SVM: its parts computed by hand, saved and loaded."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax

from keras_models import svm_classifier, transfer

CLASSES = ("coupé", "estate", "van")
LAYER = "conv_pw_3_relu"


def network(**options) -> keras.Model:
    keras.utils.set_random_seed(0)
    options = {"layer_name": LAYER, **options}
    return svm_classifier.build_svm_classifier("MobileNet", 32, CLASSES, **options)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)


def maps(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """The feature maps at the layer, by way of the layers inside."""
    backbone = transfer.backbone_of(model)
    pixels = pictures / np.float32(127.5) - 1
    return keras.Function(backbone.input, backbone.get_layer(LAYER).output)(pixels).numpy()


POOLINGS = {
    "average": lambda maps: maps.mean(axis=(1, 2)),
    "max": lambda maps: maps.max(axis=(1, 2)),
    "flatten": lambda maps: maps.reshape(len(maps), -1),
}


@pytest.mark.parametrize("unit_length", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_part_is_what_it_is_called(pictures, pooling, unit_length) -> None:
    model = network(pooling=pooling, unit_length=unit_length)
    model.get_layer("temperature").temperature.assign(0.25)
    features = POOLINGS[pooling](maps(model, pictures))
    if unit_length:
        features = features / np.linalg.norm(features, axis=1, keepdims=True)
    kernel, bias = model.get_layer("decisions").get_weights()
    expected = softmax((features @ kernel + bias) / 0.25, axis=1)
    np.testing.assert_allclose(model.predict(pictures, verbose=0), expected, atol=1e-5)


def test_saved_and_loaded_it_is_the_same(pictures, tmp_path: Path) -> None:
    model = network()
    model.get_layer("temperature").temperature.assign(0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert transfer.class_names(loaded) == CLASSES
    np.testing.assert_array_equal(
        loaded.predict(pictures, verbose=0), model.predict(pictures, verbose=0)
    )


def test_it_is_cut_between_pooling_and_decisions(pictures) -> None:
    model = network(unit_length=True)
    trunk, tail = transfer.split(model, 0)
    features = trunk.predict(pictures, verbose=0)
    np.testing.assert_allclose(features, maps(model, pictures).mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(
        tail.predict(features, verbose=0), model.predict(pictures, verbose=0), atol=1e-6
    )


def test_only_the_decisions_train() -> None:
    model = network()
    transfer.freeze(model, 0)
    names = {weight.path for weight in model.trainable_weights}
    assert names == {"decisions/kernel", "decisions/bias"}


def test_without_a_layer_the_features_are_the_output() -> None:
    model = network(layer_name=None)
    assert model.get_layer("pooling").output.shape[-1] == 1024


@pytest.mark.parametrize(
    ("options", "message"),
    [({"pooling": "median"}, "pooling"), ({"layer_name": "conv_pw"}, "conv_pw")],
)
def test_what_cannot_be_built_is_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        network(**options)
