"""Export the model of a run for serving, and show that each export computes what it computes.

    python -m tasks.export latest
    python -m tasks.export latest --format litert onnx --quantize int8
    python -m tasks.export latest --quantize int8 --benchmark
    python -m tasks.export runs/cars_finetune/first --format saved_model --output ~/served
    python -m tasks.export streets --network classes --format onnx

`saved_model` is for TensorFlow Serving (of a model on pictures it takes uint8 pictures or encoded
picture files), `litert` for phones, `onnx` for ONNX Runtime and other tools. Every export holds the
names of its outputs, such as the classes, is loaded again in its own runtime and is kept only if it
agrees with the model on real examples. Batch normalisation is folded into the layers before it.

Where the answers are maps, exports take pictures of any size and answer at that size; an int8 file
of LiteRT alone takes the size that the network was trained on, and the table says so.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.errors import UserError
from tasks.common.exports import formats
from tasks.common.output_places import require_file, require_folder

if TYPE_CHECKING:
    from tasks.common import run_export
    from tasks.common.exported_network import ExportedNetwork
    from tasks.common.exports import verified
    from tasks.common.saved_run import SavedRun


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """Export the model of a run for serving, each export loaded again and compared with it."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """A run folder, the name of a run, or `latest`."""
    format: tuple[Literal["saved_model", "litert", "onnx"], ...] = ("saved_model", "litert", "onnx")
    """The formats to write."""
    quantize: Literal["float16", "dynamic", "int8"] | None = None
    """Store smaller numbers, in the formats that can: half-precision weights; 8-bit weights; 8-bit
    weights and activations, calibrated on training examples."""
    network: str | None = None
    """Another network of the run than its model: of a run that gives classes at each pixel
    `classes`, the ids of the most probable ones; else as its task says."""
    output: Path | None = None
    """Where to write; `export` in the run folder when not given."""
    data_dir: Path | None = None
    """Other examples to calibrate and compare on than the run's own, labelled or not: of a model on
    pictures any folder of pictures; with --benchmark labelled ones, to test on as well, such as
    class folders named like the model's classes."""
    benchmark: bool = False
    """Then time the model and its exports side by side on this machine and, of a classifier, count
    how many test examples each gets right; with --quantize, each format also as float32. Written
    beside the exports as benchmark.json and benchmark.md."""
    runs_dir: Path = Path("runs")
    """Folder that holds the run folders of all tasks."""


def check(options: ExportOptions) -> None:
    """Finds options that do not fit before any work.

    Raises:
        UserError: the first one found.
    """
    able = [
        name for name, form in formats.FORMATS.items() if options.quantize in form.quantisations
    ]
    if not options.format:
        raise UserError(f"--format needs at least one of {', '.join(formats.FORMATS)}.")
    if options.quantize is not None and not set(able) & set(options.format):
        raise UserError(
            f"--quantize {options.quantize} is possible for --format {' or '.join(able)}. "
            f"Received: --format {' '.join(options.format)}."
        )
    if options.output is not None:
        _check_places(options.output, options, "--output")


def _check_places(folder: Path, options: ExportOptions, named_by: str) -> None:
    """Sees that nothing stands where the folder and the files in it will be.

    Raises:
        UserError: the first place that cannot be written to.
    """
    require_folder(folder, named_by)
    for name in options.format:
        form = formats.FORMATS[name]
        require = require_file if form.suffix else require_folder
        way = options.quantize if options.quantize in form.quantisations else None
        for each in (way, None) if options.benchmark else (way,):
            require(folder / formats.file_name(name, each, options.network), f"--format {name}")
    if options.benchmark:
        for ending in ("json", "md"):
            name = f"benchmark_{options.network}" if options.network else "benchmark"
            require_file(folder / f"{name}.{ending}", "--benchmark")


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act(options: ExportOptions) -> None:
        check(options)
        import_tensorflow_quietly()
        export(options)

    return run_command(ExportOptions, "tasks.export", act, arguments)


def export(options: ExportOptions) -> None:
    """Writes the formats one after another and prints how they compare.

    Raises:
        DataError: examples that are needed cannot be read; nothing is written.
        UserError: an export does not compute what the model computes; the others are kept.
    """
    from tasks.common import exported_network, run_export, saved_run
    from tasks.common.exports.agreement import ExportError

    saved = saved_run.open_run(options.run, options.runs_dir)
    network = exported_network.choose(saved, options.network)
    folder = options.output or saved.folder.exports
    if options.output is None:
        _check_places(folder, options, "the folder of the run's exports")
    inputs, examples = _inputs(saved, options)
    wanted = run_export.variants(options.format, options.quantize, options.benchmark)
    print(f"writing {', '.join(dict.fromkeys(options.format))} to {folder}", flush=True)
    rows, refused = [], []
    for outcome in run_export.export(saved, network, folder, wanted, inputs):
        if isinstance(outcome, ExportError):
            refused.append(str(outcome))
        else:
            rows.append(outcome)
            print(f"{outcome.path.name} is written, loaded again and compared", flush=True)
    one = None if options.benchmark else inputs.compared[:1]
    print(run_export.table(saved, network, rows, one))
    if rows:
        who = "those kept agree" if refused else "they agree"
        sizes = ", in three sizes" if any(row.any_size for row in rows) else ""
        print(f"compared with the model on {len(inputs.compared)} {inputs.kind}{sizes}: {who}")
    if run_export.tells_little(rows):
        print(
            f"warning: the model answers these {saved.task.verbs().example}s nearly alike, so the "
            "agreement says little; compare on others with --data-dir.",
            file=sys.stderr,
        )
    if examples is not None and rows:
        _benchmark(saved, network, folder, rows, examples)
    if refused:
        raise UserError(" ".join(refused))


def _inputs(
    saved: SavedRun, options: ExportOptions
) -> tuple[run_export.ExportInputs, run_export.BenchmarkExamples | None]:
    """What to calibrate and compare on, and for a benchmark what to test on."""
    from tasks.common import run_export

    if options.data_dir is not None:
        inputs = run_export.outside_inputs(saved, options.data_dir)
        if not options.benchmark:
            return inputs, None
        return inputs, run_export.outside_test_examples(saved, options.data_dir)
    splits = run_export.own_splits(saved, options.quantize, options.benchmark)
    inputs = run_export.own_inputs(saved, splits, calibrate=options.quantize == "int8")
    if splits is None or not options.benchmark:
        return inputs, None
    return inputs, run_export.BenchmarkExamples(splits.test, "the run's test split")


def _benchmark(
    saved: SavedRun,
    network: ExportedNetwork,
    folder: Path,
    rows: Sequence[verified.ExportRow],
    examples: run_export.BenchmarkExamples,
) -> None:
    """Measures, shows and writes."""
    from tasks.common import run_export
    from tasks.common.exports import benchmark

    words = run_export.words_of(saved, examples)
    counted = f"{words.examples} {words.example}s of {words.data}"
    print(f"testing and timing on {counted}", flush=True)
    results = run_export.run_benchmark(saved, network, rows, examples)
    print(benchmark.table(results, words))
    print(benchmark.explanation(results, words))
    for path in run_export.write_benchmark(saved, network, folder, results, words):
        print(f"written: {path}")


if __name__ == "__main__":
    sys.exit(main())
