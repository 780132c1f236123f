"""The end of a run with a support vector machine: its search, its rivals, its features."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.neighbors import NearestCentroid

from tasks.common import classification, feature_store, image_classifier_report
from tasks.common.cached_stage import labelled_features
from tasks.common.classification_report import ClassificationReport
from tasks.common.labelled_features import LabelledFeatures
from tasks.common.report import Section
from tasks.common.svm import figures, solver
from tasks.common.svm.search import Search
from tasks.common.svm.solver import FittedMachine, SvmPlan
from tasks.common.tables import markdown_table
from tasks.common.task import Run, Task
from tasks.common.wording import decimal, percent

_LINEAR, _RBF, _CENTROID = "linear SVM", "RBF SVM", "nearest centroid"


@dataclasses.dataclass(frozen=True, eq=False)
class _Rivals:
    """What was found on the stored features of a run.

    Attributes:
        searched: the cross-validation.
        linear, rbf: the best machine of each kind.
        test: features of the test pictures, float32 (n, dimensions).
        answers: the class ids that each rival chooses, by its name and the split.
        truth: the true class ids by split.
    """

    searched: Search
    linear: FittedMachine
    rbf: FittedMachine
    test: np.ndarray
    answers: dict[str, dict[str, np.ndarray]]
    truth: dict[str, np.ndarray]


def report(task: Task, run: Run, plan: SvmPlan) -> None:
    """The report of every image classifier, with the rivals of the SVM and how it was chosen."""
    rivals = _rivals(task, run, plan)
    if rivals is None:
        image_classifier_report.report(task, run)
        return
    image_classifier_report.report(
        task,
        run,
        further=lambda document: _sections(rivals, document, plan.seed),
        rivals=_test_metrics(rivals),
    )


def _rivals(task: Task, run: Run, plan: SvmPlan) -> _Rivals | None:
    """All machines on the stored features; None where there is nothing to compare.

    That is where training has one class alone, and after a dry run, whose search saw one batch.
    """
    if run.config.dry_run:
        return None
    truth = {name: np.asarray(getattr(run.splits, name).labels) for name in ("validation", "test")}
    store = feature_store.pooled_features(
        run.config, run.splits.info, run.model, task.stages(run.config, run.model)
    )
    train = _training(run, store)
    if len(np.unique(train.labels)) == 1:
        return None
    features = {
        name: feature_store.plain(store.features(name, getattr(run.splits, name), 1))
        for name in truth
    }
    searched = solver.found(plan, train)
    steps = solver.prepared(plan, train)
    linear, rbf = (
        solver.best_machine(searched, steps, train, linear=kind) for kind in (True, False)
    )
    centroids = _centroids(steps.transform(train.features), train.row_labels)
    answers = {
        name: {split: predict(rows) for split, rows in features.items()}
        for name, predict in (
            (_LINEAR, linear.predict),
            (_RBF, rbf.predict),
            (_CENTROID, lambda rows: centroids.predict(steps.transform(rows))),
        )
    }
    return _Rivals(searched, linear, rbf, features["test"], answers, truth)


def _centroids(prepared: np.ndarray, labels: np.ndarray) -> NearestCentroid:
    with warnings.catch_warnings():
        # It speaks of features that are the same in all pictures, which no distance depends on.
        warnings.filterwarnings("ignore", message=".*zero standard deviation", category=UserWarning)
        return NearestCentroid().fit(prepared, labels)


def _training(run: Run, store: feature_store.Store) -> LabelledFeatures:
    """The training pictures as the solver saw them."""
    views = run.config.cached_views if run.config.augment else 1
    cache = store.features("train", run.splits.train, views)
    return labelled_features(cache, run.splits.train)


def _test_metrics(rivals: _Rivals) -> dict[str, dict[str, float]]:
    """Test accuracy with its interval of what the SVM in the network is compared with."""
    return {
        f"{name} on the same features": _accuracy(rivals, name, "test")
        for name in (_RBF, _CENTROID)
    }


def _accuracy(rivals: _Rivals, name: str, split: str) -> dict[str, float]:
    right = rivals.answers[name][split] == rivals.truth[split]
    low, high = classification.accuracy_interval(int(right.sum()), len(right))
    return {
        "count": len(right),
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
    }


def _sections(rivals: _Rivals, document: ClassificationReport, seed: int) -> Sequence[Section]:
    return [
        _comparison(rivals, document),
        _search(rivals),
        _features(rivals, document, seed),
    ]


def _comparison(rivals: _Rivals, document: ClassificationReport) -> Section:
    """The machines side by side, and whether the network is the machine."""
    means = rivals.searched.means
    held_out = {
        _LINEAR: means[rivals.searched.best(linear=True)],
        _RBF: means[rivals.searched.best(linear=False)],
    }
    rows = []
    for name in rivals.answers:
        accuracies = {split: _accuracy(rivals, name, split) for split in ("validation", "test")}
        test = accuracies["test"]
        rows.append(
            (
                name,
                percent(held_out.get(name)),
                percent(accuracies["validation"]["accuracy"]),
                percent(test["accuracy"]),
                f"{percent(test['accuracy_low'])} to {percent(test['accuracy_high'])}",
            )
        )
    header = ("on the same features", "cross-validation", "validation", "test", "95 % interval")
    return Section("Machines", f"{markdown_table(header, rows)}\n\n{_agreement(rivals, document)}")


def _agreement(rivals: _Rivals, document: ClassificationReport) -> str:
    """How the network's answers, from pictures, compare with scikit-learn's, from features."""
    count = len(document.test.labels)
    same = int((document.test.predicted == rivals.answers[_LINEAR]["test"]).sum())
    reason = "" if same == count else " (elsewhere two decisions are equal to rounding)"
    return (
        "The linear machine is the dense layer of the saved network. From the pictures on, the "
        "network gives the answer of scikit-learn's machine on the stored features for "
        f"{same} of {count} test pictures{reason}. The RBF machine is not part of the network: its "
        f"decisions need its {len(rivals.rbf.model.support_):,} support vectors, which no layer "
        "holds. Cross-validation saw the training pictures alone."
    )


def _search(rivals: _Rivals) -> Section:
    """Heat maps of the cross-validation: C by fold, and C by gamma."""
    linear, rbf = rivals.linear.machine, rivals.rbf.machine
    text = (
        f"Chosen: C = {linear.cost:g} for the linear machine; C = {rbf.cost:g} and gamma = "
        f"{rbf.gamma:g} / (dimensions x variance) for the RBF machine. The softmax of the linear "
        "decisions has the temperature "
        f"{decimal(rivals.searched.temperatures[rivals.searched.best(linear=True)])}, fitted to "
        "the decisions about held-out pictures (Guo et al. 2017). A best value at the edge of its "
        "grid says: try a wider one."
    )
    if not rivals.searched.accuracies.shape[1]:
        few = "There were too few training pictures to hold some out: nothing was searched."
        return Section("Search", few)
    return Section(
        "Search",
        text,
        {
            "linear_search": linear_heat_map(rivals.searched),
            "rbf_search": rbf_heat_map(rivals.searched),
        },
    )


def linear_heat_map(searched: Search) -> figures.Figure:
    """Accuracy of the linear machines, C by fold, with the mean in the last column."""
    numbers = [n for n, machine in enumerate(searched.machines) if machine.is_linear]
    values = np.column_stack([searched.accuracies, searched.means])[numbers]
    columns = [*(str(fold + 1) for fold in range(values.shape[1] - 1)), "mean"]
    rows = [f"{searched.machines[n].cost:g}" for n in numbers]
    chosen = (numbers.index(searched.best(linear=True)), values.shape[1] - 1)
    return figures.heat_map(values, rows, columns, ("C, linear", "fold held out"), chosen)


def rbf_heat_map(searched: Search) -> figures.Figure:
    """Mean accuracy of the machines with an RBF kernel, C by gamma."""
    machines = {
        (machine.cost, machine.gamma): mean
        for machine, mean in zip(searched.machines, searched.means, strict=True)
        if not machine.is_linear
    }
    costs = list(dict.fromkeys(cost for cost, _ in machines))
    gammas = list(dict.fromkeys(gamma for _, gamma in machines))
    values = np.array([[machines[cost, gamma] for gamma in gammas] for cost in costs])
    best = searched.machines[searched.best(linear=False)]
    chosen = (costs.index(best.cost), gammas.index(best.gamma))
    titles = ("C, RBF", "gamma x dimensions x variance")
    names = [[f"{number:g}" for number in part] for part in (costs, gammas)]
    return figures.heat_map(values, *names, titles, chosen)


def _features(rivals: _Rivals, document: ClassificationReport, seed: int) -> Section:
    text = (
        "The features of the test pictures in two dimensions. Principal axes keep the largest "
        "differences; t-SNE (van der Maaten & Hinton 2008) keeps neighbours together, and its "
        "distances between groups mean nothing. Crosses are pictures that the network gets wrong."
    )
    figure = figures.feature_map(
        rivals.test,
        document.test.labels,
        ~document.test.correct,
        document.info.class_names,
        seed,
    )
    return Section("Features", text, {"features": figure})
