"""The course of each part of the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tasks.common.figures import BLUE, ORANGE, STYLE, new_figure

_COLUMNS = 3


@matplotlib.rc_context(STYLE)
def loss_curves(history: Sequence[Mapping[str, str]], terms: Sequence[str]) -> Figure:
    """A panel for each part of the losses over the epochs, training beside validation.

    Args:
        history: the rows of `metrics.csv`.
        terms: the columns to show; those with `val_` before their names stand beside them.

    Raises:
        ValueError: there is no row or no term.
    """
    if not history or not terms:
        raise ValueError(f"There must be rows and terms. Received: {len(history)=}, {terms=}")
    rows = -(-len(terms) // _COLUMNS)
    figure = new_figure(10.5, 2.3 * rows)
    cells = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    epochs = np.arange(1, len(history) + 1)
    for axes in cells[len(terms) :]:
        axes.set_axis_off()
    for axes, term in zip(cells, terms, strict=False):
        for name, color, label in ((term, BLUE, "train"), (f"val_{term}", ORANGE, "validation")):
            values = [float(row.get(name) or "nan") for row in history]
            axes.plot(epochs, values, color=color, label=label, marker="o")
        axes.set_title(term.replace("_", " "), fontsize=9)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    cells[0].legend()
    return figure
