"""The figures of the report on phone prices."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from tasks.common.figures import BLUE, GREEN, GREY, ORANGE, RED, STYLE, new_figure


@matplotlib.rc_context(STYLE)
def spread(accuracies: Mapping[str, Sequence[float]]) -> Figure:
    """A dot for each split, a bar for the mean, in a row for each method.

    Args:
        accuracies: by method, one in [0, 1] a split, at least one.
    """
    figure = new_figure(7.0, 1.0 + 0.5 * len(accuracies))
    axes = figure.subplots()
    colors = itertools.cycle((BLUE, ORANGE, GREEN, RED, GREY))
    for row, (values, color) in enumerate(zip(accuracies.values(), colors, strict=False)):
        # Side by side where two splits have the same number.
        offsets = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else [0.0]
        axes.plot(values, row + np.asarray(offsets), "o", color=color, markersize=5, alpha=0.8)
        mean = float(np.mean(values))
        axes.plot([mean, mean], [row - 0.32, row + 0.32], color="black", linewidth=2)
    axes.set_yticks(range(len(accuracies)), list(accuracies))
    axes.set_ylim(len(accuracies) - 0.5, -0.5)
    axes.set_xlabel("test accuracy: a dot for each split, a bar for their mean")
    return figure


@matplotlib.rc_context(STYLE)
def importance(drops: Mapping[str, Sequence[float]]) -> Figure:
    """How much accuracy is lost when a column is shuffled, the largest loss on top.

    Args:
        drops: by column, one a network, at least one.
    """
    order = sorted(drops, key=lambda name: -float(np.mean(drops[name])))
    figure = new_figure(7.0, 0.8 + 0.22 * len(order))
    axes = figure.subplots()
    means = [float(np.mean(drops[name])) for name in order]
    axes.barh(range(len(order)), means, color=BLUE, height=0.7)
    for row, name in enumerate(order):
        ends = [min(drops[name]), max(drops[name])]
        axes.plot(ends, [row, row], color="black", linewidth=1.2, marker="|", markersize=6)
    axes.set_yticks(range(len(order)), order)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.set_xlabel("test accuracy lost when the column is shuffled; a line from least to most")
    return figure


@matplotlib.rc_context(STYLE)
def learning(histories: Mapping[str, Sequence[Sequence[Mapping[str, object]]]]) -> Figure:
    """Training and validation accuracy over the epochs, means over the splits, in a panel each.

    Args:
        histories: by method, the rows of `metrics.csv` of each network; networks of one method
            may have stopped at different epochs, and the mean is taken up to the first stop.
    """
    figure = new_figure(4.2 * len(histories) + 0.6, 3.2)
    panels = figure.subplots(1, len(histories), sharey=True, squeeze=False)[0]
    for axes, (name, runs) in zip(panels, histories.items(), strict=True):
        for column, color, label in (
            ("accuracy", BLUE, "train"),
            ("val_accuracy", ORANGE, "validation"),
        ):
            values = _together(runs, column)
            epochs = np.arange(1, values.shape[1] + 1)
            axes.plot(epochs, values.mean(axis=0), color=color, label=label)
            axes.fill_between(
                epochs, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
            )
        axes.set_title(name)
        axes.set_xlabel("epoch")
    panels[0].set_ylabel("accuracy; bands from worst to best")
    panels[0].legend(loc="lower right")
    return figure


def _together(runs: Sequence[Sequence[Mapping[str, object]]], column: str) -> np.ndarray:
    """One column of several histories, float64 (networks, epochs)."""
    length = min(len(rows) for rows in runs)
    return np.array([[float(row[column]) for row in rows[:length]] for rows in runs])
