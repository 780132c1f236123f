"""Sets the weights of a network's decisions to the best linear machine on its stored features."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from tasks.common import console
from tasks.common.labelled_features import LabelledFeatures
from tasks.common.svm import dense
from tasks.common.svm.machines import Machine, Preparation, fit, prepare
from tasks.common.svm.search import Search, search

# Largest difference of the dense layer from scikit-learn, as a share of the largest decision:
# what float32 leaves of sums over tens of thousands of features.
TOLERANCE = 1e-3
# Pictures on which the two are compared.
_COMPARED = 256


@dataclasses.dataclass(frozen=True)
class SvmPlan:
    """What is searched for, and how.

    Attributes:
        preparation: what stands between the features and the machines.
        linear: the linear machines that are tried.
        rbf: the machines with an RBF kernel that are tried, to be compared with.
        folds: of the cross-validation.
        seed: decides which pictures are held out together.
        folder: where searches are remembered.
    """

    preparation: Preparation
    linear: tuple[Machine, ...]
    rbf: tuple[Machine, ...]
    folds: int
    seed: int
    folder: Path


@dataclasses.dataclass(frozen=True, eq=False)
class FittedMachine:
    """A machine chosen by cross-validation and fitted to all training pictures.

    Attributes:
        machine: its constants.
        steps: scaling and PCA.
        model: scikit-learn's machine, on what comes out of them.
    """

    machine: Machine
    steps: Pipeline
    model: LinearSVC | SVC

    def predict(self, features: np.ndarray) -> np.ndarray:
        """The class ids that it chooses, int64 (n,), from features (n, dimensions)."""
        return self.model.predict(self.steps.transform(features))


def found(
    plan: SvmPlan, train: LabelledFeatures, working: Callable[[], None] = lambda: None
) -> Search:
    """The cross-validation of all machines of a plan on the training pictures."""
    machines = (*plan.linear, *plan.rbf)
    show = console.progress("cross-validation: {done} of {total} machines", at_end=True)
    return search(
        train, plan.preparation, machines, plan.folds, plan.seed, plan.folder, working, show
    )


def prepared(plan: SvmPlan, train: LabelledFeatures) -> Pipeline:
    """Scaling and PCA, fitted to all views of all training pictures.

    Raises:
        UserError: the PCA has more components than there are examples or features.
    """
    return prepare(train.features, plan.preparation)


def best_machine(
    searched: Search, steps: Pipeline, train: LabelledFeatures, linear: bool
) -> FittedMachine:
    """The best linear or RBF machine of a search, fitted to all views of all training pictures."""
    machine = searched.machines[searched.best(linear)]
    model = fit(machine, steps.transform(train.features), train.row_labels)
    return FittedMachine(machine, steps, model)


def solve(
    plan: SvmPlan,
    tail: keras.Model,
    train: LabelledFeatures,
    validation: LabelledFeatures,
    working: Callable[[], None] = lambda: None,
) -> None:
    """Sets `decisions` and `temperature` of the tail to the best linear machine, in place.

    Cross-validation on the training pictures chooses its constants, the machine is then fitted to
    all of them; validation stays unseen, so that it can choose the layer and the pooling. Where
    training has one class alone, the tail answers with that class.

    Args:
        plan: what is tried.
        tail: of a network of `keras_models.svm_classifier`, from pooled features on.
        train, validation: stored features; those of validation are not used.
        working: called now and then; may raise to stop the work.

    Raises:
        UserError: the PCA has more components than there are examples or features.
        ArithmeticError: the dense layer does not compute what scikit-learn computes.
    """
    del validation
    layer = tail.get_layer("decisions")
    present = np.unique(train.labels)
    if len(present) == 1:
        bias = np.full(layer.units, dense.NEVER_SEEN, np.float32)
        bias[present] = 0.0
        layer.set_weights([np.zeros_like(layer.get_weights()[0]), bias])
        return
    searched = found(plan, train, working)
    fitted = best_machine(searched, prepared(plan, train), train, linear=True)
    layer.set_weights(list(dense.weights(fitted.steps, fitted.model, layer.units)))
    tail.get_layer("temperature").temperature.assign(
        searched.temperatures[searched.best(linear=True)]
    )
    difference = largest_difference(tail, fitted, train.plain[:_COMPARED])
    print(
        f"linear SVM: C = {fitted.machine.cost:g}, decisions of the dense layer within "
        f"{difference:.1e} of scikit-learn's"
    )


def largest_difference(tail: keras.Model, fitted: FittedMachine, features: np.ndarray) -> float:
    """How far the tail's decisions are from scikit-learn's, for the classes that it knows.

    Raises:
        ArithmeticError: further than the rounding of float32 explains.
    """
    received, classes = _decisions(tail, features), fitted.model.classes_
    behind_steps = fitted.steps.transform(features)
    expected = dense.decisions(fitted.model, behind_steps, received.shape[1])[:, classes]
    difference = np.abs(received[:, classes] - expected).max()
    if difference > TOLERANCE * max(1.0, np.abs(expected).max()):
        raise ArithmeticError(
            f"the dense layer's decisions differ from scikit-learn's by up to {difference:.3g}"
        )
    return float(difference)


def _decisions(tail: keras.Model, features: np.ndarray) -> np.ndarray:
    """What leaves `decisions`, float32 (n, classes)."""
    # Layer by layer, because the layers of a tail belong to the graph of the whole network first.
    passed = features
    for layer in tail.layers[1:]:
        passed = layer(passed)
        if layer.name == "decisions":
            break
    return keras.ops.convert_to_numpy(passed)
