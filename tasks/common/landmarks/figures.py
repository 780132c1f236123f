"""Figures of a report on points: the cumulative error curve, and the error of each point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from keras_models.metrics.landmarks import FAILURE_THRESHOLD
from tasks.common import figures
from tasks.common.landmarks.measures import THRESHOLDS
from tasks.common.wording import shorten

_COLOURS = (figures.BLUE, figures.ORANGE, figures.GREEN, figures.RED)


@matplotlib.rc_context(figures.STYLE)
def cumulative_curves(curves: Mapping[str, np.ndarray]) -> Figure:
    """Share of the faces with at most each error, a line a model.

    Args:
        curves: name to shares in [0, 1] at `THRESHOLDS`.
    """
    figure = figures.new_figure(6.4, 3.6)
    axes = figure.subplots()
    for (name, shares), colour in zip(curves.items(), _COLOURS, strict=False):
        axes.plot(THRESHOLDS, 100 * shares, color=colour, label=shorten(name, 40))
    axes.axvline(FAILURE_THRESHOLD, color=figures.GREY, linestyle=":", linewidth=1)
    axes.annotate(
        "failure", (FAILURE_THRESHOLD, 3), (4, 0), textcoords="offset points", fontsize=7.5
    )
    axes.set_xlim(THRESHOLDS[0], THRESHOLDS[-1])
    axes.set_ylim(0, 101)
    axes.set_xlabel("normalised mean error of a face, at most")
    axes.set_ylabel("% of the test faces")
    axes.legend(loc="lower right")
    return figure


@matplotlib.rc_context(figures.STYLE)
def point_error_map(face: np.ndarray, errors: np.ndarray, lines: Sequence[Sequence[int]]) -> Figure:
    """The error of each point as a disc of that radius on the mean face, true to scale.

    Args:
        face: places of the points, float (N, 2), in sizes of the face, y down.
        errors: mean error of each point, in sizes of the face, (N,); NaN where there is none.
        lines: points to be joined.
    """
    figure = figures.new_figure(5.4, 5.0)
    axes = figure.subplots()
    for line in lines:
        axes.plot(*face[list(line)].T, color="#BBBBBB", linewidth=0.8, zorder=1)
    known = ~np.isnan(errors)
    shown = axes.scatter(*face[known].T, c=errors[known], s=14, cmap="viridis", zorder=3)
    for place, radius in zip(face[known], errors[known], strict=True):
        colour = shown.to_rgba(radius)
        axes.add_patch(
            matplotlib.patches.Circle(place, radius, color=colour, alpha=0.35, linewidth=0)
        )
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_axis_off()
    figure.colorbar(shown, ax=axes, shrink=0.7, label="mean error, in sizes of the face")
    return figure
