"""Classify pictures with the model of a run: files, and folders of any size.

    python -m tasks.predict latest car.jpg
    python -m tasks.predict latest holiday_pictures --top 1 --json answers.jsonl
    python -m tasks.predict first one.png two.jpg --csv answers.csv --pictures annotated

`--json` writes a line a picture as soon as it is classified; `--csv` has the probability of every
class; `--pictures` takes copies with the classes written below them. Pictures that cannot be read
are named and counted, and do not stop the rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from tasks.common.command_line import guarded, import_tensorflow_quietly
from tasks.common.errors import Interrupted, UserError


@dataclasses.dataclass(frozen=True)
class PredictOptions:
    """Classify pictures with the model of a run: files, and folders of any size."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """A run folder, the name of a run, or `latest`."""
    paths: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="PICTURES")]
    """Picture files, and folders, which are searched to the bottom."""
    top: int = 3
    """So many of the most probable classes are shown."""
    json: Path | None = None
    """File for the answers, one JSON object a line; ends in .json or .jsonl."""
    csv: Path | None = None
    """File for the probabilities of all classes; ends in .csv."""
    pictures: Path | None = None
    """Folder for copies of the pictures with the classes written below them."""
    batch_size: int = 32
    """Pictures classified at once."""
    runs_dir: Path = Path("runs")
    """Folder that holds the run folders of all tasks."""


def check(options: PredictOptions) -> None:
    """Finds options that do not fit before any work.

    Raises:
        UserError: the first one found.
    """
    from tasks.common.found_pictures import require_apart

    if not options.paths:
        raise UserError("Name at least one picture or folder after the run.")
    for name in ("top", "batch_size"):
        if getattr(options, name) < 1:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be at least 1. Received: {getattr(options, name)}.")
    # Also keeps `--json *.jpg` from writing over the first picture.
    for path, endings in ((options.json, (".json", ".jsonl")), (options.csv, (".csv",))):
        if path is not None and path.suffix.lower() not in endings:
            raise UserError(
                f"--{endings[0][1:]} must name a file that ends in {' or '.join(endings)}. "
                f"Received: {path}."
            )
    if options.pictures is not None:
        if options.pictures.exists() and not options.pictures.is_dir():
            raise UserError(f"--pictures must be a folder. Received: the file {options.pictures}.")
        require_apart(options.pictures, options.paths)


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act() -> None:
        options = tyro.cli(PredictOptions, args=arguments, prog="python -m tasks.predict")
        check(options)
        import_tensorflow_quietly()
        predict(options)

    return guarded(act)


def predict(options: PredictOptions) -> None:
    """Classifies picture after picture and hands each answer to everything that was asked for.

    Raises:
        UserError: no picture was found, or none could be read.
        Interrupted: the user stopped it.
    """
    from tasks.common import prediction, prediction_files, run_pictures
    from tasks.common.found_pictures import find_pictures

    saved = run_pictures.open_classifier(options.run, options.runs_dir)
    names = saved.class_names
    counts = {"read": 0, "unreadable": 0}
    with contextlib.ExitStack() as stack:
        writers = [prediction_files.terminal(names, min(options.top, len(names)))]
        if options.json is not None:
            file = prediction_files.json_lines(options.json, names, options.top)
            writers.append(stack.enter_context(file))
        if options.csv is not None:
            writers.append(stack.enter_context(prediction_files.csv_table(options.csv, names)))
        if options.pictures is not None:
            writers.append(prediction_files.annotated_copies(options.pictures, names, options.top))
        found = find_pictures(options.paths)
        try:
            for answer in prediction.answers(saved, found, options.batch_size):
                counts["read" if answer.error is None else "unreadable"] += 1
                for write in writers:
                    write(answer)
        except KeyboardInterrupt:
            done = sum(counts.values())
            raise Interrupted(
                f"\nStopped after {done} pictures; their answers are written."
            ) from None
    _conclude(options, **counts)


def _conclude(options: PredictOptions, read: int, unreadable: int) -> None:
    if read + unreadable == 0:
        raise UserError(
            f"There is no picture in {', '.join(map(str, options.paths))}: name picture files, or "
            "folders that hold some."
        )
    if read == 0:
        raise UserError(
            f"None of {unreadable} pictures could be read; the lines above say why."
            if unreadable > 1
            else "The picture could not be read; the line above says why."
        )
    written = [place for place in (options.json, options.csv, options.pictures) if place]
    left_out = f", {unreadable} could not be read" if unreadable else ""
    print(f"{read} classified{left_out}")
    if written:
        print(f"written: {', '.join(map(str, written))}")


if __name__ == "__main__":
    sys.exit(main())
