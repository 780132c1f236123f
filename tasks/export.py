"""Export the model of a run for serving, and show that each export computes what it computes.

    python -m tasks.export latest
    python -m tasks.export latest --format litert onnx --quantize int8
    python -m tasks.export runs/cars_finetune/first --format saved_model --output ~/served

`saved_model` is for TensorFlow Serving (it takes uint8 pictures or encoded picture files),
`litert` for phones, `onnx` for ONNX Runtime and other tools. Every export holds the class names,
is loaded again in its own runtime and is kept only if it agrees with the model on real pictures.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tasks.common.command_line import guarded, import_tensorflow_quietly
from tasks.common.errors import UserError
from tasks.common.exports import formats


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """Export the model of a run for serving, each export loaded again and compared with it."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """A run folder, the name of a run, or `latest`."""
    format: tuple[Literal["saved_model", "litert", "onnx"], ...] = ("saved_model", "litert", "onnx")
    """The formats to write."""
    quantize: Literal["float16", "dynamic", "int8"] | None = None
    """Store smaller numbers, in the formats that can: half-precision weights; 8-bit weights; 8-bit
    weights and activations, calibrated on training pictures."""
    output: Path | None = None
    """Where to write; `export` in the run folder when not given."""
    data_dir: Path | None = None
    """Any folder of pictures to calibrate and compare on, instead of the run's own."""
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
    if options.output is not None and options.output.exists() and not options.output.is_dir():
        raise UserError(f"--output must be a folder. Received: the file {options.output}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act() -> None:
        options = tyro.cli(ExportOptions, args=arguments, prog="python -m tasks.export")
        check(options)
        import_tensorflow_quietly()
        export(options)

    return guarded(act)


def export(options: ExportOptions) -> None:
    """Writes the formats one after another and prints how they compare.

    Raises:
        UserError: an export does not compute what the model computes; those before it are kept.
    """
    from tasks.common import run_export, run_pictures
    from tasks.common.exports.agreement import ExportError

    saved = run_pictures.open_classifier(options.run, options.runs_dir)
    folder = options.output or saved.folder.exports
    if options.data_dir is None:
        pictures = run_export.own_pictures(saved, calibrate=options.quantize == "int8")
    else:
        pictures = run_export.folder_pictures(saved, options.data_dir)
    names = tuple(dict.fromkeys(options.format))
    print(f"writing {', '.join(names)} to {folder}", flush=True)
    rows, fault = [], None
    try:
        for row in run_export.export(saved, folder, names, options.quantize, pictures):
            rows.append(row)
            print(f"{row.path.name} is written, loaded again and compared", flush=True)
    except ExportError as error:
        fault = error
    print(run_export.table(saved, rows, pictures.compared[:1]))
    if fault is not None:
        raise UserError(str(fault)) from fault
    print(f"compared with the model on {len(pictures.compared)} {pictures.kind}: they agree")
    if run_export.tells_little(rows):
        print(
            "warning: the model answers these pictures nearly alike, so the agreement says "
            "little; compare on others with --data-dir.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
