"""The end of the initialization study: who learned, and what the layers did before they did."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from datasets.core import Splits
from tasks.common import baselines, figures
from tasks.common.initialization.layer_spreads import LayerSpread, WeightChange, from_json
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.seed_intervals import Interval, pooled_intervals
from tasks.common.study import CellResult, StudyRun
from tasks.common.tables import markdown_table, text_table
from tasks.common.wording import MISSING, decimal, percent

COLOURS = {
    "zeros": figures.GREY,
    "small": figures.ORANGE,
    "large": figures.RED,
    "xavier": figures.BLUE,
    "he": figures.GREEN,
}
# What a logarithmic axis shows: smaller values, and 0, lie on its lower edge.
_SMALLEST, _LARGEST = 1e-12, 1e12


@dataclasses.dataclass(frozen=True)
class Group:
    """The cells of one scheme with one activation, one a seed.

    Attributes:
        test, validation: accuracy over the seeds that came to an end; None where none did.
        diverged: seeds whose loss or weights left the numbers.
        before, after: the layers of the first seed; `after` is None where it diverged.
        changes: what training did to the weights of the first seed.
        histories: rows of `metrics.csv` by seed.
    """

    test: Interval | None
    validation: Interval | None
    diverged: int
    before: Sequence[LayerSpread]
    after: Sequence[LayerSpread] | None
    changes: Sequence[WeightChange]
    histories: Sequence[Sequence[Mapping[str, object]]]


Groups = Mapping[tuple[str, str], Group]


def report(study_name: str, run: StudyRun, splits: Splits) -> None:
    """Writes `report.md`, `metrics.json` and the figures; prints the table.

    Args:
        study_name: name of the study.
        run: the study at its end.
        splits: the pictures of one of its cells, for the linear baseline.
    """
    groups = grouped(run.results)
    linear = linear_accuracy(splits)
    table = accuracy_table(groups, linear)
    _write_metrics(study_name, run, groups, linear)
    sections = [
        Section("", f"{markdown_table(*table)}\n\n{_how_measured(run)}"),
        Section("Spread by layer", _SPREAD_TEXT, {"spread_by_layer": spread_chart(groups)}),
        Section("Units that stop the gradient", f"{_blocked_table(groups)}\n\n{_BLOCKED_TEXT}"),
        Section(
            "Outputs of the layers",
            "Bands: the middle half and the middle nine tenths of a layer's outputs, over units "
            "and pictures; line: the median. Each panel has its own scale.",
            {
                "outputs_before_training": outputs_chart(groups, trained=False),
                "outputs_after_training": outputs_chart(groups, trained=True),
            },
        ),
        Section(
            "Learning",
            "Accuracy on validation after each epoch, a line a seed.",
            {"learning_curves": learning_chart(groups)},
        ),
        *_zeros(groups),
        *_failures(run.results),
    ]
    path = write_report(run.folder.report, "First weights of deep stacks", sections)
    print(f"{text_table(*table)}\nReport: {path}")


_SPREAD_TEXT = (
    "Above: standard deviation of a layer's outputs, from the input (left) to the output. Below: "
    "standard deviation of the gradient at its weighted sums, which flows from right to left. "
    "Solid before training, dashed after. What is exactly 0 lies on the lower edge. A line that "
    "rises or falls in a logarithmic chart is a factor in every layer: weights that keep both "
    "lines level let all layers learn at the same pace."
)


_BLOCKED_TEXT = (
    "Share of the hidden outputs at which the activation passes less than a tenth of the gradient "
    "on: a tanh beyond 0.95, a ReLU at 0. A ReLU stops about half of them at any time, other ones "
    "for other pictures; where it is all, the network is dead."
)


def _blocked_table(groups: Groups) -> str:
    rows = [
        (f"{activation}, {scheme}", *map(_blocked, (group.before, group.after)))
        for (activation, scheme), group in groups.items()
    ]
    return markdown_table(("", "before training", "after"), rows)


def _blocked(spreads: Sequence[LayerSpread] | None) -> str:
    if spreads is None:
        return "diverged"
    return percent(float(np.mean([spread.blocked for spread in spreads])))


def grouped(results: Sequence[CellResult]) -> dict[tuple[str, str], Group]:
    """The cells by (activation, scheme); what did not come to an end is left out."""
    cells: dict[tuple[str, str], list[CellResult]] = {}
    for result in results:
        if result.result is not None:
            key = (result.config.activation, result.config.scheme)
            cells.setdefault(key, []).append(result)
    return {key: _group(members) for key, members in cells.items()}


def _group(members: Sequence[CellResult]) -> Group:
    ended = [cell.result["metrics"] for cell in members if cell.result["diverged"] is None]
    before, after, changes = from_json(members[0].result["layers"])
    intervals = [
        # A group by itself: weights that fail spread less, or more, than those that work.
        pooled_intervals({"": [metrics[split]["accuracy"] for metrics in ended]})[""]
        if ended
        else None
        for split in ("test", "validation")
    ]
    return Group(
        *intervals,
        diverged=len(members) - len(ended),
        before=before,
        after=after,
        changes=changes,
        histories=[cell.history for cell in members],
    )


def linear_accuracy(splits: Splits) -> float:
    """Test accuracy of logistic regression on the pixels, in [0, 1]."""
    features, labels = {}, {}
    for name in ("train", "validation", "test"):
        source = getattr(splits, name)
        pictures = [source.example(index)["image"][..., 0] for index in range(len(source))]
        features[name] = np.stack(pictures).reshape(len(source), -1).astype(np.float32)
        labels[name] = np.asarray(source.labels)
    probabilities = baselines.linear(features, labels, len(splits.info.class_names))
    return float(np.mean(probabilities.argmax(axis=1) == labels["test"]))


def accuracy_table(groups: Groups, linear: float) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows: a scheme a row, an activation a column."""
    activations = list(dict.fromkeys(activation for activation, _ in groups))
    schemes = list(dict.fromkeys(scheme for _, scheme in groups))
    rows = [
        (scheme, *(_accuracy(groups.get((activation, scheme))) for activation in activations))
        for scheme in schemes
    ]
    rows.append(("linear classifier on the pixels", *[decimal(linear)] * len(activations)))
    return ("test accuracy", *activations), rows


def _accuracy(group: Group | None) -> str:
    if group is None:
        return MISSING
    parts = []
    if group.test is not None:
        half, seeds = group.test.half_width, len(group.test.values)
        interval = "" if np.isnan(half) else f" ± {half:.3f}"
        parts.append(f"{group.test.mean:.3f}{interval} ({seeds} seed{'s' * (seeds > 1)})")
    if group.diverged:
        parts.append(f"{group.diverged} diverged")
    return ", ".join(parts)


def _how_measured(run: StudyRun) -> str:
    config = run.config
    best = [
        f"{activation} learned best with {scheme} ({percent(interval.mean)})"
        for activation, scheme, interval in _best(grouped(run.results))
    ]
    return (
        "Mean over the seeds with its 95 % interval (Student's). By mean accuracy on validation, "
        f"{' and '.join(best) or 'nothing learned'}. {config.depth} hidden layers of "
        f"{config.width} {'units' if config.layers == 'dense' else 'maps'}, {config.optimizer} "
        f"with a learning rate of {config.learning_rate:g}, {config.epochs} epochs. Diverged: the "
        "loss or the weights left the numbers that a computer has."
    )


def _best(groups: Groups) -> list[tuple[str, str, Interval]]:
    """For each activation the scheme with the highest mean validation accuracy."""
    found = []
    for activation in dict.fromkeys(activation for activation, _ in groups):
        trained = [
            (scheme, group.validation)
            for (other, scheme), group in groups.items()
            if other == activation and group.validation is not None
        ]
        if trained:
            found.append((activation, *max(trained, key=lambda pair: pair[1].mean)))
    return found


def _write_metrics(study_name: str, run: StudyRun, groups: Groups, linear: float) -> None:
    write_metrics(
        run.folder.report,
        study_name,
        {
            f"{activation}, {scheme}": {
                "test": group.test.mean,
                "test_half_width": group.test.half_width,
                "validation": group.validation.mean,
            }
            for (activation, scheme), group in groups.items()
            if group.test is not None and group.validation is not None
        },
        {"linear classifier on the pixels": {"test": linear}},
        run.seconds,
        next(
            (
                result.result["parameters"]
                for result in run.results
                if result.result is not None and "parameters" in result.result
            ),
            0,
        ),
    )


@matplotlib.rc_context(figures.STYLE)
def spread_chart(groups: Groups) -> Figure:
    """Deviation of outputs and of gradients by layer, a line a scheme, a column an activation."""
    activations = list(dict.fromkeys(activation for activation, _ in groups))
    figure = figures.new_figure(1.2 + 4.2 * len(activations), 6.2)
    panels = figure.subplots(2, len(activations), squeeze=False, sharex=True, sharey="row")
    for row, (name, title) in enumerate((("activation", "outputs"), ("gradient", "gradients"))):
        for axes, activation in zip(panels[row], activations, strict=True):
            for (other, scheme), group in groups.items():
                if other == activation:
                    _draw_spread(axes, group, name, scheme)
            axes.set_yscale("log")
            # The style leaves mathematics alone, also that in which Matplotlib writes powers.
            axes.yaxis.set_major_formatter("{x:.0e}")
            axes.set_title(f"{activation}: deviation of the {title}")
    for axes in panels[1]:
        axes.set_xlabel("hidden layer")
    panels[0][-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="first weights")
    return figure


def _draw_spread(axes: Axes, group: Group, name: str, scheme: str) -> None:
    layers = np.arange(1, len(group.before) + 1)
    for spreads, style, label in ((group.before, "-", scheme), (group.after, "--", None)):
        if spreads is not None:
            values = [getattr(spread, name) for spread in spreads]
            shown = np.clip(np.nan_to_num(values, nan=_LARGEST), _SMALLEST, _LARGEST)
            axes.plot(layers, shown, style, color=COLOURS[scheme], marker="o", label=label)


@matplotlib.rc_context(figures.STYLE)
def outputs_chart(groups: Groups, trained: bool) -> Figure:
    """Quantiles of the outputs by layer, a panel a group."""
    activations = list(dict.fromkeys(activation for activation, _ in groups))
    schemes = list(dict.fromkeys(scheme for _, scheme in groups))
    figure = figures.new_figure(0.5 + 2.2 * len(schemes), 0.4 + 2.0 * len(activations))
    panels = figure.subplots(len(activations), len(schemes), squeeze=False)
    for row, activation in enumerate(activations):
        for column, scheme in enumerate(schemes):
            axes, group = panels[row][column], groups.get((activation, scheme))
            axes.set_title(f"{activation}, {scheme}", fontsize=9)
            spreads = None if group is None else group.after if trained else group.before
            if spreads is None:
                axes.text(0.5, 0.5, "diverged", ha="center", transform=axes.transAxes)
                axes.set_xticks([])
                axes.set_yticks([])
            else:
                _draw_bands(axes, spreads, COLOURS[scheme])
    return figure


def _draw_bands(axes: Axes, spreads: Sequence[LayerSpread], colour: str) -> None:
    layers = np.arange(1, len(spreads) + 1)
    low, lower, middle, upper, high = np.array([spread.quantiles for spread in spreads]).T
    axes.fill_between(layers, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.fill_between(layers, lower, upper, color=colour, alpha=0.45, linewidth=0)
    axes.plot(layers, middle, color=colour)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.ticklabel_format(axis="y", scilimits=(-2, 3))


@matplotlib.rc_context(figures.STYLE)
def learning_chart(groups: Groups) -> Figure:
    """Validation accuracy by epoch, a line a seed, a panel an activation."""
    activations = list(dict.fromkeys(activation for activation, _ in groups))
    figure = figures.new_figure(1.2 + 4.2 * len(activations), 3.3)
    panels = figure.subplots(1, len(activations), squeeze=False, sharey=True)[0]
    for axes, activation in zip(panels, activations, strict=True):
        for (other, scheme), group in groups.items():
            if other == activation:
                _draw_curves(axes, group, scheme)
        axes.set_title(activation)
        axes.set_xlabel("epoch")
        axes.set_ylim(0, 1)
    panels[0].set_ylabel("validation accuracy")
    panels[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="first weights")
    return figure


def _draw_curves(axes: Axes, group: Group, scheme: str) -> None:
    for number, history in enumerate(group.histories):
        accuracies = [float(row["val_accuracy"]) for row in history]
        label = scheme if number == 0 else None
        epochs = range(1, len(accuracies) + 1)
        axes.plot(epochs, accuracies, color=COLOURS[scheme], marker="o", alpha=0.7, label=label)


def _zeros(groups: Groups) -> list[Section]:
    """Why zeros do not learn, shown on the weights themselves; empty where they were not tried."""
    if not any(scheme == "zeros" for _, scheme in groups):
        return []
    header = (
        *("", "gradient at hidden weights", "moved: hidden weights", "hidden biases"),
        *("output weights", "output biases", "hidden units that differ"),
    )
    rows = [(f"{key[0]}, {key[1]}", *_movement(group)) for key, group in groups.items()]
    text = (
        "Deviation of the gradient at the hidden weights before training, the largest change of a "
        "weight or bias by training, and how many units of the hidden layers have weights of their "
        "own afterwards. With zeros the weights have no gradient: what a weight gets is the "
        "output before it (0) times the error behind it (0, since the error came back through "
        "weights of 0). All units of a layer are alike, and get alike gradients, so that they "
        "would stay one unit even if they moved. The biases of the output layer alone move, and "
        "learn how frequent each digit is, which needs no picture."
    )
    return [Section("Why zeros do not learn", f"{markdown_table(header, rows)}\n\n{text}")]


def _movement(group: Group) -> tuple[str, ...]:
    *hidden, output = group.changes
    gradient = max(spread.weight_gradient for spread in group.before)
    moved = (
        *(max(getattr(change, name) for change in hidden) for name in ("kernel", "bias")),
        *(output.kernel, output.bias),
    )
    differ = f"{sum(c.distinct_units for c in hidden)} of {sum(c.units for c in hidden)}"
    if group.after is None:
        return (f"{gradient:.1e}", *["diverged"] * 4, MISSING)
    return (f"{gradient:.1e}", *(f"{value:.1e}" for value in moved), differ)


def _failures(results: Sequence[CellResult]) -> list[Section]:
    rows = [(result.name, result.failure) for result in results if result.failure is not None]
    return [Section("Failed cells", markdown_table(("cell", "why"), rows))] if rows else []
