"""Exports of a run, compared with its model on its own examples, and timed beside it."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from datasets.core import DataError, LabelledSource, Splits, Subset
from tasks.common import run_folder, run_splits
from tasks.common.exported_network import ExportedNetwork, other_sizes
from tasks.common.exports import agreement, benchmark, formats, timing, verified
from tasks.common.exports.folded import fold
from tasks.common.saved_run import SavedRun
from tasks.common.tables import text_table
from tasks.common.wording import MISSING, percent

# LiteRT, "Post-training integer quantization", asks for 100 to 500 examples to calibrate on.
CALIBRATION_EXAMPLES = 300
# Below this spread of a probability or a coordinate a model answers all examples nearly alike.
TELLING_SPREAD = 0.05
# Test examples in memory at once: 40 MB of pictures of 224 pixels.
_CHUNK = 8 * benchmark.BATCH_SIZE


@dataclasses.dataclass(frozen=True, eq=False)
class ExportInputs:
    """What exports are calibrated and compared on.

    Attributes:
        calibration: inputs of the model, shape (n, ...), like those it was trained on; None where
            no export needs them.
        compared: inputs of the model, shape (n, ...), n > 0.
        kind: what `compared` shows, in words.
    """

    calibration: np.ndarray | None
    compared: np.ndarray
    kind: str


@dataclasses.dataclass(frozen=True, eq=False)
class BenchmarkExamples:
    """What a benchmark counts right answers on.

    Attributes:
        source: the examples, under the class ids of the model, if it has any.
        kind: what they are, in words.
    """

    source: LabelledSource
    kind: str


def own_splits(saved: SavedRun, quantize: str | None, benchmarked: bool) -> Splits | None:
    """The run's examples; None where they are gone and nothing needs them.

    A comparison is possible without them, on made-up inputs, and standard error says so.

    Raises:
        DataError: the examples are needed, to calibrate or to test on, and cannot be read.
    """
    try:
        return run_splits.load_splits(saved)
    except DataError as error:
        verbs = saved.task.verbs()
        if benchmarked:
            raise DataError(
                f"--benchmark tests on the run's test {verbs.example}s, and they cannot be read: "
                f"{error} Or name other labelled test {verbs.example}s with --data-dir."
            ) from error
        if quantize == "int8":
            raise DataError(
                f"int8 is calibrated on training {verbs.example}s, and those of the run cannot be "
                f"read: {error} Or name a place of similar {verbs.example}s with --data-dir."
            ) from error
        print(
            f"note: compared on {verbs.made_up}, because the run's {verbs.example}s cannot be "
            f"read: {error}",
            file=sys.stderr,
        )
        return None


def own_inputs(saved: SavedRun, splits: Splits | None, calibrate: bool) -> ExportInputs:
    """Training examples to calibrate on, if asked for, and validation examples to compare on."""
    verbs = saved.task.verbs()
    if splits is None:
        return ExportInputs(None, verbs.made_up_arrays(saved)[: verbs.compared], verbs.made_up)
    calibration = None
    if calibrate:
        calibration = verbs.arrays(saved, splits.train, CALIBRATION_EXAMPLES)
    compared = verbs.arrays(saved, splits.validation, verbs.compared)
    return ExportInputs(calibration, compared, f"validation {verbs.example}s")


def outside_inputs(saved: SavedRun, place: Path) -> ExportInputs:
    """Examples of a place that the user names, to calibrate and to compare on.

    Raises:
        DataError: there is no such place, or nothing in it can be read.
    """
    verbs = saved.task.verbs()
    place = place.expanduser()
    inputs = verbs.outside_arrays(saved, place, CALIBRATION_EXAMPLES)
    spread = np.unique(np.linspace(0, len(inputs) - 1, verbs.compared).astype(int))
    return ExportInputs(inputs, inputs[spread], f"{verbs.example}s of {place}")


def outside_test_examples(saved: SavedRun, place: Path) -> BenchmarkExamples:
    """The labelled examples of a place that the user names; its `test` part if it has one.

    Raises:
        DataError: see `Verbs.outside_examples`.
    """
    place = place.expanduser()
    source = saved.task.verbs().outside_examples(saved, place, "test", True)
    return BenchmarkExamples(source, str(place))


def variants(
    names: Sequence[str], quantize: str | None, side_by_side: bool
) -> list[tuple[str, str | None]]:
    """Each format with its quantisation: a format that has not the one asked for stays float32.

    Args:
        names: formats; one named twice counts once.
        quantize: the quantisation asked for, or None.
        side_by_side: write each quantised format in float32 as well.
    """
    found = []
    for name in dict.fromkeys(names):
        able = quantize in formats.FORMATS[name].quantisations
        if side_by_side or not able:
            found.append((name, None))
        if able:
            found.append((name, quantize))
    return found


def export(
    saved: SavedRun,
    network: ExportedNetwork,
    folder: Path,
    wanted: Sequence[tuple[str, str | None]],
    inputs: ExportInputs,
) -> Iterator[verified.ExportRow | agreement.ExportError]:
    """One finished, compared export after another, or the reason why it was not kept.

    Args:
        saved: the run.
        network: of the run.
        folder: where to.
        wanted: see `variants`.
        inputs: to calibrate and compare on.
    """
    verbs = network.verbs
    folded = fold(network.model, inputs.compared)
    if folded.sentence is not None:
        print(folded.sentence, flush=True)
    for name, quantize in wanted:
        any_size = network.any_size(name, quantize)
        try:
            yield verified.export_verified(
                network.served(network.model, any_size),
                network.names,
                folder,
                name,
                inputs.compared,
                output=network.output,
                written=network.served(folded.model, any_size),
                quantize=quantize,
                representative=inputs.calibration,
                resize_picture=verbs.resize_picture and verbs.resize_picture(saved),
                resized=other_sizes(inputs.compared) if any_size else (),
                network=network.name,
                kept=verbs.kept,
            )
        except agreement.ExportError as error:
            yield error


def table(
    saved: SavedRun,
    network: ExportedNetwork,
    rows: Sequence[verified.ExportRow],
    one: np.ndarray | None,
) -> str:
    """The network itself and its exports: file, size, agreement and time for one example.

    Where exports may take pictures of any size, a column says which do.

    Args:
        saved: the run.
        network: of the run.
        rows: its exports.
        one: an input to time the network on, shape (1, ...); None leaves the times out.
    """
    header = ["format", "numbers", "file", "MB", "largest difference", "same class"]
    size = MISSING if network.name else _megabytes(agreement.size_bytes(saved.folder.model))
    file = network.name or saved.folder.model.name
    cells = [["keras", "float32", file, size, MISSING, MISSING]]
    cells += [
        [
            row.format,
            row.quantize or "float32",
            row.path.name,
            _megabytes(row.size_bytes),
            _difference(row.agreement.largest_difference),
            percent(row.agreement.top1_agreement),
        ]
        for row in rows
    ]
    if network.verbs.served is not None:
        header.append("picture")
        height, width = network.model.input_shape[1:3]
        own = f"{width} x {height}"
        sizes = [own, *("any size" if row.any_size else own for row in rows)]
        cells = [[*line, size] for line, size in zip(cells, sizes, strict=True)]
    if one is not None:
        predict = benchmark.compiled(network.model)
        times = [timing.latency(functools.partial(predict, one))]
        times += [row.latency_ms for row in rows]
        header.append(f"ms a {network.verbs.example}")
        cells = [[*line, _digits(time)] for line, time in zip(cells, times, strict=True)]
    return text_table(header, cells)


def _difference(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1e}"


def _megabytes(size: int) -> str:
    """Megabytes of 10^6 bytes."""
    return _digits(size / 1e6)


def _digits(value: float) -> str:
    """A positive number with about three digits that count."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 4
    return f"{value:.{decimals}f}"


def tells_little(rows: Sequence[verified.ExportRow]) -> bool:
    """Whether the model answered the examples so alike that agreement proves nothing."""
    return any(row.agreement.spread < TELLING_SPREAD for row in rows)


def run_benchmark(
    saved: SavedRun,
    network: ExportedNetwork,
    rows: Sequence[verified.ExportRow],
    examples: BenchmarkExamples,
) -> list[benchmark.Result]:
    """A network and its exports, each timed; classifiers tested on every example too."""
    verbs = network.verbs
    labelled = _labelled_batches(saved, examples.source)
    some = verbs.arrays(saved, examples.source, verbs.batch_size)
    entrants = benchmark.contenders(saved.model if network.name is None else network.model, rows)
    counted = labelled if network.output == "probabilities" else None
    return benchmark.measure(entrants, benchmark.batch_of(some, verbs.batch_size), counted)


def _labelled_batches(
    saved: SavedRun, source: LabelledSource
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every example once, in order: batches of inputs of the model and of class ids, int64."""
    for start in range(0, len(source), _CHUNK):
        chunk = Subset(source, np.arange(start, min(start + _CHUNK, len(source))))
        inputs = saved.task.verbs().arrays(saved, chunk, len(chunk))
        labels = np.asarray(chunk.labels)
        for first in range(0, len(chunk), benchmark.BATCH_SIZE):
            part = slice(first, first + benchmark.BATCH_SIZE)
            yield inputs[part], labels[part]


def words_of(saved: SavedRun, examples: BenchmarkExamples) -> benchmark.Words:
    """How the results of a benchmark speak of its examples."""
    verbs = saved.task.verbs()
    return benchmark.Words(verbs.example, examples.kind, len(examples.source), verbs.batch_size)


def write_benchmark(
    saved: SavedRun,
    network: ExportedNetwork,
    folder: Path,
    results: Sequence[benchmark.Result],
    words: benchmark.Words,
) -> list[Path]:
    """Writes `benchmark.json` and `benchmark.md` beside the exports; their places.

    Those of another network have its name: `benchmark_classes.json`.
    """
    machine = run_folder.describe("export", saved.config.seed)
    made = {
        "run": str(saved.folder.path),
        "benchmarked": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        **{key: machine[key] for key in ("command", "processor", "cores", "platform", "python")},
        "packages": machine["packages"],
    }
    document = benchmark.document(results, words, made)
    name = f"benchmark_{network.name}" if network.name else "benchmark"
    texts = {
        f"{name}.json": json.dumps(document, indent=2) + "\n",
        f"{name}.md": benchmark.page(results, words, made),
    }
    for name, text in texts.items():
        run_folder.replace_text(folder / name, text)
    return [folder / name for name in texts]
