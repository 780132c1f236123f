"""Exports of well-known networks, folded and not: latency and throughput of every runtime.

    python -m benchmarks.export
    python -m benchmarks.export --backbones ResNet50 --image-size 160

Each network has random weights, which take as long as trained ones, and a process of its own. In
it Keras, SavedModel, LiteRT and ONNX Runtime, in float32 and int8, with batch normalisation folded
into the layers before it and not, take turns, so that load on the machine slows all alike. What
they are right in is no matter here: see `python -m tasks.export RUN --benchmark`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine, results, timed_process
from benchmarks.export_backbone import FULL, QUICK
from benchmarks.networks import known_names
from datasets.rendered import cars
from tasks.common.command_line import run_command
from tasks.common.errors import UserError
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES = (("latency_ms", "ms a picture"), ("throughput", "pictures a second"))
_HEADER = (
    "network",
    "runtime",
    "numbers",
    "MB",
    "ms a picture",
    "folded",
    "95 % within",
    "folded",
    "pictures a second",
    "folded",
)


@dataclasses.dataclass(frozen=True)
class ExportBenchmarkOptions:
    """Latency and throughput of exported networks in every runtime, folded and not."""

    backbones: tuple[str, ...] = ("MobileNetV2", "ResNet50", "EfficientNetB0", "DenseNet121")
    """Networks of `keras.applications`."""
    image_size: int = 224
    """Side of the pictures, in pixels."""
    output: Path = results.DEFAULT_FOLDER
    """Folder for export.json and export.png."""
    quick: bool = False
    """Seconds instead of minutes: everything tiny, so the numbers mean nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""
    return run_command(
        ExportBenchmarkOptions,
        "benchmarks.export",
        lambda options: run(checked(options)),
        arguments,
    )


def checked(options: ExportBenchmarkOptions) -> ExportBenchmarkOptions:
    """The options, tiny where `quick` says so; what does not fit is found before any work.

    Raises:
        UserError: the first fault found.
    """
    if options.quick:
        options = dataclasses.replace(options, backbones=options.backbones[:1], image_size=32)
    if not options.backbones:
        raise UserError("--backbones must name a network. Received none.")
    if not cars.SMALLEST_SIDE <= options.image_size <= cars.LARGEST_SIDE:
        raise UserError(
            f"--image-size must be from {cars.SMALLEST_SIDE} to {cars.LARGEST_SIDE}. "
            f"Received: {options.image_size}."
        )
    names = known_names(options.backbones, "--backbones")
    results.require_writable(options.output)
    return dataclasses.replace(options, backbones=names)


def run(options: ExportBenchmarkOptions) -> None:
    """Measures each network, prints the table, and writes the results."""
    networks = []
    for backbone in options.backbones:
        print(f"measuring {backbone}", flush=True)
        networks.append(measure_apart(backbone, options))
    print(table(networks))
    for network in networks:
        if network.get("folding") is not None:
            print(f"{network['backbone']}: {network['folding']}")
    document = {
        "machine": machine.describe(),
        "options": dataclasses.asdict(options),
        "amount": dataclasses.asdict(QUICK if options.quick else FULL),
        "networks": networks,
    }
    results.save("export", options.output, document, draw(networks))


def measure_apart(backbone: str, options: ExportBenchmarkOptions) -> dict:
    """What `export_backbone.measure` returns, from a process of its own.

    Returns:
        The same; where the process failed, `backbone`, `fault`, why, and no `rows`.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-export-") as name:
        result, log = Path(name) / "result.json", Path(name) / "log.txt"
        words = (
            *("-m", "benchmarks.export_backbone", "--backbone", backbone),
            *("--image-size", str(options.image_size), "--result", str(result)),
            *(("--quick",) if options.quick else ()),
        )
        try:
            timed_process.run(words, log)
        except UserError as error:
            print(error, file=sys.stderr)
            fault = timed_process.last_line(log) or str(error)
            return {"backbone": backbone, "fault": fault, "rows": []}
        return json.loads(result.read_text(encoding="utf-8"))


def pairs(network: Mapping) -> Iterator[tuple[Mapping, Mapping]]:
    """The rows of one network that differ in folding alone: without it, and with it."""
    folded = {(row["runtime"], row["numbers"]): row for row in network["rows"] if row["folded"]}
    for row in network["rows"]:
        if not row["folded"]:
            yield row, folded[row["runtime"], row["numbers"]]


def table(networks: Sequence[Mapping]) -> str:
    """One row a network, runtime and kind of numbers; a failure is a row as well."""
    rows = []
    for network in networks:
        if network.get("fault") is not None:
            rows.append(_failed(network["backbone"], "failed", "", network["fault"]))
        for plain, folded in pairs(network):
            names = network["backbone"], plain["runtime"], plain["numbers"]
            fault = plain["fault"] or folded["fault"]
            rows.append(_failed(*names, fault) if fault else [*names, *_numbers(plain, folded)])
    return text_table(_HEADER, rows)


def _failed(backbone: str, runtime: str, numbers: str, fault: str) -> list[str]:
    cells = [backbone, runtime, numbers, shorten(fault, 40)]
    return cells + [MISSING] * (len(_HEADER) - len(cells))


def _numbers(plain: Mapping, folded: Mapping) -> list[str]:
    size = folded["megabytes"]
    cells = [MISSING if size is None else f"{size:.1f}"]
    for key, digits in (("latency_ms", 1), ("latency_p95_ms", 1), ("throughput", 0)):
        cells += [f"{row[key]:.{digits}f}" for row in (plain, folded)]
    return cells


def ways(networks: Sequence[Mapping]) -> list[tuple[str, str]]:
    """Runtime and numbers of every row of any network, each once, in the order of the rows."""
    rows = [row for network in networks for row in network["rows"]]
    return list(dict.fromkeys((row["runtime"], row["numbers"]) for row in rows))


def draw(networks: Sequence[Mapping]) -> Figure:
    """A column of panels a network: time for one picture above, pictures a second below."""
    import matplotlib
    from matplotlib.patches import Patch

    from tasks.common import figures

    places = ways(networks)
    colors = {False: "#9FB8C8", True: figures.BLUE}
    with matplotlib.rc_context(figures.STYLE):
        figure = figures.new_figure(2.0 + 2.4 * len(networks), 5.6)
        panels = figure.subplots(2, len(networks), squeeze=False, sharey=True)
        for row, (key, unit) in zip(panels, MEASURES, strict=True):
            for axes, network in zip(row, networks, strict=True):
                _draw_bars(axes, network["rows"], key, places, colors)
                axes.set_title(network["backbone"])
                axes.set_xlabel(unit if network["rows"] else "failed")
        panels[0, 0].invert_yaxis()
        names = {False: "as trained", True: "folded"}
        handles = [Patch(color=colors[key], label=name) for key, name in names.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _draw_bars(
    axes: Axes, rows: Sequence[Mapping], key: str, places: Sequence, colors: Mapping[bool, str]
) -> None:
    """A pair of bars for each way to run the network, without and with folding."""
    for row in rows:
        if row["fault"] is None:
            place = places.index((row["runtime"], row["numbers"]))
            place += 0.2 if row["folded"] else -0.2
            axes.barh(place, row[key], height=0.36, color=colors[row["folded"]])
    axes.set_yticks(range(len(places)), [" ".join(name) for name in places])
    axes.grid(False, axis="y")


if __name__ == "__main__":
    sys.exit(main())
