"""Peak memory of an epoch against its number of pictures."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.input_options import InputOptions, draw_jpegs
from tasks.common.command_line import import_tensorflow_quietly
from tasks.common.tables import text_table

# Memory at the largest number of pictures, at most so much of that at the smallest.
FLAT = 1.10


@dataclasses.dataclass(frozen=True)
class Epoch:
    """One epoch read in a process of its own.

    Attributes:
        count: pictures.
        bytes: peak memory, see `machine.PeakMemory`.
        anonymous_bytes: the same without pages of files, which processes share.
        seconds: it took.
    """

    count: int
    bytes: int
    anonymous_bytes: int
    seconds: float


def measure_memory(options: InputOptions, folder: Path) -> list[Epoch]:
    """One epoch for each of `options.counts`, over files of which as many are drawn as the least.

    Each in a new process, which has no memory left over from another.
    """
    paths = draw_jpegs(folder, min(options.counts), options.small_size)
    context = multiprocessing.get_context("spawn")
    epochs = []
    for count in sorted(options.counts):
        with concurrent.futures.ProcessPoolExecutor(1, context) as process:
            epochs.append(process.submit(_read_epoch, paths, count, options).result())
    return epochs


def _read_epoch(paths: list[Path], count: int, options: InputOptions) -> Epoch:
    import_tensorflow_quietly()
    from datasets import augment, pipeline
    from datasets.files import PictureFiles

    with machine.PeakMemory() as peak:
        # A path of its own for each picture, as in a folder of so many.
        source = PictureFiles(
            [Path(str(paths[index % len(paths)])) for index in range(count)],
            np.arange(count) % 2,
            image_size=options.small_size,
        )
        batching = pipeline.Batching(
            options.batch_size, options.small_size, 2, workers=options.workers
        )
        change = augment.picture_changes(("flip", "crop"), options.small_size)
        started = time.perf_counter()
        read = sum(
            len(pictures)
            for pictures, _ in pipeline.training_batches(
                source, batching, 0, range(1), augment=change
            )
        )
        seconds = time.perf_counter() - started
    if read != count:
        raise RuntimeError(f"An epoch must have each picture once. Received: {read=}, {count=}")
    return Epoch(count, peak.bytes, peak.anonymous_bytes, seconds)


def memory_table(epochs: Sequence[Epoch]) -> str:
    """One row for each number of pictures."""
    least = epochs[0].anonymous_bytes
    rows = [
        [
            f"{epoch.count:,}",
            f"{epoch.bytes / 1e6:.0f}",
            f"{epoch.anonymous_bytes / 1e6:.0f}",
            f"{epoch.anonymous_bytes / least:.2f}",
            "yes" if epoch.anonymous_bytes <= FLAT * least else "no",
            f"{epoch.count / epoch.seconds:.0f}",
        ]
        for epoch in epochs
    ]
    header = ["pictures", "peak MB", "without files", "of the first", "flat", "pictures/s"]
    return text_table(header, rows)
