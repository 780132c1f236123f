"""Figures of a search for a support vector machine, and of the features it divides."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from tasks.common.figures import RED, STYLE, new_figure
from tasks.common.wording import shorten

# Pictures that t-SNE lays out: it takes minutes for many more, and the points would overlap.
LAID_OUT = 1000
# Classes that a legend can name, and that have colours of their own.
NAMED_CLASSES = 20
# van der Maaten & Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008, section 2: typical values
# of the perplexity are between 5 and 50.
PERPLEXITY = 30.0


@matplotlib.rc_context(STYLE)
def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    axes_titles: tuple[str, str],
    chosen: tuple[int, int],
) -> Figure:
    """A table of shares as shades, with the numbers in the cells and a frame around the chosen.

    Args:
        values: in [0, 1] or NaN, float, shape (rows, columns).
        rows: the names of the rows.
        columns: the names of the columns.
        axes_titles: what the rows are, and what the columns are.
        chosen: row and column of the cell with the frame.

    Raises:
        ValueError: the shapes do not fit.
    """
    if values.shape != (len(rows), len(columns)) or not values.size:
        raise ValueError(
            "values must have a row for each name. "
            f"Received: {values.shape=}, {len(rows)} rows, {len(columns)} columns"
        )
    figure = new_figure(2.4 + 0.75 * len(columns), 1.5 + 0.45 * len(rows))
    axes = figure.subplots()
    shades = matplotlib.colormaps["Blues"].with_extremes(bad="#DDDDDD")
    image = axes.imshow(values, cmap=shades, aspect="auto", interpolation="nearest")
    figure.colorbar(image, ax=axes).set_label("accuracy")
    known = values[np.isfinite(values)]
    middle = (known.min() + known.max()) / 2 if known.size else np.inf
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        color = "white" if value > middle else "black"
        axes.text(column, row, f"{value:.3f}", color=color, ha="center", va="center")
    frame = (chosen[1] - 0.5, chosen[0] - 0.5)
    axes.add_patch(matplotlib.patches.Rectangle(frame, 1, 1, fill=False, color=RED, linewidth=2.5))
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_ylabel(axes_titles[0])
    axes.set_xlabel(axes_titles[1])
    axes.grid(False)
    return figure


@matplotlib.rc_context(STYLE)
def feature_map(
    features: np.ndarray,
    labels: np.ndarray,
    wrong: np.ndarray,
    class_names: Sequence[str],
    seed: int,
) -> Figure:
    """The features in two dimensions: their principal axes, and t-SNE beside it.

    Args:
        features: float, shape (n, dimensions).
        labels: class ids, int, shape (n,).
        wrong: whether the machine errs, bool, shape (n,); marked with a cross.
        class_names: one name per class id.
        seed: decides which pictures are shown, and where t-SNE starts.
    """
    shown = np.arange(len(features))
    if len(shown) > LAID_OUT:
        shown = np.sort(np.random.default_rng(seed).choice(shown, LAID_OUT, replace=False))
    figure = new_figure(11.0, 4.6)
    panels = figure.subplots(1, 2)
    drawn = zip(panels, _layouts(features[shown], seed).items(), strict=True)
    for axes, (title, places) in drawn:
        _scatter(axes, places, labels[shown], wrong[shown], class_names)
        axes.set_title(title)
    if len(class_names) <= NAMED_CLASSES:
        panels[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
    return figure


def _layouts(features: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Places in the plane by the name of the method, each float (n, 2)."""
    scaled = StandardScaler().fit_transform(features.astype(np.float32))
    # A column of zeros where there is one feature, or one picture, alone.
    scaled = np.pad(scaled, [(0, max(0, 2 - len(scaled))), (0, max(0, 2 - scaled.shape[1]))])
    components = min(50, *scaled.shape)
    perplexity = min(PERPLEXITY, (len(scaled) - 1) / 3)
    with warnings.catch_warnings():
        # Points that all lie in one place, as dead features leave them, have no variance.
        warnings.simplefilter("ignore", RuntimeWarning)
        reduced = PCA(components, random_state=seed).fit_transform(scaled)
        places = TSNE(2, perplexity=perplexity, init="random", random_state=seed).fit_transform(
            reduced
        )
    return {"principal axes": reduced[: len(features), :2], "t-SNE": places[: len(features)]}


def _scatter(
    axes: Axes,
    places: np.ndarray,
    labels: np.ndarray,
    wrong: np.ndarray,
    class_names: Sequence[str],
) -> None:
    palette = matplotlib.colormaps["tab20"]
    for class_id in np.unique(labels):
        here = labels == class_id
        axes.scatter(
            *places[here].T,
            s=9,
            color=palette(class_id % NAMED_CLASSES),
            label=shorten(class_names[class_id], 30),
        )
    axes.scatter(*places[wrong].T, s=26, marker="x", color="black", linewidths=0.7, label="wrong")
    axes.set_xticks([])
    axes.set_yticks([])
