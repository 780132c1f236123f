"""Answer with the model of a run: pictures one by one and in folders of any size, or other files.

    python -m tasks.predict latest car.jpg
    python -m tasks.predict latest holiday_pictures --top 1 --json answers.jsonl
    python -m tasks.predict first one.png two.jpg --csv answers.csv --pictures annotated

`--json` writes a line an example as soon as it is answered; `--csv` has all that the model says,
such as the probability of every class; `--pictures` takes copies with the answers drawn. Examples
that cannot be read are named and counted, and do not stop the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import tyro

from tasks.common.command_line import guarded, import_tensorflow_quietly
from tasks.common.errors import UserError
from tasks.common.predict_options import PredictOptions


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
    if options.pictures is not None:
        if options.pictures.exists() and not options.pictures.is_dir():
            raise UserError(f"--pictures must be a folder. Received: the file {options.pictures}.")
        require_apart(options.pictures, options.paths)


def _check_file(options: PredictOptions, name: str, endings: tuple[str, ...]) -> None:
    """Keeps `--json *.jpg` from writing over the first picture, `--csv a.csv` over the examples."""
    path = getattr(options, name)
    if path is None:
        return
    if path.suffix.lower() not in endings:
        raise UserError(
            f"--{name} must name a file that ends in {' or '.join(endings)}. Received: {path}."
        )
    if path.resolve() in [named.resolve() for named in options.paths]:
        raise UserError(
            f"--{name} must name another file than those that are read, so that none of them is "
            f"written over. Received: {path}."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act() -> None:
        options = tyro.cli(PredictOptions, args=arguments, prog="python -m tasks.predict")
        check(options)
        import_tensorflow_quietly()
        predict(options)

    return guarded(act)


def predict(options: PredictOptions) -> None:
    """Has the examples answered as the kind of the run's task answers them.

    Raises:
        UserError: there was nothing to answer, or an option is not for this kind of task.
        Interrupted: the user stopped it.
    """
    from tasks.common import saved_run

    saved = saved_run.open_run(options.run, options.runs_dir)
    verbs = saved.task.verbs()
    if options.pictures is not None and not verbs.annotates:
        raise UserError(
            f"--pictures writes annotated copies of pictures, and {saved.folder.path} is a run of "
            f"{saved.task.name}, whose examples are {verbs.example}s: leave the option out."
        )
    verbs.predict(saved, options)


if __name__ == "__main__":
    sys.exit(main())
