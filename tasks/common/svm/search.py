"""Cross-validation of support vector machines: which constants tell unseen pictures apart.

It sees the training pictures alone. Views of one picture are always in the same fold, and what is
held out is judged by its plain view: a flipped twin in training would be a copied answer.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.svm import SVC, LinearSVC

from datasets import core
from tasks.common.labelled_features import LabelledFeatures
from tasks.common.run_folder import replace_text
from tasks.common.svm import calibration, dense
from tasks.common.svm.machines import Machine, Preparation, fit, prepare


@dataclasses.dataclass(frozen=True, eq=False)
class Search:
    """What cross-validation found.

    Attributes:
        machines: what was tried.
        accuracies: share of the held-out pictures that were told right, by machine and fold,
            float64, shape (machines, folds); no columns where there were too few pictures.
        temperatures: of the softmax of the held-out decisions, by machine, float64, shape
            (machines,); 1 for machines that are not linear.
    """

    machines: tuple[Machine, ...]
    accuracies: np.ndarray
    temperatures: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """Mean accuracy over the folds, float64, shape (machines,); NaN where there are none."""
        if not self.accuracies.shape[1]:
            return np.full(len(self.machines), np.nan)
        return self.accuracies.mean(axis=1)

    def best(self, linear: bool) -> int:
        """The linear or RBF machine with the highest mean; of equals the strongest penalty."""
        means, machines = np.nan_to_num(self.means), self.machines
        kind = [n for n, machine in enumerate(machines) if machine.is_linear == linear]
        return min(kind, key=lambda n: (-means[n], machines[n].cost, machines[n].gamma or 0.0))


@dataclasses.dataclass(frozen=True, eq=False)
class _Fold:
    """Training features and held-out plain features, both behind scaling and PCA."""

    train: np.ndarray
    labels: np.ndarray
    unseen: np.ndarray
    truth: np.ndarray


def folds(labels: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """The pictures that each fold holds out, each class in nearly its share in every fold.

    Args:
        labels: class ids, int (pictures,).
        count: folds, at least 2; fewer are made where no class has as many pictures.
        seed: decides which pictures go where.

    Returns:
        Sorted indices, one array a fold; none where what remains would not hold two classes.
    """
    count = min(count, int(np.bincount(labels).max(initial=0)))
    if count < 2:
        return []
    parts = core.stratified_split(labels, [1 / count] * count, seed)
    parts = [part for part in parts if len(part)]
    kept = [np.unique(np.delete(labels, part)) for part in parts]
    return parts if all(len(classes) > 1 for classes in kept) else []


def search(
    examples: LabelledFeatures,
    preparation: Preparation,
    machines: Sequence[Machine],
    fold_count: int,
    seed: int,
    folder: Path,
    working: Callable[[], None] = lambda: None,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> Search:
    """`cross_validate`, or what it found before on the same examples, which lies in `folder`.

    Raises:
        UserError: the PCA has more components than the folds have examples or features.
    """
    held_out = folds(examples.labels, fold_count, seed)
    path = folder / f"svm_search_{_key(examples, preparation, machines, held_out)}.json"
    found = _read(path, machines, len(held_out))
    if found is None:
        found = cross_validate(examples, preparation, machines, held_out, working, show)
        folder.mkdir(parents=True, exist_ok=True)
        tables = {
            "accuracies": found.accuracies.tolist(),
            "temperatures": found.temperatures.tolist(),
        }
        replace_text(path, json.dumps(tables) + "\n")
    return found


def _key(
    examples: LabelledFeatures,
    preparation: Preparation,
    machines: Sequence[Machine],
    held_out: Sequence[np.ndarray],
) -> str:
    """Stands for all that decides a search: 32 hexadecimal digits."""
    digest = hashlib.sha256(repr((preparation, tuple(machines))).encode())
    for array in (examples.features, examples.labels, *held_out):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:32]


def _read(path: Path, machines: Sequence[Machine], fold_count: int) -> Search | None:
    """The search that a file holds; None where there is none, or it is damaged."""
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
        accuracies = np.array(tables["accuracies"], np.float64)
        temperatures = np.array(tables["temperatures"], np.float64)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if (accuracies.shape, temperatures.shape) != ((len(machines), fold_count), (len(machines),)):
        return None
    return Search(tuple(machines), accuracies, temperatures)


def cross_validate(
    examples: LabelledFeatures,
    preparation: Preparation,
    machines: Sequence[Machine],
    held_out: Sequence[np.ndarray],
    working: Callable[[], None] = lambda: None,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> Search:
    """Every machine on every fold; scaling and PCA are fitted anew to what is not held out.

    Args:
        examples: the training pictures, features (n, dimensions).
        preparation: what stands before the machine.
        machines: at least one.
        held_out: of `folds`.
        working: called after every fit; may raise to stop the work.
        show: called with the number of fits done and of all.

    Raises:
        UserError: the PCA has more components than the folds have examples or features.
    """
    accuracies = np.zeros((len(machines), len(held_out)))
    class_count = int(examples.labels.max()) + 1
    decisions = {
        row: np.full((len(examples.labels), class_count), dense.NEVER_SEEN)
        for row, machine in enumerate(machines)
        if machine.is_linear
    }
    for number, part in enumerate(held_out):
        fold = _fold(examples, preparation, part)
        for done, (row, model) in enumerate(_fitted(machines, fold), number * len(machines) + 1):
            accuracies[row, number] = model.score(fold.unseen, fold.truth)
            if row in decisions:
                decisions[row][part] = dense.decisions(model, fold.unseen, class_count)
            show(done, accuracies.size)
            working()
    temperatures = np.ones(len(machines))
    for row, received in decisions.items():
        temperatures[row] = calibration.temperature(received, examples.labels)
    return Search(tuple(machines), accuracies, temperatures)


def _fold(examples: LabelledFeatures, preparation: Preparation, part: np.ndarray) -> _Fold:
    inside = ~np.isin(examples.pictures, part)
    train = examples.features[inside]
    steps = prepare(train, preparation)
    return _Fold(
        train=steps.transform(train),
        labels=examples.row_labels[inside],
        unseen=steps.transform(examples.plain[part]),
        truth=examples.labels[part],
    )


def _fitted(machines: Sequence[Machine], fold: _Fold) -> Iterator[tuple[int, LinearSVC | SVC]]:
    """Each machine, fitted to the fold, with its number.

    LIBSVM draws no random numbers and runs on all cores; LIBLINEAR draws them from one generator
    of the whole process, so its machines follow one another.
    """
    others = [row for row, machine in enumerate(machines) if not machine.is_linear]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = [(row, pool.submit(fit, machines[row], fold.train, fold.labels)) for row in others]
        try:
            for row, machine in enumerate(machines):
                if machine.is_linear:
                    yield row, fit(machine, fold.train, fold.labels)
            for row, future in begun:
                yield row, future.result()
        finally:
            for _, future in begun:
                future.cancel()
