"""The network over word counts: scikit-learn's tf-idf inside, its words carried along."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer

from keras_models import transfer
from keras_models.text_classifier import (
    ACTIVATIONS,
    WEIGHTINGS,
    ClassScores,
    WordWeights,
    build_text_classifier,
    target_scale,
    word_weights,
)

NAMES = tuple(f"word{number}" for number in range(30))
COUNTS = np.random.default_rng(0).poisson(0.3, (50, 30)).astype(np.float32)
FREQUENCIES = tuple(np.count_nonzero(COUNTS, axis=0).tolist())
CLASSES = ("a", "b", "c")


def layer(weighting: str) -> WordWeights:
    return WordWeights(NAMES, weighting, FREQUENCIES, len(COUNTS))


@pytest.mark.parametrize(("weighting", "sublinear"), [("tf_idf", False), ("log_tf_idf", True)])
def test_tf_idf_is_that_of_scikit_learn(weighting: str, sublinear: bool) -> None:
    known = TfidfTransformer(sublinear_tf=sublinear).fit(COUNTS)
    np.testing.assert_allclose(layer(weighting).inverse_document_frequencies, known.idf_)
    fresh = np.random.default_rng(1).poisson(0.5, (20, 30)).astype(np.float32)
    fresh[3] = 0
    expected = known.transform(fresh).toarray()
    np.testing.assert_allclose(layer(weighting)(fresh), expected, atol=1e-6)


def test_binary_weights_say_whether_a_word_is_there() -> None:
    np.testing.assert_array_equal(layer("binary")(COUNTS), COUNTS > 0)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_weights_and_their_gradient_stay_finite(weighting: str) -> None:
    import tensorflow as tf

    extreme = tf.constant(np.stack([np.zeros(30), np.full(30, 1e6), np.eye(30)[0]]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(extreme)
        weights = layer(weighting)(extreme)
    assert np.isfinite(weights).all()
    if weighting != "binary":
        assert np.isfinite(tape.gradient(weights, extreme)).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores(activation: str) -> None:
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    expected = {
        "softmax": np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
        "sigmoid": 1 / (1 + np.exp(-logits)),
        "linear": logits,
        "margin": logits,
    }[activation]
    np.testing.assert_allclose(ClassScores(CLASSES, activation)(logits), expected, rtol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_saved_model_is_the_same_and_knows_words_and_classes(
    tmp_path: Path, weighting: str, activation: str
) -> None:
    model = build_text_classifier(layer(weighting), CLASSES, (8, 4), 0.5, activation, 3.0)
    assert model.input_names == ["words"] if hasattr(model, "input_names") else True
    assert model.output_shape == (None, 3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model(COUNTS), again(COUNTS), rtol=1e-6)
    assert transfer.class_names(again) == CLASSES
    assert word_weights(again).vocabulary == NAMES
    assert word_weights(again).document_frequencies == FREQUENCIES


def test_the_report_networks_parameters() -> None:
    names = [f"w{number}" for number in range(1000)]
    weights = WordWeights(names, "binary", [0] * 1000, 0)
    model = build_text_classifier(weights, [f"c{number}" for number in range(46)])
    assert model.count_params() == 1000 * 512 + 512 + 512 * 46 + 46
    assert all(variable.trainable for variable in model.weights)
    assert model.inputs[0].name == "words"
    assert model.inputs[0].dtype == "float32"


def test_the_penalty_is_on_the_weights_and_not_on_the_biases() -> None:
    model = build_text_classifier(layer("binary"), CLASSES, (4,), l2=0.5)
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    assert sum(map(float, model.losses)) == pytest.approx(0.5 * (30 * 4 + 4 * 3))
    assert build_text_classifier(layer("binary"), CLASSES).losses == []


def test_without_hidden_layers_it_is_linear() -> None:
    model = build_text_classifier(layer("tf_idf"), CLASSES, (), activation="linear")
    weights, biases = model.get_weights()
    expected = np.array(layer("tf_idf")(COUNTS)) @ weights + biases
    np.testing.assert_allclose(model(COUNTS), expected, atol=1e-6)


def test_margins_become_shares() -> None:
    scores = np.float32([[1, -1, 0]])
    margin = build_text_classifier(layer("binary"), CLASSES, activation="margin")
    np.testing.assert_array_equal(target_scale(margin, scores), [[1, 0, 0.5]])
    linear = build_text_classifier(layer("binary"), CLASSES, activation="linear")
    np.testing.assert_array_equal(target_scale(linear, scores), scores)


def test_every_weight_gets_a_gradient() -> None:
    import tensorflow as tf

    model = build_text_classifier(layer("log_tf_idf"), CLASSES, (16,), 0.2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(COUNTS, training=True) - 1.0))
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WordWeights(NAMES, "counts", FREQUENCIES, 50), "weighting"),
        (lambda: WordWeights(NAMES, "binary", FREQUENCIES[:-1], 50), "one number per name"),
        (lambda: WordWeights(NAMES, "binary", FREQUENCIES, 1), "from 0 to"),
        (lambda: WordWeights((), "binary", (), 1), "from 0 to"),
        (lambda: layer("binary")(COUNTS[:, :5]), "one name per column"),
        (lambda: ClassScores(CLASSES, "tanh"), "activation"),
        (lambda: build_text_classifier(layer("binary"), CLASSES, (0,)), "hidden"),
        (lambda: build_text_classifier(layer("binary"), CLASSES, dropout=1.0), "dropout"),
        (lambda: word_weights(keras.Sequential([keras.Input((2,))])), "WordWeights"),
    ],
)
def test_what_does_not_fit_is_refused(make, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
