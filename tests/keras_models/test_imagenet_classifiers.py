"""The classifiers of keras.applications against Keras's own table, files and predictions."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from keras_models import backbones, imagenet_classifiers
from keras_models.imagenet_classifiers import FAMILIES, WIDTHS, find

# keras.io/api/applications, read in November 2026: millions of parameters, depth, and MB where the
# file has few layers, so that their names do not count.
TABLE = {
    "MobileNet": (4.3, 55, 16),
    "MobileNetV2": (3.5, 105, None),
    "ResNet50": (25.6, 107, 98),
    "NASNetMobile": (5.3, 389, None),
    "EfficientNetB0": (5.3, 132, None),
    "DenseNet121": (8.1, 242, None),
    "Xception": (22.9, 81, None),
    "InceptionV3": (23.9, 189, None),
    "VGG16": (138.4, 16, 528),
}
QUICK = ("MobileNet", "MobileNetV2", "ResNet50")
VARIANTS = [
    ("MobileNet", 0.25),
    ("MobileNet", 0.5),
    ("MobileNet", 1.0),
    ("MobileNetV2", 0.35),
    ("MobileNetV3Small", 0.75),
    *(
        pytest.param(name, width, marks=pytest.mark.slow)
        for name in backbones.names()
        for width in WIDTHS.get(name, (1.0,))
    ),
]


class InterceptedError(Exception):
    """Stops a constructor where it asks for its file of weights."""


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TABLE],
)
def test_size_and_depth_are_those_of_keras_s_table(name: str) -> None:
    model = imagenet_classifiers.build(find(name), None)
    network = model.layers[-1]
    millions, depth, megabytes = TABLE[name]
    assert round(network.count_params() / 1e6, 1) == millions
    assert imagenet_classifiers.depth(network) == depth
    if megabytes is not None:
        assert round(imagenet_classifiers.megabytes(network)) == megabytes


def test_depth_looks_into_nested_models() -> None:
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.ReLU()])
    outer = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])
    assert imagenet_classifiers.depth(outer) == 2


@pytest.mark.parametrize(("name", "width"), VARIANTS)
def test_the_file_is_the_one_that_keras_asks_for(
    name: str, width: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def get_file(fname: str, *_: object, **__: object) -> None:
        asked.append(fname)
        raise InterceptedError

    monkeypatch.setattr(file_utils, "get_file", get_file)
    variant = find(name if width == 1.0 else f"{name}-{width}")
    options = {"alpha": width} if name in WIDTHS else {}
    side = variant.backbone.default_size
    with pytest.raises(InterceptedError):
        variant.backbone.constructor(
            include_top=True, weights="imagenet", input_shape=(side, side, 3), **options
        )
    assert asked == [variant.weights_file]


def test_families_hold_every_network_once() -> None:
    together = [name for names in FAMILIES.values() for name in names]
    assert sorted(together) == sorted(backbones.names())
    assert find("EfficientNetV2S").family == "EfficientNetV2"
    assert find("MobileNet-0.25").family == "MobileNet"


@pytest.mark.parametrize(
    ("written", "name", "width"),
    [
        ("resnet50", "ResNet50", 1.0),
        ("mobilenet-0.25", "MobileNet-0.25", 0.25),
        ("MobileNet-1.0", "MobileNet", 1.0),
        ("MobileNetV2-1.4", "MobileNetV2-1.4", 1.4),
    ],
)
def test_a_network_is_found_by_its_name(written: str, name: str, width: float) -> None:
    assert (find(written).name, find(written).width) == (name, width)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("ResNet51", "close to it: ResNet50"),
        ("MobileNet-0.3", "must be one of 0.25, 0.5, 0.75, 1.0"),
        ("ResNet50-0.5", "must be one of 1.0"),
        ("SmallResNet", "no classifier of ImageNet"),
        ("", "close to it"),
        ("a\nb", "close to it"),
    ],
)
def test_a_network_that_is_not_there_is_one_sentence(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        find(written)
    assert "\n" not in str(caught.value)


def test_variants_are_all_widths() -> None:
    names = [variant.name for variant in imagenet_classifiers.variants("MobileNet")]
    assert names == ["MobileNet-0.25", "MobileNet-0.5", "MobileNet-0.75", "MobileNet"]
    assert [variant.name for variant in imagenet_classifiers.variants("vgg16")] == ["VGG16"]


def test_real_weights_give_what_keras_s_own_network_gives(shared_weights: Path) -> None:
    path = shared_weights / find("MobileNet-0.25").weights_file
    model = imagenet_classifiers.build(find("MobileNet-0.25"), path)
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype("uint8")
    reference = keras.applications.MobileNet(alpha=0.25, weights=str(path))
    expected = reference.predict(
        keras.applications.mobilenet.preprocess_input(images.astype("float32")), verbose=0
    )
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-5)
    index = json.loads((shared_weights / "imagenet_class_index.json").read_text())
    assert expected.shape[1] == imagenet_classifiers.CLASS_COUNT == len(index)


def test_a_file_of_another_network_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save(path)
    with pytest.raises(ValueError, match=r"MobileNet-?_?0_25 with its classifier") as caught:
        imagenet_classifiers.build(find("MobileNet-0.25"), path)
    assert "\n" not in str(caught.value)
