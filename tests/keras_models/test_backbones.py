"""The table of backbones against Keras itself: one harness for every network.

One small network a family runs always, the others with the slow tests.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src import backend as keras_backend
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

from keras_models import backbones
from keras_models.backbone_weights import weights_folder
from keras_models.transfer import build_classifier, skip_outputs, stage_layers, stage_outputs

SMALL = ("ResNet50", "ResNet50V2", "VGG16", "DenseNet121", "MobileNet", "MobileNetV2")
SMALL += ("MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "Xception")
SMALL += ("ConvNeXtTiny",)
EVERY = [
    name if name in SMALL else pytest.param(name, marks=pytest.mark.slow)
    for name in backbones.names()
]
ALL_NETWORKS = [name for name in dir(keras.applications) if name[0].isupper()]
MOBILENET_V2_FILE = "mobilenet_v2_1.0_224_no_top_from_coral_ptq.h5"


class InterceptedError(Exception):
    """Stops a constructor at the call that the test wants to see."""


def pictures(network, seed=0):
    """Two random preprocessed pictures of the network's size."""
    shape = (2, *network.input_shape[1:])
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def test_table_is_complete():
    assert sorted(backbones.names()) == sorted(ALL_NETWORKS)
    assert all(name == entry.name for name, entry in backbones.BACKBONES.items())


@pytest.mark.parametrize("name", [n for n in backbones.names() if "MobileNetV3" not in n])
def test_sizes_are_those_of_keras(name, monkeypatch):
    seen = {}

    def obtain_input_shape(*_, default_size, min_size, **__):
        seen.update(default_size=default_size, min_size=min_size)
        raise InterceptedError

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", obtain_input_shape)
    with pytest.raises(InterceptedError):
        backbones.lookup(name).constructor(weights=None)
    entry = backbones.lookup(name)
    assert (entry.default_size, entry.minimum_size) == (seen["default_size"], seen["min_size"])


@pytest.mark.parametrize("name", ["MobileNetV3Small", "MobileNetV3Large"])
def test_minimum_size_of_mobilenet_v3(name):
    """These two check the size by themselves; 224 is in the name of their weights' file."""
    with pytest.raises(ValueError, match="32"):
        backbones.lookup(name).constructor(weights=None, input_shape=(31, 31, 3))
    entry = backbones.lookup(name)
    assert (entry.minimum_size, entry.default_size) == (32, 224)
    assert "_224_" in entry.weights_file


@pytest.mark.parametrize("name", EVERY)
def test_structure(name):
    entry = backbones.lookup(name)
    height, width = entry.minimum_size, entry.minimum_size + 31
    network = backbones.build_backbone(name, (height, width))
    assert network.name == name
    assert network.input_shape == (None, height, width, 3)
    check_skips(network)
    check_stages(network)
    check_cuts(network)


def check_skips(network):
    """Each skip has about twice the resolution of the next; the last one is the output."""
    outputs = skip_outputs(network)
    assert outputs[-1] is network.outputs[0]
    first_stride = network.input_shape[2] / outputs[0].shape[2]
    assert round(first_stride) == (4 if "ConvNeXt" in network.name else 2)
    assert len(outputs) == (4 if "ConvNeXt" in network.name else 5)
    widths = [output.shape[2] for output in outputs]
    for shallow, deep in itertools.pairwise(widths):
        assert 2 * deep - 1 <= shallow <= 2 * deep + 6


def check_stages(network):
    """Every layer is in exactly one stage, and every stage has weights."""
    stages = stage_layers(network)
    assert sorted(id(x) for stage in stages for x in stage) == sorted(map(id, network.layers))
    assert all(any(layer.weights for layer in stage) for stage in stages)
    assert stage_outputs(network)[-1] is network.outputs[0]


def check_cuts(network):
    """Trunk and tail of every cut compute together what the whole network does."""
    images = pictures(network)
    whole = np.asarray(network(images, training=False))
    for output in stage_outputs(network)[:-1]:
        trunk = keras.Model(network.inputs, output)
        # Keras refuses this model if anything but `output` leads from the trunk to the end.
        tail = keras.Model(output, network.outputs[0])
        assert len(trunk.weights) + len(tail.weights) == len(network.weights)
        np.testing.assert_array_equal(np.asarray(tail(trunk(images))), whole)


@pytest.mark.parametrize("name", ["Xception", "MobileNetV3Small", "ConvNeXtTiny"])
def test_names_do_not_depend_on_the_process(name):
    """Stages named by Keras are found however many networks were built before."""
    first = backbones.build_backbone(name, 75)
    second = backbones.build_backbone(name, 75)
    names = [operation.name for operation in second.operations]
    assert names == [operation.name for operation in first.operations]
    keras.backend.clear_session()
    fresh = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(75, 75, 3)
    )
    assert [operation.name for operation in fresh.operations] == names
    copy = keras.Model.from_config(second.get_config())
    assert [tensor.shape for tensor in stage_outputs(copy)] == [
        tensor.shape for tensor in stage_outputs(second)
    ]


@pytest.mark.parametrize("name", EVERY)
def test_imagenet_file_is_the_one_that_keras_asks_for(name, monkeypatch):
    asked = []

    def get_file(fname, *_, **options):
        asked.append((fname, options["cache_subdir"]))
        raise InterceptedError

    monkeypatch.setattr(file_utils, "get_file", get_file)
    entry = backbones.lookup(name)
    for size in (entry.minimum_size, *entry.weights_sizes):
        with pytest.raises(InterceptedError):
            backbones.build_backbone(name, size, weights="imagenet")
        path = backbones.weights_file(name, size)
        assert asked.pop() == (path.name, path.parent.name)


def test_weights_folder_is_keras_s(monkeypatch):
    home = Path(keras_backend.config.keras_home()).expanduser()
    assert weights_folder() == home / "models"


def test_without_a_home_the_weights_lie_where_keras_puts_them(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    # Asked first: what Keras imports may make the folder.
    found = weights_folder()
    code = "from keras.src.backend import config; print(config.keras_home())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found == Path(done.stdout.strip()) / "models"


def test_imagenet_weights_cached(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert not backbones.imagenet_weights_cached("MobileNet", 160)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_1_0_160_tf_no_top.h5").touch()
    assert backbones.imagenet_weights_cached("mobilenet", (160, 160))
    for size in (None, 128, 161, (160, 128)):
        assert not backbones.imagenet_weights_cached("MobileNet", size)


def test_failed_download_is_one_sentence(monkeypatch):
    def get_file(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no route")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(ConnectionError, match=r"MobileNetV2 are not in .*no route"):
        backbones.build_backbone("MobileNetV2", 96, "imagenet")


@pytest.mark.parametrize(
    ("name", "close"), [("resnet-50", "ResNet50"), ("mobilenet_v2", "MobileNetV2")]
)
def test_unknown_name(name, close):
    with pytest.raises(ValueError, match=f"{close}.*name='{name}'"):
        backbones.lookup(name)


def test_lookup_takes_any_case():
    assert backbones.lookup("efficientnetv2b0").name == "EfficientNetV2B0"


def test_too_small():
    with pytest.raises(ValueError, match="at least 71 for Xception"):
        backbones.build_backbone("Xception", (96, 70))


def test_loads_keras_no_top_file(shared_weights):
    path = shared_weights / MOBILENET_V2_FILE
    network = backbones.build_backbone("MobileNetV2", 96, weights=path)
    reference = keras.applications.MobileNetV2(
        include_top=False, weights=str(path), input_shape=(96, 96, 3)
    )
    images = pictures(network)
    np.testing.assert_array_equal(np.asarray(network(images)), np.asarray(reference(images)))
    assert float(np.asarray(network(images)).std()) > 0.1


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
@pytest.mark.parametrize("name", ["MobileNetV3Small", "EfficientNetB0"])
def test_loads_what_was_saved(name, suffix, tmp_path):
    saved = backbones.build_backbone(name, 64)
    path = tmp_path / f"network{suffix}"
    saved.save_weights(path) if suffix == ".weights.h5" else saved.save(path)
    loaded = backbones.build_backbone(name, 48, weights=path)
    images = pictures(loaded)
    same_size = backbones.build_backbone(name, 48)
    assert not np.array_equal(np.asarray(loaded(images)), np.asarray(same_size(images)))
    same_size.set_weights(saved.get_weights())
    np.testing.assert_array_equal(np.asarray(loaded(images)), np.asarray(same_size(images)))


def test_loads_the_backbone_of_a_saved_classifier(tmp_path):
    model = build_classifier("MobileNetV3Small", 48, ["a", "b"], batch_norm_inference=True)
    model.save(tmp_path / "model.keras")
    network = backbones.build_backbone("MobileNetV3Small", 48, weights=tmp_path / "model.keras")
    expected = model.get_layer("MobileNetV3Small").get_weights()
    for loaded, saved in zip(network.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(loaded, saved)


def test_efficientnet_file_by_path_computes_what_imagenet_does(tmp_path, monkeypatch):
    """ImageNet's files hold the deviation for the variance; Keras corrects it for one way only."""
    source = backbones.build_backbone("EfficientNetB0", 64)
    normalization = next(
        layer for layer in source.layers if isinstance(layer, keras.layers.Normalization)
    )
    normalization.set_weights(
        [np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)]
    )
    path = tmp_path / "efficientnetb0_notop.h5"
    source.save(path)
    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    by_name = backbones.build_backbone("EfficientNetB0", 64, weights="imagenet")
    by_path = backbones.build_backbone("EfficientNetB0", 64, weights=path)
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(
        np.asarray(by_path(images)), np.asarray(by_name(images)), rtol=1e-3, atol=1e-5
    )
    # and saved once more, it is not corrected twice
    by_path.save_weights(tmp_path / "again.weights.h5")
    again = backbones.build_backbone("EfficientNetB0", 64, tmp_path / "again.weights.h5")
    np.testing.assert_array_equal(np.asarray(again(images)), np.asarray(by_path(images)))


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_file_of_another_network(suffix, tmp_path):
    path = tmp_path / f"other{suffix}"
    other = backbones.build_backbone("VGG16", 32)
    other.save_weights(path) if suffix == ".weights.h5" else other.save(path)
    with pytest.raises(ValueError, match=r"weights of MobileNetV3Small.*weights='.*other"):
        backbones.build_backbone("MobileNetV3Small", 32, weights=path)


@pytest.mark.parametrize("file", ["text.h5", "text.weights.h5", "text.keras", "text.npz", "no.h5"])
def test_file_that_is_no_weights(file, tmp_path):
    if file.startswith("text"):
        (tmp_path / file).write_text("no weights at all")
    with pytest.raises(ValueError, match=file) as caught:
        backbones.build_backbone("MobileNetV3Small", 32, weights=tmp_path / file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("config", [pytest.param("[" * 100_000, id="deep"), "[]", "\xff"])
def test_a_saved_model_that_says_nothing_of_layers(config, tmp_path):
    path = tmp_path / "damaged.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", "{}")
    with pytest.raises(
        ValueError, match=r"weights of MobileNetV3Small .*damaged\.keras'$"
    ) as caught:
        backbones.build_backbone("MobileNetV3Small", 48, weights=path)
    assert "\n" not in str(caught.value)


def test_weights_with_wrong_bytes_inside(tmp_path):
    path = tmp_path / "damaged.weights.h5"
    backbones.build_backbone("MobileNetV3Small", 48).save_weights(path)
    content = path.read_bytes()
    path.write_bytes(content[:2000] + b"\xff" * 500 + content[2500:])
    with pytest.raises(ValueError, match=r"weights of MobileNetV3Small .*weights\.h5'$") as caught:
        backbones.build_backbone("MobileNetV3Small", 48, weights=path)
    assert "\n" not in str(caught.value)


def test_package_is_light_and_lazy():
    program = (
        "import sys, keras_models; assert 'keras' not in sys.modules;"
        "assert keras_models.schedules.OneCycle.__name__ == 'OneCycle';"
        "assert 'keras' in sys.modules; keras_models.no_such_thing"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.search("AttributeError: .*no_such_thing", done.stderr.strip().splitlines()[-1])
