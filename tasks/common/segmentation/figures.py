"""Figures of a report on classes of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from tasks.common.classification_figures import confusion_matrix
from tasks.common.figures import BLUE, GREY, ORANGE, STYLE, new_figure
from tasks.common.wording import shorten


@matplotlib.rc_context(STYLE)
def class_bars(scores: Mapping[str, np.ndarray], class_names: Sequence[str]) -> Figure:
    """IoU of each class, for several splits or models, the best class of the first one on top.

    Args:
        scores: by name, (classes,) in [0, 1]; NaN has no bar.
        class_names: one per class.

    Raises:
        ValueError: there are no scores, or not one per class.
    """
    if not scores or {len(values) for values in scores.values()} != {len(class_names)}:
        raise ValueError(f"scores must be one per class. Received: {scores=}, {class_names=}")
    order = np.argsort(-np.nan_to_num(next(iter(scores.values())), nan=-1.0), kind="stable")
    rows = np.arange(len(order))
    thickness = 0.8 / len(scores)
    figure = new_figure(7.0, 0.9 + (0.14 + 0.14 * len(scores)) * len(order))
    axes = figure.subplots()
    for number, (name, values) in enumerate(scores.items()):
        places = rows + (number - (len(scores) - 1) / 2) * thickness
        colour = (BLUE, ORANGE, GREY)[number % 3]
        axes.barh(places, values[order], height=0.9 * thickness, color=colour, label=name)
        for place, value in zip(places, values[order], strict=True):
            if np.isfinite(value):
                axes.annotate(
                    f"{value:.2f}",
                    (value, place),
                    (3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=7,
                )
    axes.set_yticks(rows, [shorten(class_names[index], 30) for index in order])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.set_xlabel("intersection over union, higher is better")
    axes.grid(False, axis="y")
    if len(scores) > 1:
        axes.legend(loc="lower right")
    return figure


def confusion_in_percent(matrix: np.ndarray, class_names: Sequence[str]) -> Figure:
    """The confusion matrix with whole percents of the true class in its cells.

    Args:
        matrix: pixels by true and predicted class, (classes, classes).
        class_names: one per class.
    """
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(100.0 * matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    return confusion_matrix(np.rint(shares).astype(np.int64), class_names)
