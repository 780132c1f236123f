"""Charts of a comparison of losses: accuracy and gradient over the epochs, all pairs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.common.figures import BLUE, GREEN, GREY, ORANGE, RED, STYLE, new_figure
from tasks.common.loss_comparison.groups import (
    OPTIMIZER_NAMES,
    PAIR_NAMES,
    Group,
    Pair,
    by_optimizer,
)

# The same colour and line for a pair in every chart; one loss, one kind of line.
_LOOKS: dict[Pair, tuple[str, str]] = dict(
    zip(
        PAIR_NAMES,
        ((ORANGE, "--"), (BLUE, "-"), (RED, "-."), (GREEN, "-."), ("black", "-."), (GREY, ":")),
        strict=True,
    )
)


@matplotlib.rc_context(STYLE)
def learning_curves(
    found: Sequence[Group],
    early_epoch: int,
    reported: Mapping[Pair, Sequence[float]],
    most_frequent: float,
) -> Figure:
    """Validation accuracy over the epochs, a panel an optimizer: the seeds' mean and range.

    Args:
        found: at least one group.
        early_epoch: marked by a line.
        reported: accuracy of each pair after `early_epoch` and after all epochs of plain SGD, drawn
            as rings; may be empty.
        most_frequent: share of the most frequent class, drawn as a line.
    """
    figure, panels = _panels(found)
    for axes, (optimizer, members) in zip(panels, by_optimizer(found).items(), strict=True):
        for group in members:
            _draw(axes, group, group.accuracies)
            if optimizer == "sgd" and group.pair in reported:
                epochs = (early_epoch, group.accuracies.shape[1])
                axes.plot(
                    *(epochs, reported[group.pair]),
                    "o",
                    markersize=7,
                    markerfacecolor="none",
                    color=_LOOKS[group.pair][0],
                    clip_on=False,
                )
        axes.axhline(most_frequent, color=GREY, linestyle=":", linewidth=1)
        axes.axvline(early_epoch, color=GREY, linestyle=":", linewidth=1)
        axes.set_ylim(0, 1)
        rings = ", rings: the report's" if optimizer == "sgd" and reported else ""
        axes.set_title(f"{OPTIMIZER_NAMES[optimizer]}: validation accuracy{rings}")
    panels[-1].annotate(
        "most frequent class",
        *((1, most_frequent), (-3, -9)),
        xycoords=panels[-1].get_yaxis_transform(),
        textcoords="offset points",
        ha="right",
        color=GREY,
        fontsize=7.5,
    )
    return figure


@matplotlib.rc_context(STYLE)
def gradient_norms(found: Sequence[Group], early_epoch: int) -> Figure:
    """Norm of the gradient at the logits over the epochs, a panel an optimizer, logarithmic."""
    figure, panels = _panels(found)
    for axes, (optimizer, members) in zip(panels, by_optimizer(found).items(), strict=True):
        for group in members:
            _draw(axes, group, group.gradients)
        axes.axvline(early_epoch, color=GREY, linestyle=":", linewidth=1)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_title(f"{OPTIMIZER_NAMES[optimizer]}: gradient norm at the logits")
    return figure


def _panels(found: Sequence[Group]) -> tuple[Figure, Sequence[Axes]]:
    count = len(by_optimizer(found))
    figure = new_figure(max(5.2, 4.9 * count), 3.9)
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    longest = max(group.accuracies.shape[1] for group in found)
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.set_xlim(0, longest)
    pairs = {group.pair: group.name for group in found}
    handles = [
        matplotlib.lines.Line2D(
            [], [], color=_LOOKS[pair][0], linestyle=_LOOKS[pair][1], label=name
        )
        for pair, name in pairs.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
    return figure, panels


def _draw(axes: Axes, group: Group, values: np.ndarray) -> None:
    """The mean of the cells as a line and their range as a band."""
    color, line = _LOOKS[group.pair]
    epochs = np.arange(1, values.shape[1] + 1)
    axes.plot(epochs, np.nanmean(values, axis=0), color=color, linestyle=line)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    axes.fill_between(epochs, low, high, color=color, alpha=0.15, linewidth=0)
