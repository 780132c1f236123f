"""A store of 23 rows that tests fill, stop, kill and damage."""

from __future__ import annotations

import collections
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from datasets import array_store

ROOT = Path(__file__).resolve().parents[2]
KEY = "0123456789abcdef" + "5" * 48
SHAPE = (23, 3, 2)
ROW_BYTES = 3 * 2 * 4
# Small blocks, so that the 23 rows fill several of them and part of another.
BLOCK_ROWS = 4
BLOCK_BYTES = BLOCK_ROWS * ROW_BYTES + 1


def rows(shape: tuple[int, ...] = SHAPE, dtype: str = "float32") -> np.ndarray:
    numbers = np.random.default_rng(3).integers(0, 200, shape)
    return numbers.astype(dtype)


class Filling:
    """Yields the rows of an array in chunks; notes what it was asked for.

    Attributes:
        firsts: the first row of each call.
        computed: how often each row was yielded.
    """

    def __init__(self, array: np.ndarray, chunk: int = 3) -> None:
        self.array = array
        self.chunk = chunk
        self.firsts: list[int] = []
        self.computed: collections.Counter[int] = collections.Counter()

    def __call__(self, first: int) -> Iterator[np.ndarray]:
        self.firsts.append(first)
        for start in range(first, len(self.array), self.chunk):
            piece = self.array[start : start + self.chunk]
            self.computed.update(range(start, start + len(piece)))
            yield piece


def never(first: int) -> Iterable[np.ndarray]:
    raise AssertionError(f"asked for rows from {first} on")


def opened(folder: Path, fill: Callable[[int], Iterable[np.ndarray]], **changed) -> np.ndarray:
    arguments = {"key": KEY, "shape": SHAPE, "dtype": "float32", **changed}
    return array_store.open_or_fill(folder, fill=fill, **arguments)


def finished(folder: Path) -> Path:
    return folder / KEY[:16]


class Stopped(BaseException):
    """Stands for anything that may end a run, as KeyboardInterrupt does."""


def filling_until(stop: int, error: type[BaseException]) -> Filling:
    class Ending(Filling):
        def __call__(self, first: int) -> Iterator[np.ndarray]:
            for piece in super().__call__(first):
                if sum(self.computed.values()) > stop:
                    raise error
                yield piece

    return Ending(rows(), 3)


def assert_one_sentence(message: str, folder: Path) -> None:
    assert message.startswith(str(folder))
    assert message.endswith("--no-cache.")
    assert "--cache-dir" in message
    assert "\n" not in message
    assert ". " not in message.removeprefix(str(folder))


CHILD = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from datasets import array_store

folder, log, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
array_store.BLOCK_BYTES = 97
array = np.random.default_rng(3).integers(0, 200, (23, 3, 2)).astype("float32")

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def note(text):
    with log.open("a") as file:
        file.write(f"{text}\\n")

def fill(first):
    for row in range(first, 23):
        time.sleep(seconds)
        note(row)
        yield array[row : row + 1]

def open_it():
    key = "0123456789abcdef" + "5" * 48
    return array_store.open_or_fill(folder, key, (23, 3, 2), "float32", fill)
"""


# Seconds until a process is taken for one that hangs, on a machine however busy.
PATIENCE = 300


@contextlib.contextmanager
def child(folder: Path, ending: str, seconds: float = 0.0) -> Iterator[subprocess.Popen[str]]:
    """A process that fills the store of `rows()`, noting each row in `rows.log`.

    It is killed at the end where it has not ended by itself.
    """
    arguments = [str(folder), str(folder.parent / "rows.log"), str(seconds)]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD + ending, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def computed_rows(folder: Path) -> list[int]:
    return [int(line) for line in (folder.parent / "rows.log").read_text().split()]
