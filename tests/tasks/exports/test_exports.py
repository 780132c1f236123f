"""Every export format, reloaded in its runtime and compared with a small trained classifier."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import onnx as onnx_package
import onnxruntime
import pytest

from tasks.common.exports import agreement, formats, litert, onnx, verified
from tests.tasks.small_classifier import (
    CLASS_NAMES,
    MODULES,
    coloured_pictures,
)

EXPORTS = (
    ("saved_model", None),
    ("litert", None),
    ("litert", "float16"),
    ("litert", "dynamic"),
    ("litert", "int8"),
    ("onnx", None),
    ("onnx", "int8"),
)


@pytest.fixture(scope="module")
def export_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def rows(classifier, pictures, export_folder) -> dict[tuple, verified.ExportRow]:
    representative = coloured_pictures(100, seed=1)[0]
    return {
        (name, quantize): verified.export_verified(
            classifier,
            CLASS_NAMES,
            export_folder,
            name,
            pictures,
            quantize=quantize,
            representative=representative,
            runs=3,
        )
        for name, quantize in EXPORTS
    }


# --- every format


@pytest.mark.parametrize(("name", "quantize"), EXPORTS)
def test_the_reloaded_export_computes_what_the_model_computes(
    rows, classifier, pictures, name, quantize
):
    predict = MODULES[name].load(rows[name, quantize].path)
    expected = classifier.predict(pictures, verbose=0)
    assert np.ptp(expected, axis=0).max() > 0.9, "the classifier tells its pictures apart"
    # 1e-5 for float32; quantised files are held to the class, on pictures that are easy.
    tolerance = 1e-5 if quantize is None else 0.1
    for count in (1, 5, 70, 1):
        received = predict(pictures[:count])
        assert received.dtype == np.float32
        np.testing.assert_allclose(received.sum(axis=-1), 1, atol=1e-2)
        np.testing.assert_allclose(received, expected[:count], atol=tolerance)
        np.testing.assert_array_equal(received.argmax(-1), expected[:count].argmax(-1))


@pytest.mark.parametrize(("name", "quantize"), EXPORTS)
def test_the_row_tells_what_was_measured(rows, name, quantize):
    row = rows[name, quantize]
    assert (row.format, row.quantize) == (name, quantize)
    assert row.agreement.top1_agreement == 1.0
    assert row.agreement.examples == 70
    assert row.agreement.spread > 0.9
    assert row.latency_ms > 0
    assert row.size_bytes == agreement.size_bytes(row.path) > 10_000


@pytest.mark.parametrize(("name", "quantize"), EXPORTS)
def test_class_names_are_inside(rows, name, quantize):
    assert MODULES[name].read_output_names(rows[name, quantize].path) == CLASS_NAMES


def test_only_finished_exports_are_in_the_folder(rows, export_folder):
    assert sorted(path.name for path in export_folder.iterdir()) == [
        "model.onnx",
        "model.tflite",
        "model_dynamic.tflite",
        "model_float16.tflite",
        "model_int8.onnx",
        "model_int8.tflite",
        "saved_model",
    ]


def test_quantised_files_are_smaller(rows):
    size = {key: row.size_bytes for key, row in rows.items()}
    assert size["litert", "float16"] < 0.65 * size["litert", None]
    assert size["litert", "dynamic"] < 0.5 * size["litert", None]
    assert size["litert", "int8"] < 0.5 * size["litert", None]
    assert size["onnx", "int8"] < 0.6 * size["onnx", None]


# --- LiteRT and ONNX files


def test_litert_labels_are_an_associated_file(rows):
    with zipfile.ZipFile(rows["litert", None].path) as archive:
        assert archive.namelist() == ["labels.txt"]
        assert archive.read("labels.txt").decode("utf-8").splitlines() == list(CLASS_NAMES)


def test_litert_int8_stores_its_convolutions_as_int8(rows):
    interpreter = litert.Interpreter(str(rows["litert", "int8"].path))
    kernels = [part for part in interpreter.get_tensor_details() if len(part["shape"]) == 4]
    assert sum(part["dtype"] == np.int8 for part in kernels) > 3


def test_onnx_file_is_valid_and_names_its_ends(rows):
    for quantize in (None, "int8"):
        model = onnx_package.load(rows["onnx", quantize].path)
        onnx_package.checker.check_model(model, full_check=True)
        ends = (model.graph.input[0], model.graph.output[0])
        assert [tensor.name for tensor in ends] == ["image", "probabilities"]
        assert [t.type.tensor_type.shape.dim[0].dim_param for t in ends] == ["batch", "batch"]
        # Standard operators only, so that other tools than ONNX Runtime read the file.
        assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}


@pytest.mark.parametrize("name", MODULES)
def test_a_normalization_layer_is_part_of_the_export(tmp_path, name):
    """As the EfficientNets have it, in a nested model and loaded from a file."""
    inner = keras.Input((16, 16, 3))
    layer = keras.layers.Normalization(mean=[90.0, 110.0, 130.0], variance=[400.0, 900.0, 1600.0])
    network = keras.Model(inner, layer(inner))
    image = keras.Input((16, 16, 3), dtype="uint8", name="image")
    pooled = keras.layers.GlobalAveragePooling2D()(network(image))
    built = keras.Model(image, keras.layers.Softmax()(pooled))
    built.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    pictures = np.random.default_rng(0).integers(0, 256, (6, 1, 1, 3), dtype=np.uint8)
    pictures = pictures.repeat(16, axis=1).repeat(16, axis=2)
    row = verified.export_verified(model, ("a", "b", "c"), tmp_path, name, pictures, runs=1)
    logits = (pictures[:, 0, 0] - [90, 110, 130]) / [20, 30, 40]
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(verified.load(name, row.path)(pictures), expected, atol=1e-5)
    if name == "onnx":
        assert [end.name for end in onnx_package.load(row.path).graph.input] == ["image"]
    np.testing.assert_allclose(model.predict(pictures, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(4, 5), (10, 7), (25, 6), (6, 17)])
def test_onnx_resizes_to_sides_that_are_no_multiple(tmp_path, size):
    """Five thirds is a little less in float32, of which three pixels would make four."""
    image = keras.Input((*size, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    large = keras.layers.Resizing(*size)(keras.layers.Resizing(3, 3)(x))
    x = keras.layers.Conv2D(4, 1)(keras.layers.Concatenate()([x, large]))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
    pictures = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    onnx.export(model, CLASS_NAMES, tmp_path / "model.onnx")
    received = onnx.load(tmp_path / "model.onnx")(pictures)
    np.testing.assert_allclose(received, model.predict(pictures, verbose=0), atol=1e-5)


def test_onnx_runtime_computes_int8_layers_around_a_shortcut_in_8_bits(tmp_path):
    image = keras.Input((16, 16, 3), dtype="uint8", name="image")
    x = keras.layers.Conv2D(8, 3, padding="same")(keras.layers.Rescaling(1 / 255)(image))
    for _ in range(2):
        x = keras.layers.Add()([x, keras.layers.Conv2D(8, 1)(keras.layers.Conv2D(8, 1)(x))])
    x = keras.layers.Dense(4, "softmax")(keras.layers.GlobalAveragePooling2D()(x))
    pictures = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    path = tmp_path / "model.onnx"
    onnx.export(keras.Model(image, x), CLASS_NAMES, path, "int8", pictures)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    optimised = onnx_package.load(tmp_path / "optimised.onnx")
    computed = [node.op_type for node in optimised.graph.node]
    assert (computed.count("QLinearConv"), computed.count("QLinearAdd")) == (5, 2)
    assert not {"Conv", "Add"} & set(computed)


def test_a_model_just_loaded_can_be_exported(classifier, pictures, tmp_path):
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    onnx.export(loaded, CLASS_NAMES, tmp_path / "model.onnx")
    received = onnx.load(tmp_path / "model.onnx")(pictures)
    np.testing.assert_allclose(received, classifier.predict(pictures, verbose=0), atol=1e-5)


# --- faults


@pytest.mark.parametrize(
    ("name", "quantize", "message"),
    [
        ("tflite", None, "saved_model, litert, onnx"),
        ("saved_model", "int8", "must be None for format 'saved_model'"),
        ("onnx", "float16", "must be None or 'int8' for format 'onnx'"),
        ("litert", "int4", "'float16' or 'dynamic' or 'int8'"),
    ],
)
def test_unknown_format_or_quantisation(classifier, pictures, tmp_path, name, quantize, message):
    with pytest.raises(ValueError, match=message):
        verified.export_verified(
            classifier, CLASS_NAMES, tmp_path, name, pictures, quantize=quantize
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["litert", "onnx"])
def test_int8_needs_representative_pictures(classifier, pictures, tmp_path, name):
    for representative in (None, pictures[:0], pictures.astype(np.float32)):
        with pytest.raises(ValueError, match="representative"):
            verified.export_verified(
                classifier,
                CLASS_NAMES,
                tmp_path,
                name,
                pictures,
                quantize="int8",
                representative=representative,
            )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MODULES)
def test_unfit_class_names(classifier, pictures, tmp_path, name):
    with pytest.raises(ValueError, match="Received: 3 names"):
        verified.export_verified(classifier, CLASS_NAMES[:3], tmp_path, name, pictures)
    with pytest.raises(ValueError, match="line breaks"):
        verified.export_verified(classifier, ("a", "b", "c\nd", "e"), tmp_path, name, pictures)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MODULES)
def test_an_export_that_disagrees_is_not_kept(classifier, pictures, tmp_path, name, monkeypatch):
    path = tmp_path / formats.file_name(name, None)
    monkeypatch.setattr(MODULES[name], "load", lambda path: lambda images: wrong(images))

    def wrong(images):
        return np.asarray(classifier(images, training=False)) + np.float32(0.001)

    with pytest.raises(agreement.ExportError, match=r"differs from the model's by 0\.001"):
        verified.export_verified(classifier, CLASS_NAMES, tmp_path, name, pictures)
    assert not path.exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MODULES)
def test_a_converter_that_fails_is_named(classifier, pictures, tmp_path, name, monkeypatch):
    def fails(*arguments):
        raise RuntimeError("no such\noperator")

    monkeypatch.setattr(MODULES[name], "export", fails)
    with pytest.raises(agreement.ExportError, match=f"float32 {name} .* RuntimeError: no such op"):
        verified.export_verified(classifier, CLASS_NAMES, tmp_path, name, pictures)
    assert not list(tmp_path.iterdir())


def test_a_failed_export_leaves_the_older_one(classifier, pictures, tmp_path, monkeypatch):
    older = tmp_path / "model.onnx"
    older.write_bytes(b"older")

    def full_disk(path, mode):
        raise OSError("no space left")

    monkeypatch.setattr(onnx.onnx, "save", full_disk)
    with pytest.raises(OSError, match="no space left"):
        verified.export_verified(classifier, CLASS_NAMES, tmp_path, "onnx", pictures)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert older.read_bytes() == b"older"


def test_the_table_of_formats_needs_no_framework():
    script = (
        "import sys; from tasks.common.exports import formats; "
        "print(sorted({'tensorflow', 'keras', 'onnx'} & set(sys.modules)), *formats.FORMATS)"
    )
    root = Path(__file__).resolve().parents[3]
    output = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert output.split() == ["[]", "saved_model", "litert", "onnx"]
    assert formats.quantisations() == ("float16", "dynamic", "int8")


# --- the networks people use


def wrapped(backbone: keras.Model, preprocessing: list[keras.layers.Layer]) -> keras.Model:
    """A backbone without top as a classifier of four classes, its BatchNorms made alive."""
    image = keras.Input((64, 64, 3), dtype="uint8", name="image")
    x = image
    for layer in preprocessing:
        x = layer(x)
    model = keras.Model(image, keras.layers.Dense(4, "softmax")(backbone(x, training=False)))
    # Random weights shrink the signal layer by layer until all pictures look alike; one pass in
    # training mode gives each BatchNorm the statistics of what reaches it.
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    pictures = keras.ops.convert_to_tensor(noise_pictures())
    features = pictures
    for layer in preprocessing:
        features = layer(features)
    backbone(features, training=True)
    return model


def noise_pictures() -> np.ndarray:
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["MobileNetV2", "ResNet50"])
def test_the_networks_of_keras(network, tmp_path):
    keras.utils.set_random_seed(0)
    arguments = {
        "weights": None,
        "include_top": False,
        "input_shape": (64, 64, 3),
        "pooling": "avg",
    }
    if network == "MobileNetV2":
        model = wrapped(
            keras.applications.MobileNetV2(**arguments), [keras.layers.Rescaling(1 / 127.5, -1.0)]
        )
    else:
        model = wrapped(
            keras.applications.ResNet50(**arguments),
            [keras.layers.Rescaling(1.0, [-103.939, -116.779, -123.68])],
        )
    for name in formats.FORMATS:
        row = verified.export_verified(model, CLASS_NAMES, tmp_path, name, noise_pictures(), runs=3)
        assert row.agreement.spread > 0.02
        assert row.agreement.largest_difference < 1e-4
