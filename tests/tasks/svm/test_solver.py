"""The tail of a network set to the solution of its SVM."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC

from keras_models.heads import ClassProbabilities
from keras_models.svm_classifier import Temperature
from tasks.common.labelled_features import LabelledFeatures
from tasks.common.svm import dense, solver
from tasks.common.svm.machines import Machine, Preparation
from tests.tasks.svm.clouds import DIMENSIONS, clouds


@pytest.fixture
def plan(tmp_path: Path) -> solver.SvmPlan:
    linear = (Machine(1e-3), Machine(0.1))
    return solver.SvmPlan(Preparation(), linear, (Machine(1.0, 1.0),), 3, 0, tmp_path)


def tail(class_count: int, unit_length: bool = False) -> keras.Model:
    """As `keras_models.svm_classifier` ends, from pooled features on."""
    features = keras.Input((DIMENSIONS,))
    x = keras.layers.UnitNormalization(name="unit_length")(features) if unit_length else features
    x = keras.layers.Dense(class_count, name="decisions")(x)
    x = Temperature(name="temperature")(x)
    names = [f"class {n}" for n in range(class_count)]
    return keras.Model(features, ClassProbabilities(names, name="probabilities")(x))


@pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2)], ids=str)
def test_the_tail_is_the_machine_that_scikit_learn_fits(plan, classes) -> None:
    train, unseen = clouds(classes), clouds(classes, seed=7)
    model = tail(len(classes))
    solver.solve(plan, model, train, unseen)
    searched = solver.found(plan, train)
    best = searched.best(linear=True)
    cost, temperature = searched.machines[best].cost, searched.temperatures[best]
    alone = make_pipeline(StandardScaler(), LinearSVC(C=cost, random_state=0))
    alone.fit(train.features, train.labels)
    decisions = alone.decision_function(unseen.features)
    if len(classes) == 2:
        decisions = np.column_stack([-decisions, decisions])
    received = model.predict(unseen.features, verbose=0)
    np.testing.assert_allclose(received, softmax(decisions / temperature, axis=1), atol=1e-4)
    np.testing.assert_array_equal(received.argmax(axis=1), alone.predict(unseen.features))


def test_views_are_more_examples(plan) -> None:
    train = clouds(views=3)
    model = tail(3)
    solver.solve(plan, model, train, clouds(seed=7))
    searched = solver.found(plan, train)
    cost = searched.machines[searched.best(linear=True)].cost
    alone = make_pipeline(StandardScaler(), LinearSVC(C=cost, random_state=0))
    alone.fit(train.features, np.tile(train.labels, 3))
    kernel, bias = model.get_layer("decisions").get_weights()
    np.testing.assert_allclose(
        train.plain @ kernel + bias, alone.decision_function(train.plain), atol=1e-3
    )


def test_features_of_unit_length_are_made_by_the_layer(plan) -> None:
    train = clouds()
    plan = dataclasses.replace(plan, preparation=Preparation("unit_length"))
    model = tail(3, unit_length=True)
    solver.solve(plan, model, train, clouds(seed=7))
    searched = solver.found(plan, train)
    cost = searched.machines[searched.best(linear=True)].cost
    alone = make_pipeline(Normalizer(), LinearSVC(C=cost, random_state=0))
    alone.fit(train.features, train.labels)
    answers = model.predict(train.features, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(answers, alone.predict(train.features))


def test_neither_validation_nor_its_labels_are_looked_at(plan) -> None:
    """So validation can choose the layer, and its accuracy is honest."""
    train = clouds()
    weights = []
    for validation in (clouds(seed=7), LabelledFeatures(np.zeros((2, 6)), np.zeros(2, int))):
        model = tail(3)
        solver.solve(plan, model, train, validation)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_class_alone_is_always_the_answer(plan) -> None:
    train = LabelledFeatures(clouds().features, np.full(60, 2))
    model = tail(3)
    solver.solve(plan, model, train, train)
    received = model.predict(clouds(seed=3).features, verbose=0)
    np.testing.assert_allclose(received, [[0, 0, 1]] * 60, atol=1e-6)


def test_a_dense_layer_that_is_not_the_machine_is_found(plan, monkeypatch) -> None:
    fold = dense.weights

    def wrong(*arguments):
        kernel, bias = fold(*arguments)
        return kernel, bias + 0.1

    monkeypatch.setattr(dense, "weights", wrong)
    with pytest.raises(ArithmeticError, match=r"differ from scikit-learn's by up to 0\.1"):
        solver.solve(plan, tail(3), clouds(), clouds(seed=7))
