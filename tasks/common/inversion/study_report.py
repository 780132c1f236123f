"""The end of the study: what each layer still knows of the picture, from shallow to deep."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from tasks.common.figures import BLUE, GREEN, GREY, ORANGE, STYLE, new_figure
from tasks.common.inversion import examples
from tasks.common.inversion.cell_report import BASELINES, LINEAR, MEAN_PICTURE
from tasks.common.inversion.config import InvertFeaturesConfig
from tasks.common.inversion.examples import CellExamples
from tasks.common.inversion.measures import EXPLANATIONS
from tasks.common.report import Section, write_metrics, write_report
from tasks.common.study import CellResult, StudyRun
from tasks.common.tables import markdown_table, text_table
from tasks.common.wording import decimal, duration, shorten

# Inches of a picture in the grid.
_SIDE = 1.3

Table = tuple[list[str], list[list[str]]]
"""Header and rows."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """A finished cell with what is shown of it."""

    result: CellResult
    shown: CellExamples

    @property
    def name(self) -> str:
        """The name of the layer in its network."""
        return self.result.config.layer

    def number(self, metric: str, split: str = "test") -> float:
        """A number of the cell's report; NaN where it is not defined."""
        value = self.result.result["metrics"][split][metric]
        return math.nan if value is None else value

    def baseline(self, name: str) -> float:
        """The squared error of a baseline on the test split; NaN where it was left out."""
        return self.result.result["baseline"].get(name, {}).get("squared_error", math.nan)


def report(study_name: str, run: StudyRun, chosen: CellResult) -> None:
    """Writes `report.md`, `metrics.json` and the figures; prints the table.

    Args:
        study_name: of the study.
        run: the study, with at least one finished cell.
        chosen: the cell that the commands on finished runs open.
    """
    layers = [
        Layer(result, examples.read(result.folder))
        for result in run.results
        if result.result is not None
    ]
    _write_metrics(study_name, run, layers)
    table = layer_table(layers)
    title = f"What is left of a picture in {run.config.encoder}"
    path = write_report(run.folder.report, title, _sections(run, layers, table, chosen))
    print(
        f"{text_table(*_short(table))}\n\n{_opened(run, chosen)}\n"
        f"cells {duration(run.seconds['cells'])}\nreport: {path}"
    )


def _write_metrics(study_name: str, run: StudyRun, layers: Sequence[Layer]) -> None:
    write_metrics(
        run.folder.report,
        study_name,
        {
            layer.result.name: {
                "test": layer.number("squared_error"),
                "validation": layer.number("squared_error", "validation"),
                "relative_error": layer.number("relative_error"),
            }
            for layer in layers
        },
        {
            f"{layer.result.name}, {name}": {"test": layer.baseline(name)}
            for layer in layers
            for name in BASELINES
        },
        run.seconds,
        sum(layer.result.result["parameters"] for layer in layers),
    )


def _sections(
    run: StudyRun, layers: Sequence[Layer], table: Table, chosen: CellResult
) -> list[Section]:
    return [
        Section("", _opening(run.config)),
        Section(
            "Error by layer",
            f"{markdown_table(*table)}\n\n{_explanations()}",
            {"error_by_layer": error_chart(layers)},
        ),
        Section(
            "Originals and what was rebuilt of them",
            "Test pictures, one a row; the layers from shallow on the left to deep on the right.",
            {f"rebuilt_seed_{seed}": grid for seed, grid in _grids(layers).items()},
        ),
        Section("Best and worst pictures", _links(layers)),
        Section("Try a layer", _try_it(run, chosen)),
        *_failures(run),
    ]


def layer_table(layers: Sequence[Layer]) -> Table:
    """Header and rows: a layer a row."""
    header = ["layer", "features", "numbers", "decoder's weights", "rebuilt"]
    header += ["validation error", "test error (95 % interval)", "relative error", *BASELINES]
    rows = []
    for layer in layers:
        shape = layer.shown.feature_shape
        low, high = (layer.number(f"squared_error_{end}") for end in ("low", "high"))
        rows.append(
            [
                _titled(layer, layers),
                " x ".join(map(str, shape)),
                f"{math.prod(shape):,}",
                f"{layer.shown.decoder_weights:,}",
                " x ".join(map(str, layer.shown.rebuilt.shape[1:3])),
                decimal(layer.number("squared_error", "validation")),
                f"{decimal(layer.number('squared_error'))} ({decimal(low)} to {decimal(high)})",
                decimal(layer.number("relative_error")),
                *(decimal(layer.baseline(name)) for name in BASELINES),
            ]
        )
    return header, rows


def _short(table: Table) -> Table:
    """The columns that fit on a terminal."""
    header, rows = table
    kept = [header.index(name) for name in ("layer", "features", "validation error")]
    kept += [header.index(name) for name in header if name.startswith("test error")]
    kept += [header.index(name) for name in (LINEAR, MEAN_PICTURE)]
    return [header[k] for k in kept], [[row[k] for k in kept] for row in rows]


def _titled(layer: Layer, layers: Sequence[Layer]) -> str:
    seeds = {other.result.config.seed for other in layers}
    return layer.name if len(seeds) == 1 else f"{layer.name}, seed {layer.result.config.seed}"


@matplotlib.rc_context(STYLE)
def error_chart(layers: Sequence[Layer]) -> Figure:
    """Test error over the layers, beside a linear decoder and the mean picture; a line a seed."""
    names = list(dict.fromkeys(layer.name for layer in layers))
    figure = new_figure(1.6 + 1.3 * max(4, len(names)), 3.6)
    axes = figure.subplots()
    seeds = list(dict.fromkeys(layer.result.config.seed for layer in layers))
    for number, seed in enumerate(seeds):
        own = [layer for layer in layers if layer.result.config.seed == seed]
        places = [names.index(layer.name) for layer in own]
        label = dict.fromkeys(("decoder", LINEAR, MEAN_PICTURE))
        if number == 0:
            label = {name: name for name in label}
        for name, colour, mark in ((LINEAR, ORANGE, "s"), (MEAN_PICTURE, GREY, ".")):
            values = [layer.baseline(name) for layer in own]
            axes.plot(places, values, color=colour, marker=mark, linestyle="--", label=label[name])
        values = np.array([layer.number("squared_error") for layer in own])
        ends = np.array(
            [[layer.number(f"squared_error_{end}") for end in ("low", "high")] for layer in own]
        )
        whiskers = np.abs(ends.T - values)
        axes.errorbar(
            places,
            values,
            whiskers,
            color=BLUE,
            ecolor=GREEN,
            capsize=3,
            marker="o",
            label=label["decoder"],
        )
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                f"{value:.3f}", (place, value), (6, -11), textcoords="offset points", fontsize=8
            )
    axes.set_xticks(range(len(names)), [shorten(name, 22) for name in names])
    axes.set_xlim(-0.4, len(names) - 0.4)
    axes.set_ylim(0, None)
    axes.set_title("squared error on test, lower is better")
    axes.set_xlabel("layer, from shallow to deep")
    axes.legend(loc="best")
    return figure


def _grids(layers: Sequence[Layer]) -> dict[int, Figure]:
    """A grid for each seed: originals, then what each layer gives."""
    grids = {}
    for seed in dict.fromkeys(layer.result.config.seed for layer in layers):
        own = [layer for layer in layers if layer.result.config.seed == seed]
        # The finest of the originals, where layers rebuild pictures of different sizes.
        originals = max((layer.shown.originals for layer in own), key=lambda one: one.shape[1])
        rows = [
            [originals[k], *(layer.shown.rebuilt[k] for layer in own)]
            for k in range(len(originals))
        ]
        grids[seed] = _grid(rows, ["original", *(layer.name for layer in own)])
    return grids


@matplotlib.rc_context(STYLE)
def _grid(rows: Sequence[Sequence[np.ndarray]], headings: Sequence[str]) -> Figure:
    """Pictures side by side, as small as they can still be compared: there may be many."""
    height, width = rows[0][0].shape[:2]
    figure = new_figure(_SIDE * len(headings), _SIDE * height / width * len(rows) + 0.2)
    cells = figure.subplots(len(rows), len(headings), squeeze=False)
    for axes in cells.ravel():
        axes.set_axis_off()
    for line, row in zip(cells, rows, strict=True):
        for axes, picture in zip(line, row, strict=True):
            axes.imshow(picture, interpolation="nearest", aspect="auto")
    for axes, heading in zip(cells[0], headings, strict=True):
        axes.set_title(shorten(heading, 18), fontsize=7, loc="center")
    return figure


def _opening(config: InvertFeaturesConfig) -> str:
    if config.weights == "none":
        said = (
            "The encoder has random weights: what is lost here, its layout alone loses, by "
            "strides, pooling and few numbers. A trained one also drops what its task does not "
            "need."
        )
    else:
        said = "The encoder is trained, and nothing of it was changed."
    return (
        f"{said} Each decoder sees the features of one layer and was trained to give the picture; "
        "where several pictures share their features, the best it can give is their mean, which "
        "is why deep layers come out blurred."
    )


def _explanations() -> str:
    lines = [f"- {name.replace('_', ' ')}: {text}" for name, text in EXPLANATIONS.items()]
    lines.append(
        "- linear decoder: ridge regression from the features at a place, and around it where they "
        "are few, to the patch of the picture there; from a vector to the whole picture"
    )
    return "\n".join(lines)


def _links(layers: Sequence[Layer]) -> str:
    lines = [
        f"- {_titled(layer, layers)}: ../cells/{layer.result.name}/report/report.md"
        for layer in layers
    ]
    return "\n".join(["They stand in the reports of the cells:", "", *lines])


def _opened(run: StudyRun, chosen: CellResult) -> str:
    """Which layer the name of the study stands for, and how to have another one."""
    return (
        f"The commands on finished runs open `{chosen.name}`, the layer of least error on "
        f"validation, the shallowest as a rule; name another as `{run.folder.cells}/NAME`."
    )


def _try_it(run: StudyRun, chosen: CellResult) -> str:
    cells = "\n".join(
        f"python -m tasks.predict {result.folder.path} picture.jpg --pictures out"
        for result in run.results
        if result.result is not None
    )
    return f"{_opened(run, chosen)}\n\n```\n{cells}\n```"


def _failures(run: StudyRun) -> list[Section]:
    failed = [(result.name, result.failure) for result in run.results if result.failure]
    if not failed:
        return []
    return [Section("Cells that failed", markdown_table(("cell", "why"), failed))]
