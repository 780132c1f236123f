"""What a training step costs as the suite does it, and what other ways of doing it would cost.

    python -m benchmarks.step
    python -m benchmarks.step --backbones ResNet50 --parts tail --image-size 224 224

Steps: each case (a network, what trains of it, a batch size, a way of doing it) is timed in a new
process, fed by one batch that lies ready, and ended when it takes too long. The first step, which
traces and compiles, is told apart: what it takes more has to be won back by the later ones.

Start: from the start of the process until the first step is done.

Run: `cars_finetune` from start to report, with the time that goes to the callbacks, and what lies
between its stages.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks import machine, networks, results, step_case, step_results, step_run
from tasks.common.command_line import run_command
from tasks.common.errors import UserError

Part = Literal["full", "tail"]
Variant = Literal["xla", "executions", "no_metrics", "not_deterministic"]
Run = Literal["cache", "no_cache"]

# What differs from the suite's own configuration, of which there is one case as well.
VARIANTS: dict[Variant, dict[str, Any]] = {
    "xla": {"xla": True},
    "executions": {"steps_per_execution": 8},
    "no_metrics": {"metrics": False},
    "not_deterministic": {"deterministic": False},
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Time training steps, their start, and the callbacks of a run."""

    backbones: tuple[str, ...] = (
        *("MobileNetV2", "ResNet50", "VGG16"),
        *("DenseNet121", "EfficientNetB0", "ConvNeXtTiny"),
    )
    """Networks of `keras.applications`, one a family."""
    parts: tuple[Part, ...] = ("full", "tail")
    """`full` trains all layers on pictures, `tail` the last stage on stored features."""
    variants: tuple[Variant, ...] = ("xla", "executions", "no_metrics", "not_deterministic")
    """Tried beside the suite's own step: `executions` are 8 steps a call. Only `xla` is tried at
    every batch size, the others at the first."""
    batch_sizes: tuple[int, ...] = (32, 8)
    """Pictures a step."""
    image_size: tuple[int, int] = (64, 96)
    """Height and width of the pictures that the networks see, in pixels."""
    steps: int = 10
    """Steps timed of each case."""
    case_seconds: float = 240.0
    """A case that takes longer, its start included, is ended and shown as such."""

    runs: tuple[Run, ...] = ("cache", "no_cache")
    """Whole runs of `cars_finetune`, with and without stored features; none after a bare
    `--runs`."""
    run_backbone: str = "MobileNetV2"
    """Network of these runs, with random weights."""
    run_pictures: tuple[int, int, int] = (800, 160, 80)
    """Drawn pictures of these runs, for training, validation and test."""
    run_epochs: tuple[int, int] = (5, 10)
    """Epochs of these runs, with the head alone and with the last stage."""
    run_seconds: float = 900.0
    """A run that takes longer is ended."""

    output: Path = results.DEFAULT_FOLDER
    """Folder for step.json and step.png."""
    quick: bool = False
    """One small network and a few steps: does everything run to the end?"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""
    return run_command(Options, "benchmarks.step", lambda options: run(checked(options)), arguments)


def checked(options: Options) -> Options:
    """The options, tiny where `quick` says so; what does not fit is found before any work.

    Raises:
        UserError: the first fault found.
    """
    if options.quick:
        options = dataclasses.replace(
            options,
            backbones=("MobileNet",),
            parts=("tail",),
            variants=("xla",),
            batch_sizes=(4,),
            image_size=(32, 32),
            steps=2,
            runs=options.runs[:1],
            run_backbone="MobileNet",
            run_pictures=(16, 8, 8),
            run_epochs=(1, 2),
        )
    if not options.parts or not options.batch_sizes:
        raise UserError("--parts and --batch-sizes must have at least one value each.")
    numbers = [("steps", options.steps), *(("batch_sizes", n) for n in options.batch_sizes)]
    numbers += [("run_epochs", epochs) for epochs in options.run_epochs]
    numbers += [("image_size", side) for side in options.image_size]
    for name, value in numbers:
        if value < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1. Received: {value}.")
    for name in ("case_seconds", "run_seconds"):
        if getattr(options, name) <= 0:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be above 0. Received: {getattr(options, name)}.")
    asked = (*options.backbones, options.run_backbone)
    networks.known_names(asked, "--backbones, --run-backbone")
    results.require_writable(options.output)
    return options


def cases(options: Options) -> Iterator[step_case.Case]:
    """Every case, the suite's own before those that are compared with it."""
    for backbone in options.backbones:
        for part in options.parts:
            for batch_size in options.batch_sizes:
                own = step_case.Case(
                    backbone, part, options.image_size, batch_size, step_results.OWN, options.steps
                )
                yield own
                for variant in options.variants:
                    if variant == "xla" or batch_size == options.batch_sizes[0]:
                        yield dataclasses.replace(own, variant=variant, **VARIANTS[variant])


def run(options: Options) -> None:
    """Measures, prints the tables, and writes the results."""
    outcomes = []
    for case in cases(options):
        print(f"{case.backbone} {case.part}, batch {case.batch_size}, {case.variant}", flush=True)
        outcomes.append(step_case.measure(case, options.case_seconds))
    if outcomes:
        print("\n" + step_results.step_table(outcomes), end="\n\n")
        print(step_results.start_table(outcomes), end="\n\n")
    runs: dict[str, step_run.RunTimes] = {}
    faults: dict[str, str] = {}
    for name in options.runs:
        title = name.replace("_", " ")
        print(f"cars_finetune, {title}", flush=True)
        times, faults[name] = time_run(options, name)
        if times is None:
            print(f"run, {title}: {faults[name]}", end="\n\n")
            continue
        runs[name] = times
        print(step_results.run_line(title, times))
        print(step_results.stage_table(times), end="\n\n")
        print(step_results.callback_table(times), end="\n\n")
    document = {
        "machine": machine.describe(),
        "options": dataclasses.asdict(options),
        "steps": [dataclasses.asdict(outcome) for outcome in outcomes],
        "runs": {name: dataclasses.asdict(times) for name, times in runs.items()},
        "run_faults": {name: fault for name, fault in faults.items() if fault},
    }
    results.save("step", options.output, document, step_results.draw(outcomes))


def time_run(options: Options, name: Run) -> tuple[step_run.RunTimes | None, str]:
    """A run of `cars_finetune` in a process and a folder of its own.

    Returns:
        Its times, or None where it did not come to its end, and why it did not.
    """
    with tempfile.TemporaryDirectory(prefix="step-") as place:
        folder = Path(place)
        words = ["-m", "benchmarks.step_run", str(folder / "run.json")]
        words += _words(options, name, folder)
        fault = step_case.run_limited(words, folder / "log.txt", options.run_seconds)
        return (None if fault else step_run.read(folder / "run.json")), fault


def _words(options: Options, name: Run, folder: Path) -> list[str]:
    """The options of the task: stages as for pretrained weights, though the weights are random."""
    from keras_models.backbones import build_backbone

    weights = folder / "random.weights.h5"
    build_backbone(options.run_backbone, options.image_size, None).save_weights(weights)
    words = {
        "backbone": options.run_backbone,
        "weights": weights,
        "head-epochs": options.run_epochs[0],
        "tail-epochs": options.run_epochs[1],
        "runs-dir": folder / "runs",
        "cache-dir": folder / "cache",
    }
    pairs = [word for key, value in words.items() for word in (f"--{key}", str(value))]
    pairs += ["--rendered-count", *map(str, options.run_pictures)]
    pairs += ["--image-size", *map(str, options.image_size)]
    return [*pairs, "--cache" if name == "cache" else "--no-cache"]


if __name__ == "__main__":
    sys.exit(main())
