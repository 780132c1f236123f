"""Makes the splits a data set lacks out of its training part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datasets.core import DataError, LabelledSource, Subset, stratified_split


def complete_splits(
    train: LabelledSource,
    validation: LabelledSource | None,
    test: LabelledSource | None,
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    class_names: Sequence[str],
    origin: str,
) -> tuple[LabelledSource, LabelledSource, LabelledSource, str]:
    """Splits what is missing off the training part, each class in nearly the same share.

    Args:
        train: the training part, or all examples.
        validation: the validation part, if the data set has one.
        test: the test part, if the data set has one.
        validation_fraction: share of `train` that becomes validation if there is none.
        test_fraction: share of `train` that becomes test if there is none.
        seed: decides which examples go where.
        class_names: one name per class id, for messages.
        origin: where the data lies, for messages.

    Returns:
        Train, validation, test, and what was done as the end of a sentence.

    Raises:
        DataError: a class has too few examples to be in each part, or all together are too few.
        ValueError: the fractions do not leave anything for training.
    """
    missing = {}
    if validation is None:
        missing["validation"] = validation_fraction
    if test is None:
        missing["test"] = test_fraction
    _require_examples(train.labels, 1 + len(missing), class_names, origin)
    if not missing:
        return train, validation, test, "its own train, validation and test splits"
    parts = stratified_split(train.labels, [1 - sum(missing.values()), *missing.values()], seed)
    made = dict(zip(["train", *missing], [Subset(train, part) for part in parts], strict=True))
    shares = " and ".join(f"{share:.0%} for {name}" for name, share in missing.items())
    return (
        made["train"],
        validation if validation is not None else made["validation"],
        test if test is not None else made["test"],
        f"{shares} split off the training part, stratified by class, seed {seed}",
    )


def _require_examples(
    labels: np.ndarray, least: int, class_names: Sequence[str], origin: str
) -> None:
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() >= least:
        return
    if len(counts) == 1:
        raise DataError(
            f"{origin} must hold at least {least} pictures, one for each part, received "
            f"{counts[0]}: add pictures."
        )
    class_id = int(np.flatnonzero(counts < least)[0])
    others = int(np.count_nonzero(counts < least)) - 1
    more = f" (and {others} other classes have too few)" if others else ""
    raise DataError(
        f"Class {class_names[class_id]!r} in {origin} must have at least {least} pictures, one for "
        f"each part, received {counts[class_id]}{more}: add pictures or remove the class."
    )
