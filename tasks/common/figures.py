"""Figures that the reports of all tasks share, in one style, drawn without a display.

Every function returns a `matplotlib.figure.Figure` that belongs to no global state; `save` writes
it. Names from outside are shortened, and never read as formulas.
"""

from __future__ import annotations

import io
import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from PIL import Image

from tasks.common.wording import one_line, shorten

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.dpi": 120,
    "font.size": 9,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
    "text.parse_math": False,
}

# A report lies in a run folder: each figure stays quick to load. Sixteen photographs beside their
# maps are 0.8 MB in 256 colours; a smaller limit would take colours that maps are read by.
PNG_BYTES = 1_000_000


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches, with a canvas that needs no display."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


@matplotlib.rc_context(STYLE)
def save(figure: Figure, path: Path) -> None:
    """Writes a PNG, with fewer colours (not below 16) where it would exceed `PNG_BYTES`.

    Raises:
        OSError: the file cannot be written.
    """
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        # A class name in a script that the font lacks is drawn as boxes, which is message enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # Tight: labels beside a square picture can lie past the edge that the layout planned for.
        figure.savefig(drawn, format="png", bbox_inches="tight", metadata={"Software": None})
    path.write_bytes(_within_limit(drawn.getvalue()))


def _within_limit(png: bytes) -> bytes:
    """The same picture with 256, 64 or 16 dithered colours, the first that keeps to the limit."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colors in (256, 64, 16):
        if len(png) < PNG_BYTES:
            break
        smaller = io.BytesIO()
        # Pillow dithers, which keeps skies and paint from showing bands, to a given palette only.
        palette = picture.quantize(colors, method=Image.Quantize.MAXCOVERAGE)
        reduced = picture.quantize(palette=palette)
        reduced.save(smaller, format="png", optimize=True)
        png = smaller.getvalue()
    return png


@matplotlib.rc_context(STYLE)
def learning_curves(
    history: Sequence[Mapping[str, object]],
    metric: str = "accuracy",
    monitor: str = "val_accuracy",
    mode: str = "max",
) -> Figure:
    """Loss, metric and learning rate over the epochs, with the stages and the best epoch.

    Args:
        history: the rows of `metrics.csv`, one an epoch, in order; the columns used are `stage`,
            `loss`, `val_loss`, `metric`, `val_` + `metric` and those that begin with
            `learning_rate`. A column, or a value in it, may be missing.
        metric: what the middle panel shows.
        monitor: the column that decides which epoch is the best.
        mode: "max" or "min": which value of `monitor` is the best.

    Raises:
        ValueError: `history` is empty or `mode` is unknown.
    """
    if not history:
        raise ValueError(f"history must have at least one row. Received: {history=}")
    if mode not in ("max", "min"):
        raise ValueError(f'mode must be "max" or "min". Received: {mode=}')
    figure = new_figure(10.5, 3.3)
    panels = figure.subplots(1, 3)
    best = _best_epoch(_column(history, monitor), _column(history, "val_loss"), mode)
    for axes, name in zip(panels, ("loss", metric), strict=False):
        _draw_pair(axes, history, name, best)
    _draw_learning_rates(panels[2], history)
    stages = [one_line(str(row.get("stage") or "")) for row in history]
    for axes in panels:
        # Named once: in the middle, where a rising metric leaves the lower edge free.
        _mark_stages(axes, stages, named=axes is panels[1])
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, len(history) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _column(history: Sequence[Mapping[str, object]], name: str) -> np.ndarray:
    """One column as float64, shape (epochs,); NaN where it is missing or empty."""
    values = [row.get(name) for row in history]
    return np.array([math.nan if value in (None, "") else float(value) for value in values])


def _best_epoch(values: np.ndarray, losses: np.ndarray, mode: str) -> int | None:
    """The epoch, from 1, with the best finite value; of several the one with the least loss."""
    if not np.isfinite(values).any():
        return None
    finite = values[np.isfinite(values)]
    best = finite.max() if mode == "max" else finite.min()
    candidates = np.flatnonzero(values == best)
    return 1 + int(min(candidates, key=lambda epoch: np.nan_to_num(losses[epoch], nan=np.inf)))


def _draw_pair(axes: Axes, history: Sequence[Mapping], name: str, best: int | None) -> None:
    epochs = np.arange(1, len(history) + 1)
    validation = _column(history, f"val_{name}")
    axes.plot(epochs, _column(history, name), color=BLUE, marker="o", label="train")
    axes.plot(epochs, validation, color=ORANGE, marker="s", label="validation")
    if best is not None and np.isfinite(validation[best - 1]):
        label = f"best: epoch {best}, {validation[best - 1]:.3f}"
        axes.plot(
            *(best, validation[best - 1]), "*", markersize=13, color=RED, label=label, zorder=3
        )
    axes.set_title(name.replace("_", " "))
    axes.legend()


def _draw_learning_rates(axes: Axes, history: Sequence[Mapping]) -> None:
    names = dict.fromkeys(n for row in history for n in row if n.startswith("learning_rate"))
    epochs = np.arange(1, len(history) + 1)
    for name, color in zip(names, itertools.cycle((GREEN, BLUE, ORANGE, RED, GREY, "black"))):
        label = one_line(name.removeprefix("learning_rate").replace("_", " ").strip(" /:."))
        rates = _column(history, name)
        # A schedule may end at exactly 0, which a logarithmic axis has no place for.
        shown = np.where(rates > 0, rates, np.nan)
        axes.plot(epochs, shown, color=color, marker="o", label=label or "all that trains")
    rates = [rate for name in names for rate in _column(history, name) if rate > 0]
    if rates:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:.0e}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    if len(names) > 1:
        axes.legend()
    axes.set_title("learning rate")


def _mark_stages(axes: Axes, stages: list[str], named: bool) -> None:
    """A line wherever the stage changes and, where wanted, each stage's name beside its start."""
    starts = [i for i in range(len(stages)) if i == 0 or stages[i] != stages[i - 1]]
    if len(starts) < 2:
        return
    for number, start in enumerate(starts):
        if number > 0:
            axes.axvline(start + 0.5, color=GREY, linestyle=":", linewidth=1)
        if named:
            axes.annotate(
                shorten(stages[start], 24),
                (start + 0.5, 0),
                (3, 5),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                rotation=90,
                color="black",
                fontsize=7.5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
            )


@matplotlib.rc_context(STYLE)
def picture_grid(images: Sequence[np.ndarray], captions: Sequence[str], columns: int = 4) -> Figure:
    """Pictures side by side, each with its caption of one or more lines above it.

    Args:
        images: uint8, each of its own shape (height, width, 3) or (height, width), RGB or grey.
        captions: one text per picture; each of its lines is shortened to the picture's width.
        columns: pictures in a row.

    Raises:
        ValueError: there is no picture, or not one caption for each.
    """
    if not images or len(images) != len(captions):
        raise ValueError(
            "images and captions must be equally many and at least one. "
            f"Received: {len(images)} images, {len(captions)} captions"
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(2.05 * columns, 2.0 * rows)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
        axes.set_anchor("N")
    for axes, image, caption in zip(cells, images, captions, strict=False):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        lines = [shorten(line, 34) for line in caption.splitlines()]
        axes.set_title("\n".join(lines), fontsize=7, fontweight="normal")
    return figure


@matplotlib.rc_context(STYLE)
def metric_bars(
    values: Mapping[str, float],
    label: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """One horizontal bar per name, in the order given, the first one set off by its colour.

    Args:
        values: the bars: name to a finite number of at least 0.
        label: what the numbers are, with their unit.
        intervals: the lower and upper end of an uncertainty, for the names that have one.

    Raises:
        ValueError: `values` is empty or holds a number that is negative or not finite.
    """
    if not values or not all(math.isfinite(v) and v >= 0 for v in values.values()):
        raise ValueError(f"values must be finite and at least 0. Received: {values=}")
    figure = new_figure(7.0, 0.9 + 0.4 * len(values))
    axes = figure.subplots()
    colors = [BLUE] + ["#9FB8C8"] * (len(values) - 1)
    names = [shorten(name, 40) for name in values]
    axes.barh(range(len(values)), list(values.values()), color=colors, height=0.65)
    ends = list(values.values())
    for row, name in enumerate(values):
        if intervals and name in intervals:
            axes.plot(intervals[name], [row, row], color="black", linewidth=1.2, marker="|")
            ends[row] = max(ends[row], intervals[name][1])
    for row, (value, end) in enumerate(zip(values.values(), ends, strict=True)):
        axes.annotate(f"{value:.3f}", (end, row), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(values)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(ends) or 1)
    axes.set_xlabel(label)
    axes.grid(False, axis="y")
    return figure
