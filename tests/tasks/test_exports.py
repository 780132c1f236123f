"""Every export format, reloaded in its runtime and compared with a small trained classifier.

The classifier tells pictures by their dominant colour. It is trained, not random: an untrained
network answers every picture alike, so that any export would seem to agree. Its input is not
square and its preprocessing differs per channel, so that swapped axes or channels show.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import onnx as onnx_package
import pytest
import tensorflow as tf
from PIL import Image

from tasks.common.exports import (
    agreement,
    formats,
    litert,
    onnx,
    precision,
    saved_model,
    staging,
    verified,
)

HEIGHT, WIDTH = 24, 32
CLASS_NAMES = ("rot", "grün", "blue, dark", "白")
EXPORTS = (
    ("saved_model", None),
    ("litert", None),
    ("litert", "float16"),
    ("litert", "dynamic"),
    ("litert", "int8"),
    ("onnx", None),
    ("onnx", "int8"),
)
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


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    keras.utils.set_random_seed(3)
    model = build_classifier()
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(*coloured_pictures(256, seed=1), epochs=4, batch_size=32, verbose=0)
    return model


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return coloured_pictures(70, seed=2)[0]


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


def encode(picture: np.ndarray, file_format: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=file_format, **options)
    return buffer.getvalue()


# --- every format ---------------------------------------------------------------------------------


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
    assert 0 < row.latency_ms < 1000
    assert row.size_bytes == agreement.size_bytes(row.path) > 10_000


@pytest.mark.parametrize(("name", "quantize"), EXPORTS)
def test_class_names_are_inside(rows, name, quantize):
    assert MODULES[name].read_class_names(rows[name, quantize].path) == CLASS_NAMES


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


# --- SavedModel -----------------------------------------------------------------------------------


def test_saved_model_has_the_named_signatures(rows):
    signatures = tf.saved_model.load(str(rows["saved_model", None].path)).signatures
    assert sorted(signatures) == ["class_names", "encoded", "image", "serving_default"]
    for name in ("image", "serving_default"):
        spec = signatures[name].structured_input_signature[1]["image"]
        assert spec.dtype == tf.uint8
        assert spec.shape.as_list() == [None, HEIGHT, WIDTH, 3]
        assert signatures[name].structured_outputs["probabilities"].shape.as_list() == [None, 4]


def test_saved_model_stores_each_weight_once(rows, classifier):
    prefix = rows["saved_model", None].path / "variables" / "variables"
    shapes = [shape for _, shape in tf.train.list_variables(str(prefix))]
    stored = sum(int(np.prod(shape)) for shape in shapes if shape)
    assert stored == classifier.count_params()


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_encoded_equals_uint8_for_lossless_files(rows, pictures, file_format):
    path = rows["saved_model", None].path
    encoded = [encode(picture, file_format) for picture in pictures[:5]]
    received = saved_model.load_encoded(path)(encoded)
    np.testing.assert_array_equal(received, saved_model.load(path)(pictures[:5]))


def test_encoded_batch_of_one_and_of_mixed_kinds(rows, pictures):
    path = rows["saved_model", None].path
    predict = saved_model.load_encoded(path)
    large = np.kron(pictures[0], np.ones((5, 3, 1), np.uint8))
    files = [
        encode(pictures[0], "PNG"),
        encode(large, "JPEG"),
        encode(pictures[0], "GIF"),
        encode(pictures[0][..., 0], "PNG"),
        encode(np.dstack([pictures[0], np.full((HEIGHT, WIDTH), 9, np.uint8)]), "PNG"),
    ]
    together = predict(files)
    assert together.shape == (5, 4)
    for file, expected in zip(files, together, strict=True):
        np.testing.assert_allclose(predict([file])[0], expected, atol=1e-6)
    np.testing.assert_array_equal(together[4], together[0])


def test_jpeg_is_decoded_as_pillow_decodes_it():
    generator = np.random.default_rng(0)
    smooth = Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((97, 61))
    for quality in (30, 75, 95):
        jpeg = encode(np.asarray(smooth), "JPEG", quality=quality)
        by_pillow = np.asarray(Image.open(io.BytesIO(jpeg)))
        np.testing.assert_array_equal(saved_model.decode(jpeg).numpy(), by_pillow)


def test_exif_rotation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned by 90 degrees.
    jpeg = encode(np.zeros((10, 20, 3), np.uint8), "JPEG", exif=exif)
    assert saved_model.decode(jpeg).shape == (10, 20, 3)


def test_a_file_that_is_no_picture_is_refused(rows):
    predict = saved_model.load_encoded(rows["saved_model", None].path)
    with pytest.raises(tf.errors.InvalidArgumentError):
        predict([b"not a picture"])


def test_bilinear_rounds_and_keeps_a_picture_of_the_right_size():
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(saved_model.bilinear(7, 9)(picture), picture)
    # Each output pixel of a halving without anti-aliasing would be the mean of two; with it the
    # triangle of width 4 weighs neighbours 1:3:3:1, cut at the border to 3:3:1 of 7.
    row = np.array([0, 70, 140, 255], np.uint8)[None, :, None].repeat(3, axis=2)
    left = round((3 * 0 + 3 * 70 + 140) / 7)
    right = round((70 + 3 * 140 + 3 * 255) / 7)
    resized = saved_model.bilinear(1, 2)(row)
    assert resized.dtype == tf.uint8
    assert resized.numpy()[0, :, 0].tolist() == [left, right]


def test_the_given_resizing_is_used(classifier, pictures, tmp_path):
    def crop_top_left(picture):
        return picture[:HEIGHT, :WIDTH]

    saved_model.export(classifier, CLASS_NAMES, tmp_path / "crop", crop_top_left)
    canvas = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)
    canvas[:HEIGHT, :WIDTH] = pictures[1]
    received = saved_model.load_encoded(tmp_path / "crop")([encode(canvas, "PNG")])
    np.testing.assert_array_equal(received, saved_model.load(tmp_path / "crop")(pictures[1:2]))


# --- LiteRT and ONNX files ------------------------------------------------------------------------


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


def test_a_model_just_loaded_can_be_exported(classifier, pictures, tmp_path):
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    onnx.export(loaded, CLASS_NAMES, tmp_path / "model.onnx")
    received = onnx.load(tmp_path / "model.onnx")(pictures)
    np.testing.assert_allclose(received, classifier.predict(pictures, verbose=0), atol=1e-5)


# --- faults ---------------------------------------------------------------------------------------


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
    root = Path(__file__).resolve().parents[2]
    output = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert output.split() == ["[]", "saved_model", "litert", "onnx"]
    assert formats.quantisations() == ("float16", "dynamic", "int8")


# --- comparing and timing -------------------------------------------------------------------------


def lookup(table: list[list[float]]):
    """A predictor whose answer is chosen by the first byte of a picture."""
    return lambda images: np.array(table, np.float32)[images[:, 0, 0, 0]]


def numbered_pictures(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)


def test_compare_finds_the_largest_difference_and_the_share_of_equal_classes():
    model = lookup([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.1, 0.9]])
    export = lookup([[0.8, 0.2], [0.35, 0.65], [0.2, 0.8], [0.1, 0.9]])
    found = agreement.compare(model, export, numbered_pictures(4))
    assert found.largest_difference == pytest.approx(0.25)
    assert found.top1_agreement == 0.75
    assert found.spread == pytest.approx(0.8)
    assert found.examples == 4


def test_compare_sees_every_picture_and_a_batch_of_one():
    sizes = []

    def recorded(images):
        sizes.append(len(images))
        return np.full((len(images), 2), 0.5, np.float32)

    found = agreement.compare(recorded, recorded, numbered_pictures(70))
    assert sizes == 2 * [1, 32, 32, 5]
    assert found.examples == 70
    assert agreement.compare(recorded, recorded, numbered_pictures(1)).examples == 1


def test_compare_refuses_other_shapes_and_numbers_that_are_not_finite():
    model = lookup([[0.5, 0.5]])
    with pytest.raises(agreement.ExportError, match="shape"):
        agreement.compare(model, lookup([[0.2, 0.3, 0.5]]), numbered_pictures(1))
    with pytest.raises(agreement.ExportError, match="not finite"):
        agreement.compare(model, lookup([[np.nan, 0.5]]), numbered_pictures(1))


def test_swapped_colours_and_training_mode_are_beyond_the_tolerance(classifier, pictures):
    def swapped_colours(images):
        return np.asarray(classifier(images[..., ::-1], training=False))

    def training_mode(images):
        # A copy, because a call in training mode moves the statistics of BatchNorm.
        copy = keras.models.clone_model(classifier)
        copy.set_weights(classifier.get_weights())
        return np.asarray(copy(images, training=True))

    for wrong in (swapped_colours, training_mode):
        found = agreement.compare(classifier, wrong, pictures)
        with pytest.raises(agreement.ExportError, match="float32 litert"):
            agreement.check(found, "litert", None)


def test_check_holds_quantised_exports_to_the_class():
    def found(difference, share):
        return agreement.Agreement(difference, share, spread=1.0, examples=100)

    agreement.check(found(0.5, 0.9), "litert", "int8")
    agreement.check(found(9e-5, 1.0), "litert", None)
    for quantize, bad in (("int8", found(0.5, 0.6)), ("float16", found(0.2, 1.0))):
        with pytest.raises(agreement.ExportError, match=f"{quantize} litert"):
            agreement.check(bad, "litert", quantize)


def test_latency_is_the_median_of_the_calls_after_the_warm_up(monkeypatch):
    # Milliseconds of each call; the first three do not count.
    durations = iter([900, 900, 900, 4, 100, 2, 3, 5])
    now = [0.0]

    def predict(images):
        now[0] += next(durations) / 1000

    monkeypatch.setattr(agreement.time, "perf_counter", lambda: now[0])
    assert agreement.latency(predict, numbered_pictures(1), runs=5) == pytest.approx(4)
    assert next(durations, None) is None


def test_size_counts_all_files_of_a_folder(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "inner" / "b").write_bytes(bytes(5))
    assert agreement.size_bytes(tmp_path) == 15
    assert agreement.size_bytes(tmp_path / "a") == 10


# --- mixed precision ------------------------------------------------------------------------------


def test_float32_model_is_its_own_twin(classifier):
    assert precision.float32_twin(classifier) is classifier


def test_mixed_precision_model_is_exported_in_float32(classifier, pictures, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = build_classifier()
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(classifier.get_weights())
    row = verified.export_verified(mixed, CLASS_NAMES, tmp_path, "onnx", pictures, runs=1)
    received = onnx.load(row.path)(pictures)
    np.testing.assert_allclose(received, classifier.predict(pictures, verbose=0), atol=1e-5)


# --- staging --------------------------------------------------------------------------------------


def test_staged_folder_replaces_an_older_one(tmp_path):
    place = tmp_path / "deep" / "saved"
    for content in ("one", "two"):
        with staging.staged(place) as unfinished:
            assert unfinished.parent == place.parent
            unfinished.mkdir()
            (unfinished / content).write_text(content)
    assert [path.name for path in place.iterdir()] == ["two"]
    assert [path.name for path in place.parent.iterdir()] == ["saved"]


def test_staged_failure_leaves_what_was_there(tmp_path):
    place = tmp_path / "saved"
    place.mkdir()
    (place / "old").touch()
    with pytest.raises(KeyboardInterrupt), staging.staged(place) as unfinished:
        unfinished.mkdir()
        (unfinished / "half").touch()
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    assert [path.name for path in place.iterdir()] == ["old"]


def test_staged_puts_the_older_folder_back_when_the_move_fails(tmp_path, monkeypatch):
    place = tmp_path / "saved"
    place.mkdir()
    (place / "old").touch()
    rename = Path.replace

    def failing(self, target):
        if ".unfinished" in self.name:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="no"), staging.staged(place) as unfinished:
        unfinished.mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    assert [path.name for path in place.iterdir()] == ["old"]


def test_staged_removes_what_a_killed_process_left(tmp_path):
    left = tmp_path / ".model.unfinished.onnx"
    left.write_bytes(b"half")
    with staging.staged(tmp_path / "model.onnx") as unfinished:
        assert unfinished == left
        assert not left.exists()
        unfinished.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


# --- the networks people use ----------------------------------------------------------------------


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
