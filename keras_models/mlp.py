"""A multi-layer perceptron on the rows of a table, with the scaling of the columns inside it.

Tensor contract: input `features` (batch, columns), float32, raw as the table has them; output
probabilities (batch, classes), float32, each row sums to 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import keras
import numpy as np

from keras_models.columns import TableColumns
from keras_models.heads import ClassProbabilities
from keras_models.ordinal import CumulativeLogits


@dataclasses.dataclass(frozen=True)
class Scaling:
    """What is subtracted from the features, and what they are divided by.

    Attributes:
        mean: one number per column, or one for all columns.
        deviation: the same, at least 0; 0, of a column that never changes, counts as 1.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def column_scaling(mean: Sequence[float], deviation: Sequence[float]) -> Scaling:
    """Each column by itself gets mean 0 and deviation 1, whatever its unit.

    Args:
        mean: of each column over the training rows.
        deviation: of each column over the training rows: the root of the mean squared distance.
    """
    return Scaling(tuple(mean), tuple(deviation))


def global_scaling(mean: Sequence[float], deviation: Sequence[float]) -> Scaling:
    """All numbers of the table together get mean 0 and deviation 1: columns keep their sizes.

    The variance of all numbers is the mean over the columns of (deviation^2 + mean^2), less the
    square of the mean of all (each column has the same number of rows).

    Args:
        mean: of each column over the training rows.
        deviation: of each column over the training rows.
    """
    means, deviations = np.asarray(mean, np.float64), np.asarray(deviation, np.float64)
    total = means.mean()
    variance = np.mean(deviations**2 + means**2) - total**2
    return Scaling((float(total),), (float(np.sqrt(max(variance, 0.0))),))


def build_mlp(
    column_names: Sequence[str],
    label_column: str,
    class_names: Sequence[str],
    scaling: Scaling,
    hidden: Sequence[int] = (300, 200, 150, 50),
    dropout: float = 0.2,
    head: Literal["softmax", "ordinal"] = "softmax",
    l1: float = 0.0,
) -> keras.Model:
    """Scaling -> hidden layers with ReLU -> dropout -> class probabilities.

    Without hidden layers it is logistic regression (`softmax`) or the proportional-odds model of
    McCullagh 1980 (`ordinal`). The default sizes are those of a student report on mobile phones.

    Args:
        column_names: one name per feature; kept in the model.
        label_column: name of the column of classes; kept in the model.
        class_names: one name per class id, for `ordinal` in their order.
        scaling: see `column_scaling` and `global_scaling`.
        hidden: units of the hidden layers, in order; empty for none.
        dropout: share of the last hidden layer's outputs dropped while training, in [0, 1).
        head: `softmax` gives each class a logit of its own; `ordinal` one score and thresholds.
        l1: penalty on the sum of the absolute weights of the last layer, added to the loss: those
            of columns that tell nothing become (nearly) 0 (Tibshirani 1996, the lasso).

    Returns:
        A functional model; its layers are `features`, `columns`, `scaling`, `hidden_1`
        and so on, `dropout`, then `logits`, or `score` and `cumulative_logits`, then
        `probabilities`.

    Raises:
        ValueError: the scaling has neither one number nor one per column, a size is not positive,
            or the head is unknown.
    """
    columns = len(column_names)
    _check(columns, scaling, hidden, head)
    features = keras.Input((columns,), dtype="float32", name="features")
    x = TableColumns(column_names, label_column, name="columns")(features)
    x = _scaling_layer(scaling, columns)(x)
    for number, units in enumerate(hidden, start=1):
        x = keras.layers.Dense(units, activation="relu", name=f"hidden_{number}")(x)
    if hidden:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    logits = _logits(x, len(class_names), head, l1)
    # Softmax of log-probabilities gives the probabilities back, and Keras computes cross-entropy
    # from what goes into a softmax, which is exact where probabilities round to 0.
    probabilities = ClassProbabilities(class_names, name="probabilities")(logits)
    return keras.Model(features, probabilities, name=f"{head}_mlp")


def _check(columns: int, scaling: Scaling, hidden: Sequence[int], head: str) -> None:
    for name in ("mean", "deviation"):
        numbers = getattr(scaling, name)
        if len(numbers) not in (1, columns):
            raise ValueError(
                f"`scaling.{name}` must have 1 number or {columns}. Received: {len(numbers)}"
            )
    if any(units < 1 for units in hidden):
        raise ValueError(f"`hidden` must be sizes of at least 1. Received: hidden={hidden}")
    if head not in ("softmax", "ordinal"):
        raise ValueError(f"`head` must be softmax or ordinal. Received: head={head!r}")


def _logits(x: keras.KerasTensor, class_count: int, head: str, l1: float) -> keras.KerasTensor:
    penalty = keras.regularizers.L1(l1) if l1 else None
    if head == "softmax":
        return keras.layers.Dense(class_count, kernel_regularizer=penalty, name="logits")(x)
    # The thresholds take the place of a bias.
    score = keras.layers.Dense(
        1, use_bias=False, kernel_regularizer=penalty, dtype="float32", name="score"
    )(x)
    return CumulativeLogits(class_count, name="cumulative_logits")(score)


def _scaling_layer(scaling: Scaling, columns: int) -> keras.layers.Normalization:
    deviation = np.broadcast_to(np.asarray(scaling.deviation, np.float64), (columns,))
    variance = np.where(deviation > 0, deviation, 1.0) ** 2
    mean = np.broadcast_to(np.asarray(scaling.mean, np.float64), (columns,))
    return keras.layers.Normalization(
        mean=mean.tolist(), variance=variance.tolist(), dtype="float32", name="scaling"
    )
