"""A table of labelled rows in three splits, by chance or by folds, and its training statistics.

Tensor contract: as in `datasets.vectors`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from datasets import vectors
from datasets.core import DataError, DatasetInfo, LabelledSource, Splits, Subset, stratified_split

# One row of each class for training, validation and test, and one for the rounding of the shares.
LEAST_ROWS = 4


@dataclasses.dataclass(frozen=True)
class TableInfo(DatasetInfo):
    """What a table is, and what a network that scales its columns has to know of it.

    Attributes:
        column_names: one name per feature, in their order.
        label_column: name of the column of classes.
        mean: of each column over the training rows.
        deviation: of each column over the training rows: the root of the mean squared distance
            from the mean, as scikit-learn's StandardScaler has it.
    """

    column_names: tuple[str, ...] = ()
    label_column: str = ""
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class Parting:
    """How rows are parted, each class in nearly the same share everywhere.

    Attributes:
        validation_fraction: share of all rows for validation.
        test_fraction: share of all rows for the test; not used with folds.
        seed: decides which rows go where.
        fold: which of the folds is the test, from 0; None for a test of `test_fraction`.
        folds: into how many equal folds the rows are parted.
    """

    validation_fraction: float
    test_fraction: float
    seed: int
    fold: int | None = None
    folds: int = 5


def part(source: LabelledSource, info: TableInfo, parting: Parting, place: str) -> Splits:
    """The rows in train, validation and test; what was done is added to the description.

    Args:
        source: all rows.
        info: of the table; its statistics are filled in by `with_statistics`.
        parting: see there.
        place: where the table lies, for messages.

    Raises:
        DataError: a class has too few rows.
    """
    _require_rows(source.labels, info.class_names, max(LEAST_ROWS, parting.folds), place)
    train, validation, test = _indices(np.asarray(source.labels), parting)
    said = (
        f"{parting.test_fraction:.0%} of the rows for the test"
        if parting.fold is None
        else f"fold {parting.fold + 1} of {parting.folds} for the test"
    )
    described = dataclasses.replace(
        info,
        description=f"{info.description} {said[0].upper()}{said[1:]}, "
        f"{parting.validation_fraction:.0%} of all for validation, stratified by class, seed "
        f"{parting.seed}.",
    )
    parts = [Subset(source, indices) for indices in (train, validation, test)]
    return with_statistics(Splits(*parts, info=described))


def _indices(labels: np.ndarray, parting: Parting) -> Sequence[np.ndarray]:
    """Indices of the training, validation and test rows."""
    validation = parting.validation_fraction
    if parting.fold is None:
        fractions = [1 - validation - parting.test_fraction, validation, parting.test_fraction]
        return stratified_split(labels, fractions, parting.seed)
    test = stratified_split(labels, [1 / parting.folds] * parting.folds, parting.seed)[parting.fold]
    rest = np.setdiff1d(np.arange(len(labels)), test)
    share = validation / (1 - 1 / parting.folds)
    train, chosen = stratified_split(labels[rest], [1 - share, share], parting.seed)
    return rest[train], rest[chosen], test


def with_statistics(splits: Splits) -> Splits:
    """The splits with mean and deviation of the training rows in their `TableInfo`."""
    rows = vectors.matrix(splits.train).astype(np.float64)
    info = dataclasses.replace(
        splits.info,
        mean=tuple(rows.mean(axis=0).tolist()),
        deviation=tuple(rows.std(axis=0).tolist()),
    )
    return dataclasses.replace(splits, info=info)


def _require_rows(labels: np.ndarray, class_names: Sequence[str], least: int, place: str) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < least:
        class_id = int(counts.argmin())
        raise DataError(
            f"{place} must have at least {least} rows of each class, received {counts[class_id]} "
            f"of class {class_id} ({class_names[class_id]}): add rows."
        )
