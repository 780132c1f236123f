"""Does the input keep the training step fed, and does its memory stay flat?

    python -m benchmarks.input
    python -m benchmarks.input --data-dir ~/photographs --batch-size 32

Speed: the step that trains a whole network is fed in four ways in turn, in one process: by one
batch that lies ready in memory, by JPEG files, by decoded pictures remembered in memory, and by the
decoded cache on disk. The input and the step share the cores, so where the step keeps all of them
busy the input can cost no less than its own share of the processor time, which is shown beside.

Decoding: one large JPEG in full and at the reduced scale that a target size allows.

Memory: one epoch is read, without a step, in a process of its own for each number of pictures.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine, results
from benchmarks.input_decoding import decoding_table, measure_decoding
from benchmarks.input_memory import Epoch, measure_memory, memory_table
from benchmarks.input_options import InputOptions, checked
from benchmarks.input_speed import GOAL, READY, Feeding, measure_speed, speed_table
from tasks.common.command_line import run_command

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line asks; gives the exit status."""
    return run_command(
        InputOptions, "benchmarks.input", lambda options: run(checked(options)), arguments
    )


def run(options: InputOptions) -> None:
    """Measures, prints three tables, and writes the results."""
    with tempfile.TemporaryDirectory(prefix="input-") as name:
        folder = Path(name)
        epochs = measure_memory(options, folder / "small")
        print(memory_table(epochs), end="\n\n")
        decodings = measure_decoding(options)
        print(decoding_table(options.large_size, decodings), end="\n\n")
        feedings = measure_speed(options, folder)
    print(speed_table(feedings), end="\n\n")
    document = {
        "machine": machine.describe(),
        "options": dataclasses.asdict(options),
        "speed": [dataclasses.asdict(feeding) for feeding in feedings],
        "decoding": [dataclasses.asdict(decoding) for decoding in decodings],
        "memory": [dataclasses.asdict(epoch) for epoch in epochs],
    }
    results.save("input", options.output, document, draw(feedings, epochs))


def draw(feedings: Sequence[Feeding], epochs: Sequence[Epoch]) -> Figure:
    """Left how near each input comes to a ready batch, right the memory of an epoch."""
    import matplotlib

    from tasks.common import figures

    with matplotlib.rc_context(figures.STYLE):
        figure = figures.new_figure(10.0, 3.4)
        left, right = figure.subplots(1, 2)
        _draw_speed(left, [feeding for feeding in feedings if feeding.source != READY])
        right.plot(
            [epoch.count for epoch in epochs],
            [epoch.anonymous_bytes / 1e6 for epoch in epochs],
            color=figures.BLUE,
            marker="o",
        )
        counts = [epoch.count for epoch in epochs]
        right.set_xscale("log")
        right.set_xticks(counts, [f"{count:,}" for count in counts])
        right.set_xticks([], minor=True)
        right.set_ylim(0, 1.25 * max(epoch.anonymous_bytes for epoch in epochs) / 1e6)
        right.set_title("peak memory of an epoch")
        right.set_xlabel("pictures")
        right.set_ylabel("MB, without pages of files")
    return figure


def _draw_speed(axes: Axes, feedings: Sequence[Feeding]) -> None:
    from tasks.common import figures

    for row, feeding in enumerate(feedings):
        middle = 100 * statistics.median(feeding.ratios)
        axes.barh(row, middle, color="#9FB8C8", height=0.65)
        ends = [100 * min(feeding.ratios), 100 * max(feeding.ratios)]
        axes.plot(ends, [row, row], color="black", linewidth=1.2, marker="|")
    names = [f"{feeding.backbone}, {feeding.source}" for feeding in feedings]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.axvline(100 * GOAL, color=figures.RED, linewidth=1)
    axes.grid(False, axis="y")
    axes.set_title("steps per second")
    axes.set_xlabel("% of those with a ready batch; line: goal")


if __name__ == "__main__":
    sys.exit(main())
