"""Class probabilities and the classification head."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models.heads import ClassProbabilities, classification_head


def test_probabilities_by_hand():
    logits = np.log(np.array([[1.0, 3.0, 4.0]], dtype="float32"))
    probabilities = ClassProbabilities(["a", "b", "c"])(logits)
    np.testing.assert_allclose(np.asarray(probabilities), [[0.125, 0.375, 0.5]], rtol=1e-6)


def test_probabilities_are_float32_under_mixed_precision():
    head_input = keras.Input((2, 2, 4), dtype="bfloat16")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        output = classification_head(head_input, ["a", "b"])
    finally:
        keras.config.set_dtype_policy("float32")
    model = keras.Model(head_input, output)
    assert model.get_layer("logits").compute_dtype == "bfloat16"
    row = np.asarray(model(np.ones((1, 2, 2, 4), dtype="float32")))[0]
    assert row.dtype == np.float32
    assert row.sum() == pytest.approx(1.0, abs=1e-6)


def test_head_is_pooling_then_a_dense_layer():
    features = keras.Input((3, 2, 4))
    model = keras.Model(features, classification_head(features, ["a", "b", "c"], dropout=0.5))
    maps = np.random.default_rng(1).normal(size=(2, 3, 2, 4)).astype("float32")
    kernel, bias = model.get_layer("logits").get_weights()
    logits = maps.mean(axis=(1, 2)) @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(maps, training=False)), expected, rtol=1e-5)
    assert model.get_layer("dropout").rate == 0.5


def test_class_names_survive_serialisation():
    config = keras.saving.serialize_keras_object(ClassProbabilities(["Ünö", "b c"]))
    assert keras.saving.deserialize_keras_object(config).class_names == ("Ünö", "b c")


@pytest.mark.parametrize(
    ("class_names", "message"), [([], "empty"), (["a", "a"], "distinct"), (["a", "b"], "one name")]
)
def test_wrong_class_names(class_names, message):
    with pytest.raises(ValueError, match=message):
        ClassProbabilities(class_names)(np.zeros((1, 3), dtype="float32"))
