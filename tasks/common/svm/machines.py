"""What is fitted to the features: scaling, PCA, then a linear or an RBF support vector machine.

Several classes are told apart one against the rest: n linear machines, each with one weight
vector, whose decisions are the n columns of one dense layer. One against one would need
n (n - 1) / 2 machines and a vote, which no dense layer computes. scikit-learn's `SVC`, used for
the RBF kernel, votes.

Source: Cortes & Vapnik, "Support-Vector Networks", Machine Learning 20, 1995; LIBLINEAR (Fan et
al. 2008) and LIBSVM (Chang & Lin 2011), by way of scikit-learn.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import Literal

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from tasks.common.errors import UserError


@dataclasses.dataclass(frozen=True)
class Preparation:
    """What stands between the features and the machine.

    Attributes:
        scaling: `standard` gives each feature mean 0 and deviation 1 in training; `unit_length`
            divides the features of each picture by their L2 norm.
        components: of the PCA that follows; 0 leaves it out.
        seed: of the PCA's random projections.
    """

    scaling: Literal["standard", "unit_length"] = "standard"
    components: int = 0
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Machine:
    """One support vector machine before it is fitted.

    Attributes:
        cost: C, what an example on the wrong side costs; small is a strong penalty.
        gamma: of the RBF kernel exp(-gamma |x - y|^2), as a multiple of 1 / (dimensions *
            variance), scikit-learn's `scale`; None is a linear machine.
        loss: of the linear machine: the hinge or its square.
        class_weight: None, or "balanced" to weigh classes inversely to how often they occur.
        seed: of the order in which LIBLINEAR visits the examples.
    """

    cost: float
    gamma: float | None = None
    loss: Literal["squared_hinge", "hinge"] = "squared_hinge"
    class_weight: Literal["balanced"] | None = None
    seed: int = 0

    @property
    def is_linear(self) -> bool:
        """Whether it has no kernel."""
        return self.gamma is None


def prepare(features: np.ndarray, preparation: Preparation) -> Pipeline:
    """The scaling and the PCA, fitted to float features (n, dimensions).

    Raises:
        UserError: the PCA has more components than there are examples or features.
    """
    if preparation.components > min(features.shape):
        raise UserError(
            f"--pca must be at most {min(features.shape)}, the smaller of examples and features "
            f"({features.shape[0]} and {features.shape[1]}). Received: {preparation.components}."
        )
    scaler = StandardScaler() if preparation.scaling == "standard" else Normalizer()
    steps = [("scaling", scaler)]
    if preparation.components:
        steps.append(("pca", PCA(preparation.components, random_state=preparation.seed)))
    return Pipeline(steps).fit(features)


def fit(machine: Machine, prepared: np.ndarray, labels: np.ndarray) -> LinearSVC | SVC:
    """The machine, fitted.

    Args:
        machine: its constants.
        prepared: features behind scaling and PCA, float (n, dimensions).
        labels: class ids, int (n,), at least two different ones.
    """
    if machine.is_linear:
        model = LinearSVC(
            C=machine.cost,
            loss=machine.loss,
            class_weight=machine.class_weight,
            random_state=machine.seed,
        )
    else:
        scale = prepared.shape[1] * max(float(prepared.var()), 1e-12)
        model = SVC(
            C=machine.cost,
            gamma=machine.gamma / scale,
            class_weight=machine.class_weight,
            cache_size=500,
        )
    with warnings.catch_warnings():
        # More iterations fit the training examples closer, not those that are held out better.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(prepared, labels)
