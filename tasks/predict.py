"""Answer with the model of a run: pictures one by one and in folders of any size, or other files.

    python -m tasks.predict latest car.jpg
    python -m tasks.predict latest holiday_pictures --top 1 --json answers.jsonl
    python -m tasks.predict first one.png two.jpg --csv answers.csv --pictures annotated
    python -m tasks.predict streets drive.mp4 --pictures painted

`--json` writes a line an example as soon as it is answered; `--csv` has all that the model says,
such as the probability of every class; `--pictures` takes copies with the answers drawn. Examples
that cannot be read are named and counted, and do not stop the rest.

Runs whose answers are maps take videos too. For a file NAME, `--pictures` takes NAME.map.png and
NAME.overlay.png, or .mp4 of a video, `--arrays` takes NAME.npy and `--point-cloud` NAME.ply, all at
the size of the given picture; frame 12 of a video is NAME/000012.npy.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.errors import UserError, output_fault
from tasks.common.output_places import require_file, require_folder
from tasks.common.predict_options import PredictOptions

_FILES, _FOLDERS = ("json", "csv"), ("pictures", "arrays", "point_cloud")


def check(options: PredictOptions) -> None:
    """Finds options that do not fit before any work.

    Raises:
        UserError: the first one found.
    """
    from tasks.common.found_pictures import require_apart

    if not options.paths:
        raise UserError(
            "Name at least one picture or folder after the run, or a file of other examples where "
            "the run is not on pictures."
        )
    for name in ("top", "batch_size"):
        if getattr(options, name) < 1:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be at least 1. Received: {getattr(options, name)}.")
    _check_file(options, "json", (".json", ".jsonl"))
    _check_file(options, "csv", (".csv",))
    if options.focal_length is not None and not 0 < options.focal_length < math.inf:
        raise UserError(
            f"--focal-length must be a positive number of pixels. Received: {options.focal_length}."
        )
    for name in _FOLDERS:
        folder, option = getattr(options, name), f"--{name.replace('_', '-')}"
        if folder is not None:
            require_folder(folder, option)
            require_apart(folder, options.paths, option)


def _check_file(options: PredictOptions, name: str, endings: tuple[str, ...]) -> None:
    """Keeps `--json *.jpg` from writing over the first picture, `--csv a.csv` over the examples."""
    path = getattr(options, name)
    if path is None:
        return
    if path.suffix.lower() not in endings:
        raise UserError(
            f"--{name} must name a file that ends in {' or '.join(endings)}. Received: {path}."
        )
    require_file(path, f"--{name}")
    # Other than `Path.resolve`, also of a link that leads to itself.
    if os.path.realpath(path) in map(os.path.realpath, options.paths):
        raise UserError(
            f"--{name} must name another file than those that are read, so that none of them is "
            f"written over. Received: {path}."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act(options: PredictOptions) -> None:
        check(options)
        import_tensorflow_quietly()
        try:
            predict(options)
        except OSError as error:
            sentence = output_fault(error, _outputs(options))
            if sentence is None:
                raise
            raise UserError(sentence) from error

    return run_command(PredictOptions, "tasks.predict", act, arguments)


def _outputs(options: PredictOptions) -> list[Path]:
    named = (getattr(options, name) for name in (*_FILES, *_FOLDERS))
    return [place for place in named if place is not None]


def predict(options: PredictOptions) -> None:
    """Has the examples answered as the kind of the run's task answers them.

    Raises:
        UserError: there was nothing to answer, or an option is not for this kind of task.
        Interrupted: the user stopped it.
    """
    from tasks.common import saved_run

    saved = saved_run.open_run(options.run, options.runs_dir)
    verbs = saved.task.verbs()
    run = f"{saved.folder.path} is a run of {saved.task.name}"
    if options.pictures is not None and not verbs.annotates:
        raise UserError(
            f"--pictures writes annotated copies of pictures, and {run}, whose examples are "
            f"{verbs.example}s: leave the option out."
        )
    if options.arrays is not None and not verbs.writes_arrays:
        raise UserError(
            f"--arrays writes maps of pictures, and {run}, whose answers are no maps: leave the "
            "option out."
        )
    if options.point_cloud is not None and not verbs.writes_clouds:
        raise UserError(
            f"--point-cloud writes what lies how far away, and {run}, whose answers are no "
            "distances: leave the option out."
        )
    verbs.predict(saved, options)


if __name__ == "__main__":
    sys.exit(main())
