"""Exports hold the model with its batch normalisation folded away, where that is exact."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models import folding
from tasks.common.exports import agreement, folded, verified
from tests.tasks.small_classifier import (
    CLASS_NAMES,
    MODULES,
)


@pytest.fixture(scope="module")
def twin(classifier, pictures) -> folded.Folded:
    return folded.fold(classifier, pictures)


def test_a_folded_model_says_how_much_was_folded(classifier, twin):
    assert twin.sentence == "folded 2 of 2 batch normalisations into other layers"
    assert folded.count_batch_normalizations(classifier) == 2
    assert folded.count_batch_normalizations(twin.model) == 0


def test_normalisations_of_nested_models_count(classifier):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    middle = keras.Sequential([keras.Input((4,)), inner, keras.layers.BatchNormalization()])
    assert folded.count_batch_normalizations(middle) == 2


@pytest.mark.parametrize("name", MODULES)
def test_an_export_of_the_folded_model_computes_what_the_model_computes(
    classifier, pictures, twin, tmp_path, name
):
    row = verified.export_verified(
        classifier, CLASS_NAMES, tmp_path, name, pictures, written=twin.model, runs=1
    )
    received = verified.load(name, row.path)(pictures)
    expected = classifier.predict(pictures, verbose=0)
    assert np.ptp(expected, axis=0).max() > 0.9, "the classifier tells its pictures apart"
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_the_export_holds_biases_in_place_of_the_normalisations(classifier, twin, tmp_path):
    MODULES["saved_model"].export(twin.model, CLASS_NAMES, tmp_path / "folded")
    prefix = tmp_path / "folded" / "variables" / "variables"
    shapes = [shape for _, shape in tf.train.list_variables(str(prefix))]
    stored = sum(int(np.prod(shape)) for shape in shapes if shape)
    # Scale, shift, mean and variance of 16 channels go, a bias of 16 channels comes, twice.
    assert stored == classifier.count_params() - 2 * 4 * 16 + 2 * 16


def test_what_is_written_is_compared_with_the_model_itself(classifier, pictures, tmp_path):
    other = keras.models.clone_model(classifier)
    with pytest.raises(agreement.ExportError, match="differs from the model's"):
        verified.export_verified(
            classifier, CLASS_NAMES, tmp_path, "onnx", pictures, written=other, runs=1
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("factor", [0.5, np.nan])
def test_an_inexact_folding_is_not_used(classifier, pictures, monkeypatch, factor):
    twin = folding.fold_batch_normalization(classifier)
    twin.layers[-1].set_weights([factor * part for part in twin.layers[-1].get_weights()])
    monkeypatch.setattr(folding, "fold_batch_normalization", lambda model: twin)
    found = folded.fold(classifier, pictures)
    assert found.model is classifier
    assert found.sentence.startswith("not folded")
    assert "allowed is 1e-04" in found.sentence


def test_a_model_without_normalisation_stays_as_it_is(pictures):
    image = keras.Input(pictures.shape[1:], dtype="uint8")
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    plain = keras.Model(image, keras.layers.Dense(4, "softmax")(pooled))
    found = folded.fold(plain, pictures)
    assert found.model is plain
    assert found.sentence is None
