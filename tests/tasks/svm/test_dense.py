"""A linear machine as a dense layer, against scikit-learn's own decisions and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.common.svm import dense
from tasks.common.svm.machines import Machine, Preparation, fit, prepare
from tests.tasks.svm.clouds import clouds


@pytest.mark.parametrize("components", [0, 4])
@pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2), (0, 1, 2, 3, 4)], ids=str)
def test_kernel_and_bias_give_the_decisions_of_scikit_learn(classes, components) -> None:
    examples = clouds(classes)
    steps = prepare(examples.features.astype(np.float64), Preparation(components=components))
    machine = fit(Machine(0.1), steps.transform(examples.features), examples.labels)
    kernel, bias = dense.weights(steps, machine, len(classes))
    assert (kernel.dtype, kernel.shape) == (np.float32, (6, len(classes)))
    unseen = clouds(classes, seed=5).features.astype(np.float64)
    expected = machine.decision_function(steps.transform(unseen))
    received = unseen @ kernel + bias
    if len(classes) == 2:
        np.testing.assert_allclose(received[:, 1], expected, atol=1e-4)
        np.testing.assert_allclose(received[:, 0], -expected, atol=1e-4)
    else:
        np.testing.assert_allclose(received, expected, atol=1e-4)
    np.testing.assert_array_equal(received.argmax(axis=1), machine.predict(steps.transform(unseen)))


def test_scaling_and_pca_are_folded_as_by_hand() -> None:
    """((x - mean) / deviation - centre) . axes . weights + bias, written out."""
    examples = clouds()
    steps = prepare(examples.features.astype(np.float64), Preparation(components=3))
    machine = fit(Machine(1.0), steps.transform(examples.features), examples.labels)
    x = examples.features[:5].astype(np.float64)
    mean, deviation = examples.features.mean(axis=0), examples.features.std(axis=0)
    scaled = (x - mean) / deviation
    pca = steps["pca"]
    turned = (scaled - pca.mean_) @ pca.components_.T
    kernel, bias = dense.weights(steps, machine, 3)
    expected = turned @ machine.coef_.T + machine.intercept_
    np.testing.assert_allclose(x @ kernel + bias, expected, atol=1e-3)


def test_unit_length_leaves_the_weights_as_they_are() -> None:
    examples = clouds()
    steps = prepare(examples.features, Preparation(scaling="unit_length"))
    prepared = steps.transform(examples.features)
    np.testing.assert_allclose(np.linalg.norm(prepared, axis=1), 1.0, rtol=1e-5)
    machine = fit(Machine(1.0), prepared, examples.labels)
    kernel, bias = dense.weights(steps, machine, 3)
    np.testing.assert_allclose(kernel, machine.coef_.T, rtol=1e-6)
    np.testing.assert_allclose(bias, machine.intercept_, rtol=1e-6)


@pytest.mark.parametrize("classes", [(1, 3), (1, 3, 4)], ids=str)
def test_a_class_that_training_never_saw_is_never_chosen(classes) -> None:
    examples = clouds(classes)
    steps = prepare(examples.features, Preparation())
    prepared = steps.transform(examples.features)
    machine = fit(Machine(0.1), prepared, examples.labels)
    kernel, bias = dense.weights(steps, machine, 6)
    for decisions in (
        examples.features @ kernel + bias,
        dense.decisions(machine, prepared, 6),
    ):
        assert decisions.shape == (60, 6)
        assert set(decisions.argmax(axis=1)) <= set(classes)
        unseen = [n for n in range(6) if n not in classes]
        np.testing.assert_array_equal(decisions[:, unseen], dense.NEVER_SEEN)


def test_a_feature_that_never_changes_does_no_harm() -> None:
    """As a dead ReLU gives: its deviation is 0."""
    examples = clouds()
    features = np.column_stack([examples.features, np.full(60, 7.0)])
    steps = prepare(features, Preparation())
    machine = fit(Machine(0.1), steps.transform(features), examples.labels)
    kernel, bias = dense.weights(steps, machine, 3)
    assert np.isfinite(kernel).all() and np.isfinite(bias).all()
    expected = machine.decision_function(steps.transform(features))
    np.testing.assert_allclose(features @ kernel + bias, expected, atol=1e-3)
