"""The cross-validation, against one written out with scikit-learn alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from tasks.common.errors import Interrupted, UserError
from tasks.common.labelled_features import LabelledFeatures
from tasks.common.svm import calibration, search
from tasks.common.svm.machines import Machine, Preparation
from tests.tasks.svm.clouds import clouds

MACHINES = (Machine(1e-3), Machine(0.1), Machine(1.0, gamma=0.3), Machine(10.0, gamma=1.0))
PLAIN = Preparation()


def by_hand(examples: LabelledFeatures, machine: Machine, part: np.ndarray) -> float:
    train = np.setdiff1d(np.arange(len(examples.labels)), part)
    if machine.gamma is None:
        model = LinearSVC(C=machine.cost, random_state=0)
    else:
        # The kernel's width: standardised features have the variance 1.
        model = SVC(C=machine.cost, gamma=machine.gamma / examples.features.shape[1])
    pipeline = make_pipeline(StandardScaler(), model)
    pipeline.fit(examples.features[train], examples.labels[train])
    return pipeline.score(examples.features[part], examples.labels[part])


def test_accuracies_are_those_of_scikit_learn() -> None:
    examples = clouds()
    held_out = search.folds(examples.labels, 3, seed=0)
    found = search.cross_validate(examples, PLAIN, MACHINES, held_out)
    expected = [[by_hand(examples, machine, part) for part in held_out] for machine in MACHINES]
    np.testing.assert_allclose(found.accuracies, expected)
    np.testing.assert_allclose(found.means, np.mean(expected, axis=1))
    assert len(set(found.means)) > 1


def test_the_best_of_each_kind_is_chosen_and_of_equals_the_strongest_penalty() -> None:
    machines = (Machine(1.0), Machine(0.1), Machine(0.01), Machine(1.0, 0.1), Machine(9.0, 0.1))
    accuracies = np.array([[0.5, 0.7], [0.7, 0.5], [0.1, 0.1], [0.8, 0.8], [0.9, 0.9]])
    found = search.Search(machines, accuracies, np.ones(5))
    assert machines[found.best(linear=True)] == Machine(0.1)
    assert machines[found.best(linear=False)] == Machine(9.0, 0.1)


def test_folds_hold_out_every_picture_once_with_classes_in_their_share() -> None:
    labels = np.repeat([0, 1, 2], [30, 15, 5])
    parts = search.folds(labels, 5, seed=0)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(50))
    for part in parts:
        np.testing.assert_array_equal(np.bincount(labels[part]), [6, 3, 1])
    other = search.folds(labels, 5, seed=1)
    assert any(not np.array_equal(*pair) for pair in zip(parts, other, strict=True))


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 0], [0, 1]], ids=str)
def test_where_too_few_pictures_are_there_nothing_is_held_out(labels) -> None:
    assert search.folds(np.array(labels), 5, seed=0) == []
    found = search.cross_validate(clouds(), PLAIN, MACHINES, [])
    assert np.isnan(found.means).all()
    assert found.machines[found.best(linear=True)] == MACHINES[0]
    np.testing.assert_array_equal(found.temperatures, 1.0)


def test_views_of_a_picture_are_held_out_together_and_judged_by_the_plain_one() -> None:
    """Labels by chance cannot be told: a twin in training would give them away."""
    random = np.random.default_rng(0)
    plain = random.normal(size=(40, 30)).astype(np.float32)
    labels = random.permutation(np.resize([0, 1], 40))
    examples = LabelledFeatures(np.concatenate([plain, plain]), labels)
    held_out = search.folds(labels, 4, seed=0)
    found = search.cross_validate(examples, PLAIN, [Machine(1.0, 1.0)], held_out)
    assert found.means[0] < 0.75
    twins = SVC(C=1.0).fit(plain, labels)
    assert twins.score(plain, labels) > 0.95


def test_the_temperature_is_that_of_held_out_decisions() -> None:
    examples = clouds()
    held_out = search.folds(examples.labels, 3, seed=0)
    found = search.cross_validate(examples, PLAIN, MACHINES, held_out)
    decisions = np.zeros((60, 3))
    for part in held_out:
        train = np.setdiff1d(np.arange(60), part)
        model = make_pipeline(StandardScaler(), LinearSVC(C=0.1, random_state=0))
        model.fit(examples.features[train], examples.labels[train])
        decisions[part] = model.decision_function(examples.features[part])
    expected = calibration.temperature(decisions, examples.labels)
    assert found.temperatures[1] == pytest.approx(expected, rel=1e-3)


def test_what_was_found_is_remembered(tmp_path) -> None:
    calls = []
    examples = clouds()
    arguments = (PLAIN, MACHINES, 3, 0, tmp_path, lambda: calls.append(1))
    first = search.search(examples, *arguments)
    assert len(calls) == 3 * len(MACHINES)
    again = search.search(examples, *arguments)
    assert len(calls) == 3 * len(MACHINES)
    np.testing.assert_array_equal(again.accuracies, first.accuracies)
    np.testing.assert_array_equal(again.temperatures, first.temperatures)


@pytest.mark.parametrize("change", ["features", "labels", "machines", "folds", "seed", "scaling"])
def test_another_question_is_not_answered_from_memory(change, tmp_path) -> None:
    examples = clouds()
    search.search(examples, PLAIN, MACHINES, 3, 0, tmp_path)
    features, labels = examples.features.copy(), examples.labels.copy()
    if change == "features":
        features[0, 0] += 1
    if change == "labels":
        labels[:2] = labels[1::-1]
    calls = []
    search.search(
        LabelledFeatures(features, labels),
        Preparation("unit_length") if change == "scaling" else PLAIN,
        MACHINES[:3] if change == "machines" else MACHINES,
        4 if change == "folds" else 3,
        int(change == "seed"),
        tmp_path,
        lambda: calls.append(1),
    )
    assert calls


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"accuracies": [[1]], "temperatures": [1]}'])
def test_a_damaged_memory_is_made_anew(text, tmp_path) -> None:
    first = search.search(clouds(), PLAIN, MACHINES, 3, 0, tmp_path)
    (path,) = tmp_path.glob("svm_search_*.json")
    path.write_text(text)
    again = search.search(clouds(), PLAIN, MACHINES, 3, 0, tmp_path)
    np.testing.assert_array_equal(again.accuracies, first.accuracies)


def test_it_can_be_stopped() -> None:
    def stop() -> None:
        raise Interrupted

    held_out = search.folds(clouds().labels, 3, seed=0)
    with pytest.raises(Interrupted):
        search.cross_validate(clouds(), PLAIN, MACHINES, held_out, stop)


def test_a_pca_with_too_many_components_is_one_sentence() -> None:
    held_out = search.folds(clouds().labels, 3, seed=0)
    with pytest.raises(UserError, match=r"--pca must be at most 6.*Received: 7"):
        search.cross_validate(clouds(), Preparation(components=7), MACHINES, held_out)


def test_how_far_it_is_is_shown() -> None:
    shown = []
    held_out = search.folds(clouds().labels, 3, seed=0)
    search.cross_validate(
        clouds(), PLAIN, MACHINES, held_out, show=lambda *numbers: shown.append(numbers)
    )
    assert shown == [(done, 12) for done in range(1, 13)]
