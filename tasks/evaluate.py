"""Test the model of a run again: on its own split, or on examples of your own.

    python -m tasks.evaluate latest
    python -m tasks.evaluate latest --split validation
    python -m tasks.evaluate runs/cars_finetune/first --data-dir ~/my_pictures

The numbers go to the terminal and to `evaluations/` in the run folder. Without `--data-dir` they
are compared with those of the run's report.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tasks.common.command_line import import_tensorflow_quietly, run_command
from tasks.common.errors import UserError


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """Test the model of a run again: on its own split, or on examples of your own."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """A run folder, the name of a run, or `latest`."""
    data_dir: Path | None = None
    """Labelled examples instead of the run's own; for a classifier of pictures a folder of class
    folders, named like the model's classes."""
    split: Literal["test", "validation"] = "test"
    """Which split: of the run, or of --data-dir if it has splits of its own."""
    batch_size: int = 64
    """Examples predicted at once; the numbers do not depend on it."""
    skip_bad_images: bool = False
    """Leave out examples of --data-dir that cannot be read, and list them, instead of stopping."""
    runs_dir: Path = Path("runs")
    """Folder that holds the run folders of all tasks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""

    def act(options: EvaluateOptions) -> None:
        if options.batch_size < 1:
            raise UserError(f"--batch-size must be at least 1. Received: {options.batch_size}.")
        import_tensorflow_quietly()
        evaluate(options)

    return run_command(EvaluateOptions, "tasks.evaluate", act, arguments)


def evaluate(options: EvaluateOptions) -> None:
    """Predicts, counts, compares with the report and writes."""
    from tasks.common import evaluation, run_splits, saved_run

    saved = saved_run.open_run(options.run, options.runs_dir)
    verbs = saved.task.verbs()
    if options.data_dir is None:
        source = getattr(run_splits.load_splits(saved), options.split)
        data, name = evaluation.OWN_DATA, options.split
        reported = evaluation.reported_metrics(saved, options.split)
    else:
        place = options.data_dir.expanduser()
        source = verbs.outside_examples(saved, place, options.split, options.skip_bad_images)
        data = str(place.resolve())
        name, reported = Path(data).name or f"{verbs.example}s", None
    result = evaluation.evaluate(saved, source, data, options.split, options.batch_size)
    path = evaluation.write(saved, result, name)
    print(evaluation.table(result, reported))
    if reported:
        changed = evaluation.differences(reported, result.metrics)
        print(
            f"These numbers differ from the run's report: {'; '.join(changed)}."
            if changed
            else "These are the numbers of the run's report."
        )
    print(f"written: {path}")


if __name__ == "__main__":
    sys.exit(main())
