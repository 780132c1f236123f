"""Figures of reports on maps: input, truth, prediction and error of one picture a row."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from tasks.common.figures import STYLE, new_figure
from tasks.common.wording import shorten

# Width of a panel, and height of a line of text with its margin, in inches.
_SIDE, _CAPTION = 2.4, 0.25


@matplotlib.rc_context(STYLE)
def panel_rows(
    rows: Sequence[Sequence[np.ndarray]], headings: Sequence[str], captions: Sequence[str]
) -> Figure:
    """One picture a row, its panels side by side, their headings above the first row.

    Args:
        rows: of each picture its panels, uint8 (height, width, 3), as many as headings.
        headings: what the panels show, such as `input`, `truth`, `prediction`, `error`.
        captions: a text a row, such as its score.

    Raises:
        ValueError: there is no row, or the counts do not agree.
    """
    if not rows or len(rows) != len(captions) or {len(row) for row in rows} != {len(headings)}:
        raise ValueError(
            "There must be a row at least, a caption for each and a heading for each panel. "
            f"Received: {len(rows)} rows, {len(captions)} captions, {len(headings)} headings"
        )
    # Upright pictures are as wide as lying ones, so that each row has a height of its own.
    heights = [_SIDE * row[0].shape[0] / row[0].shape[1] + _CAPTION for row in rows]
    figure = new_figure(_SIDE * len(headings), sum(heights))
    cells = figure.subplots(
        len(rows), len(headings), squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for row, line, caption in zip(rows, cells, captions, strict=True):
        for panel, axes in zip(row, line, strict=True):
            axes.imshow(panel, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            for spine in axes.spines.values():
                spine.set_visible(False)
        line[0].set_xlabel(shorten(caption, 60), fontsize=7, loc="left")
    for axes, heading in zip(cells[0], headings, strict=True):
        axes.set_title(heading, fontsize=9)
    return figure
