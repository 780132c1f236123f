"""What tasks on rows of numbers share: options, compiling, predictions."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from datasets.core import DatasetInfo, Splits
from datasets.vectors import VectorSource
from keras_models.heads import ClassProbabilities
from tasks.common import vector_classifier
from tasks.common.errors import UserError
from tasks.common.task import Stage
from tasks.common.vector_classifier_config import VectorClassifierConfig, check_vector_classifier

INFO = DatasetInfo("signs", ("minus", "plus"), "Numbers by their sign.", "made", "none")


def signs(count: int, seed: int) -> VectorSource:
    """Two numbers; the sign of the first one is the class."""
    features = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(np.int64)
    return VectorSource(features, labels, [f"number {i}" for i in range(count)])


def linear_model() -> keras.Model:
    keras.utils.set_random_seed(0)
    features = keras.Input((2,), name="features")
    logits = keras.layers.Dense(2)(features)
    return keras.Model(features, ClassProbabilities(INFO.class_names)(logits))


def test_the_parts_train_a_model_and_its_predictions_are_right() -> None:
    splits = Splits(signs(200, 1), signs(40, 2), signs(50, 3), INFO)
    config = VectorClassifierConfig(schedule="constant")
    model, stage = linear_model(), Stage("all", 15, 0.1)
    batches = vector_classifier.make_batches(config, splits, 32)
    assert batches.steps_per_epoch == 7
    vector_classifier.compile_model(config, model, stage, batches.steps_per_epoch)
    model.fit(
        batches.train(range(15), 0),
        validation_data=batches.validation,
        epochs=15,
        steps_per_epoch=7,
        shuffle=False,
        verbose=0,
    )
    found = vector_classifier.predictions(model, splits.test, INFO)
    assert found.correct.mean() > 0.9
    assert found.identifiers[7] == "number 7"
    expected = np.asarray(model(splits.test.features))
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    evaluated = model.evaluate(batches.validation, return_dict=True, verbose=0)
    validation = vector_classifier.predictions(model, splits.validation, INFO)
    assert evaluated["accuracy"] == pytest.approx(validation.correct.mean())


def test_another_loss_takes_the_place_of_cross_entropy() -> None:
    model, stage = linear_model(), Stage("all", 1, 0.1)
    vector_classifier.compile_model(VectorClassifierConfig(), model, stage, 3)
    assert isinstance(model.loss, keras.losses.CategoricalCrossentropy)
    squared = keras.losses.MeanSquaredError()
    vector_classifier.compile_model(VectorClassifierConfig(), model, stage, 3, squared)
    assert model.loss is squared


def test_a_limit_leaves_so_many_examples_a_split() -> None:
    splits = Splits(signs(60, 1), signs(40, 2), signs(10, 3), INFO)
    few = vector_classifier.limited(splits, VectorClassifierConfig(limit=12))
    assert [len(few.train), len(few.validation), len(few.test)] == [12, 12, 10]
    assert vector_classifier.limited(splits, VectorClassifierConfig()) is splits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("seed", -1),
        ("limit", 0),
        ("decay", float("nan")),
        ("clip_norm", 0.0),
        ("ema_momentum", 1.0),
        ("validation_fraction", 0.0),
        ("test_fraction", 1.0),
        ("label_smoothing", 1.0),
        ("dropout", -0.1),
    ],
)
def test_a_bad_option_is_refused_by_its_name(name: str, value: object) -> None:
    config = dataclasses.replace(VectorClassifierConfig(), **{name: value})
    with pytest.raises(UserError, match=f"^--{name.replace('_', '-')} must be .*Received: {value}"):
        check_vector_classifier(config)


def test_good_options_pass() -> None:
    check_vector_classifier(VectorClassifierConfig())
    check_vector_classifier(VectorClassifierConfig(batch_size="auto", limit=3, dropout=0.0))
