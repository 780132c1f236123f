"""How long a large JPEG takes to decode, in full and at the scale that a target size allows."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.input_options import JPEG_QUALITY, SHEET, InputOptions
from datasets import images
from datasets.rendered import cars
from tasks.common.tables import text_table

# Height and width that networks commonly take.
TARGETS = ((64, 96), (160, 160), (224, 224))


@dataclasses.dataclass(frozen=True)
class Decoding:
    """Processor time to decode one large JPEG.

    Attributes:
        target: height and width that it will be resized to.
        shape: height and width that it was decoded at.
        full_milliseconds: in full.
        reduced_milliseconds: at that scale.
    """

    target: tuple[int, int]
    shape: tuple[int, int]
    full_milliseconds: float
    reduced_milliseconds: float


def measure_decoding(options: InputOptions) -> list[Decoding]:
    """One large JPEG, decoded in full and for three sizes that networks take."""
    with tempfile.TemporaryDirectory(prefix="input-") as folder:
        path = Path(folder, "large.jpg")
        Image.fromarray(_large_picture(options.large_size)).save(path, quality=JPEG_QUALITY)
        full = _fastest(lambda: images.read_picture(path), options.repeats)
        found = []
        for target in TARGETS:
            shape = images.read_picture(path, target).shape[:2]
            reduced = _fastest(lambda at=target: images.read_picture(path, at), options.repeats)
            found.append(Decoding(target, shape, 1000 * full, 1000 * reduced))
    return found


def _large_picture(size: tuple[int, int]) -> np.ndarray:
    """Sheet of as many drawings as make up the size, each as rich in detail as a photograph."""
    height, width = (side // SHEET for side in size)
    source = cars.RenderedCars(SHEET**2, 0, (height, width), cars.CLASS_NAMES[:2])
    drawings = [source.example(index)["image"] for index in range(SHEET**2)]
    rows = [np.hstack(drawings[first : first + SHEET]) for first in range(0, SHEET**2, SHEET)]
    return np.vstack(rows)


def _fastest(action: Callable[[], object], repeats: int) -> float:
    """Seconds of this thread's processor time, the least of `repeats` calls."""
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        action()
        seconds.append(time.thread_time() - started)
    return min(seconds)


def decoding_table(size: tuple[int, int], decodings: Sequence[Decoding]) -> str:
    """One row for each target size."""
    rows = [
        [
            f"{size[0]} x {size[1]}",
            f"{decoding.target[0]} x {decoding.target[1]}",
            f"{decoding.shape[0]} x {decoding.shape[1]}",
            f"{decoding.full_milliseconds:.1f}",
            f"{decoding.reduced_milliseconds:.1f}",
            f"{decoding.full_milliseconds / decoding.reduced_milliseconds:.1f}",
        ]
        for decoding in decodings
    ]
    header = ["JPEG", "wanted", "decoded at", "in full, CPU ms", "reduced, CPU ms", "times faster"]
    return text_table(header, rows)
