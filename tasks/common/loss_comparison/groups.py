"""What the cells of a comparison of losses found, grouped by optimizer, activation and loss."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from collections.abc import Sequence

import numpy as np

from tasks.common.study import CellResult, StudyRun

Pair = tuple[str, str]
"""Output activation and loss, by the names that Keras gives them."""

PAIR_NAMES: dict[Pair, str] = {
    ("sigmoid", "binary_crossentropy"): "sigmoid + BCE",
    ("softmax", "categorical_crossentropy"): "softmax + CCE",
    ("sigmoid", "mean_squared_error"): "sigmoid + MSE",
    ("softmax", "mean_squared_error"): "softmax + MSE",
    ("linear", "mean_squared_error"): "linear + MSE",
    ("margin", "squared_hinge"): "margin + hinge",
}
PAIRS: dict[str, Pair] = dict(
    zip(
        ("sigmoid_bce", "softmax_cce", "sigmoid_mse", "softmax_mse", "linear_mse", "margin_hinge"),
        PAIR_NAMES,
        strict=True,
    )
)
"""The pairs by the words of the command line."""

REPORTED: dict[str, tuple[float, float]] = {
    "sigmoid_bce": (0.020, 0.388),
    "softmax_cce": (0.531, 0.699),
    "sigmoid_mse": (0.025, 0.200),
    "softmax_mse": (0.021, 0.006),
    "linear_mse": (0.106, 0.389),
}
"""Validation accuracy after 20 and 100 epochs of plain SGD at 0.01 on the Reuters newswires, in the
student report whose network and options the preset `seed` of `tasks.reuters_losses` has."""

OPTIMIZER_NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """The finished cells of one pair under one optimizer: they differ by their seed alone.

    Attributes:
        pair: output activation and loss.
        optimizer: its name.
        seeds: one a cell.
        accuracies: validation accuracy after each epoch, float64 (cells, epochs); NaN where a cell
            had ended early.
        gradients: norm of the gradient at the logits, mean over the validation texts, alike.
        tests: test accuracy of each cell's best epoch by validation, float64 (cells,).
    """

    pair: Pair
    optimizer: str
    seeds: tuple[int, ...]
    accuracies: np.ndarray
    gradients: np.ndarray
    tests: np.ndarray

    @property
    def name(self) -> str:
        """The pair as people write it."""
        return PAIR_NAMES[self.pair]

    def at(self, epoch: int, values: np.ndarray) -> np.ndarray:
        """The value of each cell after `epoch` epochs, counted from 1, or after its last one."""
        lengths = np.count_nonzero(np.isfinite(values), axis=1)
        return values[np.arange(len(values)), np.minimum(lengths, epoch) - 1]


def groups(run: StudyRun) -> list[Group]:
    """One group for each optimizer and pair with a finished cell, in the order of the cells."""
    found: dict[tuple[str, Pair], list[CellResult]] = {}
    for result in run.results:
        if result.result is not None:
            pair = (result.config.activation, result.config.loss)
            found.setdefault((result.config.optimizer, pair), []).append(result)
    return [
        Group(
            pair,
            optimizer,
            tuple(result.config.seed for result in results),
            _columns(results, "val_accuracy"),
            _columns(results, "val_logit_gradient_norm"),
            np.array([result.result["metrics"]["test"]["accuracy"] for result in results]),
        )
        for (optimizer, pair), results in found.items()
    ]


def _columns(results: Sequence[CellResult], name: str) -> np.ndarray:
    """One column of the cells' histories, float64 (cells, longest history), NaN beyond the end."""
    values = [[float(row[name]) for row in result.history] for result in results]
    return np.array(list(itertools.zip_longest(*values, fillvalue=np.nan)), np.float64).T


def by_optimizer(found: Sequence[Group]) -> dict[str, list[Group]]:
    """The groups of each optimizer, in their order."""
    parts: dict[str, list[Group]] = {}
    for group in found:
        parts.setdefault(group.optimizer, []).append(group)
    return parts


def ranking(found: Sequence[Group], epoch: int) -> list[Group]:
    """The groups by mean validation accuracy after `epoch` epochs, the best first."""
    return sorted(found, key=lambda group: -group.at(epoch, group.accuracies).mean())


def spread(values: np.ndarray) -> str:
    """Mean and standard deviation of a few values; of one the value alone."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def as_csv(found: Sequence[Group], epochs: Sequence[int]) -> str:
    """One row a cell, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    read = [f"{what}_{epoch}" for what in ("accuracy", "gradient_norm") for epoch in epochs]
    writer.writerow(("optimizer", "activation", "loss", "seed", *read, "test_accuracy"))
    for group in found:
        columns = [
            *(group.at(epoch, group.accuracies) for epoch in epochs),
            *(group.at(epoch, group.gradients) for epoch in epochs),
            group.tests,
        ]
        for seed, *numbers in zip(group.seeds, *columns, strict=True):
            shown = (f"{number:.6g}" for number in numbers)
            writer.writerow((group.optimizer, *group.pair, seed, *shown))
    return text.getvalue()
