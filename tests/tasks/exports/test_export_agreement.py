"""Comparing an export with its model, and the twins of a model that exports hold."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tasks.common.exports import agreement, onnx, precision, verified
from tests.tasks.small_classifier import (
    CLASS_NAMES,
    build_classifier,
)


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

    found = agreement.compare(recorded, recorded, numbered_pictures(20))
    assert sizes == [1, 1, 8, 8, 8, 8, 3, 3]
    assert found.examples == 20
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
        return agreement.Agreement(difference, 0.0, share, spread=1.0, examples=100)

    agreement.check(found(0.5, 0.9), "litert", "int8")
    agreement.check(found(9e-5, 1.0), "litert", None)
    for quantize, bad in (("int8", found(0.5, 0.6)), ("float16", found(0.2, 1.0))):
        with pytest.raises(agreement.ExportError, match=f"{quantize} litert"):
            agreement.check(bad, "litert", quantize)


def test_size_counts_all_files_of_a_folder(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "inner" / "b").write_bytes(bytes(5))
    assert agreement.size_bytes(tmp_path) == 15
    assert agreement.size_bytes(tmp_path / "a") == 10


# --- mixed precision


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


def test_the_twin_of_a_network_that_normalises_by_itself_does_so() -> None:
    normalization = keras.layers.Normalization(
        mean=None, variance=None, dtype=keras.DTypePolicy("mixed_bfloat16")
    )
    numbers = np.random.default_rng(0).normal(100, 30, (64, 4)).astype(np.float32)
    normalization.adapt(numbers)
    values = keras.Input((4,))
    model = keras.Model(values, normalization(values))
    twin = precision.float32_twin(model)
    expected = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    np.testing.assert_allclose(twin(numbers), expected, atol=1e-3)
