"""Exports of models that take rows of numbers, and of models that give points."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx as onnx_package
import pytest
import tensorflow as tf

from tasks.common.exports import agreement, model_input, saved_model, verified
from tests.tasks.small_arrays import (
    CLASS_NAMES,
    FEATURES,
    POINT_NAMES,
    SIDE,
    patches,
    point_finder,
    rows,
    vector_classifier,
)
from tests.tasks.small_classifier import MODULES

EXPORTS = (
    ("saved_model", None),
    ("litert", None),
    ("litert", "float16"),
    ("litert", "dynamic"),
    ("litert", "int8"),
    ("onnx", None),
    ("onnx", "int8"),
)
KINDS = {
    "probabilities": (vector_classifier, CLASS_NAMES, rows),
    "points": (point_finder, POINT_NAMES, patches),
}
CASES = [(output, *export) for output in KINDS for export in EXPORTS]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple, verified.ExportRow]:
    """Every export of both models."""
    folder = tmp_path_factory.mktemp("exports")
    made = {}
    for output, name, quantize in CASES:
        model, names, inputs = KINDS[output]
        made[output, name, quantize] = verified.export_verified(
            model(),
            names,
            folder / output,
            name,
            inputs(40, seed=2),
            output=output,
            quantize=quantize,
            representative=inputs(100, seed=1),
            runs=1,
        )
    return made


@pytest.mark.parametrize(("output", "name", "quantize"), CASES)
def test_the_reloaded_export_computes_what_the_model_computes(finished, output, name, quantize):
    model, names, inputs = KINDS[output]
    batch = inputs(40, seed=3)
    expected = model().predict(batch, verbose=0)
    assert np.ptp(expected, axis=0).min() > 0.3, "the model tells its inputs apart"
    row = finished[output, name, quantize]
    received = MODULES[name].load(row.path)(batch)
    assert (received.dtype, received.shape) == (np.float32, (40, len(names)))
    tolerance = {None: 1e-5, "float16": 5e-3}.get(quantize, 0.1)
    np.testing.assert_allclose(received, expected, atol=tolerance)
    assert MODULES[name].read_output_names(row.path) == names


@pytest.mark.parametrize(("output", "name", "quantize"), CASES)
def test_the_agreement_counts_classes_only_where_there_are_some(finished, output, name, quantize):
    found = finished[output, name, quantize].agreement
    assert 0 <= found.mean_difference <= found.largest_difference
    assert found.spread > 0.3
    assert (found.top1_agreement is None) == (output == "points")


def test_int8_files_hold_other_weights_than_float32_files(finished):
    for output in KINDS:
        for name in ("litert", "onnx"):
            exact, small = (finished[output, name, way].agreement for way in (None, "int8"))
            assert small.mean_difference > 10 * exact.mean_difference


def test_onnx_names_its_ends_after_what_they_are(finished):
    for quantize in (None, "int8"):
        ends = {}
        for output in KINDS:
            model = onnx_package.load(finished[output, "onnx", quantize].path)
            onnx_package.checker.check_model(model, full_check=True)
            properties = {entry.key for entry in model.metadata_props}
            ends[output] = (
                model.graph.input[0].name,
                model.graph.output[0].name,
                properties & {"class_names", "output_names"},
            )
        assert ends == {
            "probabilities": ("features", "probabilities", {"class_names"}),
            "points": ("image", "points", {"output_names"}),
        }


def test_a_saved_model_takes_what_its_model_takes(finished):
    path = finished["probabilities", "saved_model", None].path
    signatures = tf.saved_model.load(str(path)).signatures
    assert sorted(signatures) == ["class_names", "features", "serving_default"]
    spec = signatures["features"].structured_input_signature[1]["features"]
    assert (spec.dtype, spec.shape.as_list()) == (tf.float32, [None, FEATURES])


def test_encoded_pictures_give_points(finished):
    path = finished["points", "saved_model", None].path
    signatures = tf.saved_model.load(str(path)).signatures
    assert sorted(signatures) == ["encoded", "image", "output_names", "serving_default"]
    for name in ("encoded", "image", "serving_default"):
        outputs = signatures[name].structured_outputs
        assert {key: value.shape.as_list() for key, value in outputs.items()} == {
            "points": [None, 6]
        }
    pictures = patches(3, seed=4)
    encoded = [tf.io.encode_png(picture).numpy() for picture in pictures]
    expected = point_finder().predict(pictures, verbose=0)
    np.testing.assert_allclose(saved_model.load_encoded(path)(encoded), expected, atol=1e-5)


# --- what is refused


@pytest.mark.parametrize("name", MODULES)
def test_points_that_disagree_are_not_kept(name, tmp_path: Path, monkeypatch):
    def moved(images):
        return np.asarray(point_finder()(images, training=False)) + np.float32(0.001)

    monkeypatch.setattr(MODULES[name], "load", lambda path: moved)
    with pytest.raises(agreement.ExportError, match=r"a coordinate differs .* by 0\.001, allowed"):
        verified.export_verified(
            point_finder(), POINT_NAMES, tmp_path, name, patches(9, 0), output="points"
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("quantize", "largest", "mean", "kept"),
    [
        (None, 9e-5, 9e-5, True),
        (None, 2e-4, 1e-6, False),
        ("float16", 4e-3, 4e-3, True),
        ("float16", 6e-3, 1e-4, False),
        ("dynamic", 0.3, 0.019, True),
        ("dynamic", 0.3, 0.021, False),
        ("int8", 0.3, 0.019, True),
        ("int8", 0.021, 0.021, False),
    ],
)
def test_points_are_held_to_their_own_tolerances(quantize, largest, mean, kept):
    found = agreement.Agreement(largest, mean, None, spread=0.5, examples=40)
    if kept:
        agreement.check(found, "litert", quantize, "points")
        return
    with pytest.raises(agreement.ExportError, match=f"{quantize or 'float32'} litert .* not kept"):
        agreement.check(found, "litert", quantize, "points")


def test_points_put_at_their_mean_place_are_refused():
    """An export that answers every picture alike, as badly fitting ranges make it."""
    pictures = patches(40, seed=2)
    mean = point_finder().predict(pictures, verbose=0).mean(axis=0)
    found = agreement.compare(
        point_finder(), lambda images: np.tile(mean, (len(images), 1)), pictures, "points"
    )
    with pytest.raises(agreement.ExportError, match="on average over 40 examples"):
        agreement.check(found, "onnx", "int8", "points")


@pytest.mark.parametrize("wrong", [rows(3, 0).astype(np.float64), rows(3, 0)[:, :4], rows(1, 0)[0]])
def test_int8_is_calibrated_on_what_the_model_takes(wrong):
    taken = model_input.of(vector_classifier())
    with pytest.raises(ValueError, match=r"must be float32 of shape \(n, 5\)"):
        model_input.representative(wrong, taken)
    np.testing.assert_array_equal(model_input.representative(rows(3, 0), taken), rows(3, 0))


def test_the_input_of_a_model_keeps_its_name():
    picture = model_input.of(point_finder())
    assert (picture.name, picture.dtype, picture.shape) == ("image", "uint8", (SIDE, SIDE, 3))
    assert picture.is_picture
    assert not model_input.of(vector_classifier()).is_picture
    words = keras.Input((None,), dtype="int32", name="words")
    embedded = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 4)(words))
    taken = model_input.of(keras.Model(words, embedded))
    assert (taken.name, taken.dtype, taken.shape) == ("words", "int32", (None,))
    model_input.representative(np.zeros((2, 7), np.int32), taken)


def test_a_model_of_two_inputs_is_refused():
    first, second = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([first, second], keras.layers.Add()([first, second]))
    with pytest.raises(ValueError, match="Received: 2 inputs, 1 outputs"):
        model_input.of(model)
