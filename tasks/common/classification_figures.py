"""Figures of a classifier's report: where it errs, how well it knows, which classes are hard."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, PowerNorm
from matplotlib.figure import Figure

from tasks.common.classification import (
    ClassScores,
    ReliabilityBins,
    accuracy_interval,
    expected_calibration_error,
)
from tasks.common.figures import BLUE, GREY, ORANGE, STYLE, new_figure
from tasks.common.wording import shorten

# What is still readable on a page: numbers in the cells, names at the axes, bars below another.
COUNTED_CLASSES = 24
NAMED_CLASSES = 40
BARS = 30


@matplotlib.rc_context(STYLE)
def confusion_matrix(counts: np.ndarray, class_names: Sequence[str]) -> Figure:
    """The share of each true class (row) that was called each class (column), as shades.

    Few classes have the counts in the cells, more have names at the axes, and beyond that the
    axes carry class ids. The shade grows with the square root of the share and does not begin
    at white, so that a rare confusion can be seen. Rows of classes without an example are grey.

    Args:
        counts: int, shape (classes, classes), true class by predicted class.
        class_names: one name per class.

    Raises:
        ValueError: the shapes do not fit.
    """
    classes = len(class_names)
    if counts.shape != (classes, classes):
        raise ValueError(
            f"counts must have the shape ({classes}, {classes}). Received: {counts.shape=}"
        )
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    side = float(np.clip(3.2 + 0.3 * classes, 4.2, 8.6))
    figure = new_figure(side + 0.8, side)
    axes = figure.subplots()
    shades = ListedColormap(matplotlib.colormaps["Blues"](np.linspace(0.15, 1, 256)))
    shades = shades.with_extremes(bad="#DDDDDD", under="white")
    norm = PowerNorm(0.5, 1e-6, 1)
    image = axes.imshow(shares, cmap=shades, norm=norm, interpolation="nearest")
    bar = figure.colorbar(image, ax=axes, shrink=0.7, ticks=[0.01, 0.05, 0.25, 0.5, 0.75, 1])
    bar.set_label("share of the true class")
    if classes <= COUNTED_CLASSES:
        _write_counts(axes, counts, shares)
    _label_classes(axes, class_names)
    return figure


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for row, column in np.argwhere(counts):
        color = "white" if shares[row, column] > 0.4 else "black"
        axes.text(column, row, str(counts[row, column]), color=color, ha="center", va="center")


def _label_classes(axes: Axes, class_names: Sequence[str]) -> None:
    classes = len(class_names)
    word = "class" if classes <= NAMED_CLASSES else "class id"
    if classes <= NAMED_CLASSES:
        size = 9 if classes <= 12 else 7
        names = [shorten(name, 32) for name in class_names]
        axes.set_xticks(range(classes), names, rotation=90, fontsize=size)
        axes.set_yticks(range(classes), names, fontsize=size)
    axes.set_xlabel(f"predicted {word}")
    axes.set_ylabel(f"true {word}")
    axes.grid(False)
    axes.spines[:].set_visible(True)


@matplotlib.rc_context(STYLE)
def reliability_diagram(bins: ReliabilityBins) -> Figure:
    """Accuracy against confidence, with the number of examples at each confidence below.

    Bars under the diagonal are answers surer than they should be. After Guo et al., "On
    Calibration of Modern Neural Networks", ICML 2017, figure 1.
    """
    figure = new_figure(4.8, 4.8)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    middles, width = (bins.edges[:-1] + bins.edges[1:]) / 2, np.diff(bins.edges)
    upper.bar(middles, bins.accuracies, 0.94 * width, color=BLUE, label="accuracy")
    upper.plot([0, 1], [0, 1], color=ORANGE, linestyle="--", label="if calibrated")
    upper.set_ylabel("share of right answers")
    upper.set_ylim(0, 1.02)
    upper.set_xlim(0, 1)
    upper.set_title(f"expected calibration error {expected_calibration_error(bins):.3f}")
    # Outside, since the bars may stand anywhere.
    figure.legend(loc="outside lower center", ncols=2)
    lower.bar(middles, bins.counts, 0.94 * width, color=GREY)
    lower.set_ylabel("examples")
    lower.set_xlabel("confidence: probability of the predicted class")
    return figure


@matplotlib.rc_context(STYLE)
def per_class_bars(scores: Sequence[ClassScores]) -> Figure:
    """The share of each class that was recognised, hardest first, with its 95 % interval.

    Of many classes the hardest `BARS` are shown; classes without an example are left out.

    Raises:
        ValueError: no class has an example.
    """
    present = [score for score in scores if score.count > 0]
    if not present:
        raise ValueError(f"scores must hold a class with examples. Received: {scores=}")
    shown = sorted(present, key=lambda score: (score.recall, score.name))[:BARS]
    figure = new_figure(7.0, 0.9 + 0.24 * len(shown))
    axes = figure.subplots()
    rows = np.arange(len(shown))
    axes.barh(rows, [score.recall for score in shown], color=BLUE, height=0.7)
    for row, score in enumerate(shown):
        interval = accuracy_interval(score.correct, score.count)
        axes.plot(interval, [row, row], color="black", linewidth=1, marker="|", markersize=5)
        label = f"{score.correct} of {score.count}"
        axes.annotate(label, (1.02, row), color=GREY, va="center", annotation_clip=False)
    axes.set_yticks(rows, [shorten(score.name, 36) for score in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("recall: share of the class that was recognised, with 95 % interval")
    axes.grid(False, axis="y")
    if len(shown) < len(present):
        axes.set_title(f"the {len(shown)} hardest of {len(present)} classes")
    return figure
