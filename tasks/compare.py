"""Put runs beside each other: a table of their results, the options they differ in, a chart.

    python -m tasks.compare first second
    python -m tasks.compare runs/cars_finetune/* --output comparison.png
    python -m tasks.compare first second --metric log_loss --markdown comparison.md

Reads the files of the run folders alone, so it answers at once, also about runs of other machines.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from tasks.common.command_line import run_command
from tasks.common.errors import UserError
from tasks.common.output_places import require_file


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """Put runs beside each other: a table of their results, the options they differ in, a chart."""

    runs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN RUN...")]
    """Run folders, names of runs, or `latest`."""
    metric: str | None = None
    """The number to compare by, as report/metrics.json names it; when not given, the most important
    one of the runs' reports, such as `accuracy`."""
    output: Path | None = None
    """File of the chart, a PNG; `compare.png` in the folder of the runs when not given."""
    markdown: Path | None = None
    """File for the tables in Markdown."""
    runs_dir: Path = Path("runs")
    """Folder that holds the run folders of all tasks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""
    return run_command(CompareOptions, "tasks.compare", compare, arguments)


def compare(options: CompareOptions) -> None:
    """Reads the runs, prints the tables and draws the chart.

    Raises:
        UserError: fewer than two runs, a run that cannot be read, a metric that none has, or none
            that all share where none is given.
    """
    from tasks.common import comparison, figures, run_folder
    from tasks.common.tables import markdown_table, text_table

    output = options.output or options.runs_dir / "compare.png"
    _check_places(options, output)
    runs = comparison.read_runs(options.runs, options.runs_dir)
    if len(runs) < 2:
        raise UserError(
            f"Name at least two different runs to compare. Received: {' '.join(options.runs)}."
        )
    metric = options.metric or comparison.shared_headline(runs)
    runs = runs if metric is None else comparison.ranked(runs, metric)
    figure = None if metric is None else comparison.chart(runs, metric)
    if figure is None:
        raise UserError(_nothing_measured(runs, metric))
    results = comparison.result_table(runs, metric)
    differing = comparison.option_table(runs)
    print(text_table(*results))
    print()
    print(text_table(*differing) if differing[1] else "The runs have the same options.")
    output.parent.mkdir(parents=True, exist_ok=True)
    figures.save(figure, output)
    print(f"\nchart: {output}")
    if options.markdown is not None:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        tables = [markdown_table(*table) for table in (results, differing) if table[1]]
        run_folder.replace_text(options.markdown, "\n\n".join(tables) + "\n")
        print(f"tables: {options.markdown}")


def _check_places(options: CompareOptions, output: Path) -> None:
    """Keeps the results from places of another kind; `output` is where the chart goes.

    Raises:
        UserError: the first place that cannot be written to.
    """
    for path, ending in ((options.output, ".png"), (options.markdown, ".md")):
        if path is not None and path.suffix.lower() != ending:
            name = "output" if ending == ".png" else "markdown"
            raise UserError(f"--{name} must name a file that ends in {ending}. Received: {path}.")
    require_file(output, "--runs-dir" if options.output is None else "--output")
    if options.markdown is not None:
        require_file(options.markdown, "--markdown")


def _nothing_measured(runs: Sequence, metric: str | None) -> str:
    known = sorted({name for run in runs for name in run.metrics.get("test", {})})
    if not known:
        return (
            "None of these runs has a test result in report/metrics.json: those that were stopped "
            "before their report go on by --resume, and of a study compare the folders in cells."
        )
    return f"--metric must be one of {', '.join(known)}. Received: {metric!r}."


if __name__ == "__main__":
    sys.exit(main())
