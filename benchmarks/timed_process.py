"""Runs one contestant in a process of its own, with the clock and the memory watched."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import PeakMemory
from tasks.common.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
# Lines of a failed contestant's output that are shown.
_SHOWN_LINES = 15


@dataclasses.dataclass(frozen=True)
class Finished:
    """A process that came to its end.

    Attributes:
        words: what was run, after the interpreter.
        started: when it was started, in seconds of `time.time`.
        ended: when it had ended.
        peak_bytes: see `machine.PeakMemory`, of the process and all it started.
    """

    words: tuple[str, ...]
    started: float
    ended: float
    peak_bytes: int

    @property
    def seconds(self) -> float:
        """From start to end."""
        return self.ended - self.started


def run(words: Sequence[str], log: Path, seconds_between: float = 1.0) -> Finished:
    """Runs `python WORDS` from the root of the code; what it prints goes to the file `log`.

    Args:
        words: after the interpreter.
        log: a file, written anew.
        seconds_between: samples of memory. One of a gigabyte takes the system some 10 ms, in which
            the contestant may have to wait.

    Raises:
        UserError: it ended with another status than 0.
    """
    # Set where nothing else is, so that every contestant is as quiet as the next. Unbuffered, so
    # that the last lines are those of an error.
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("w", encoding="utf-8") as output:
        started = time.time()
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            with PeakMemory(process.pid, seconds_between) as memory:
                status = process.wait()
                ended = time.time()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise UserError(
            f"`python {' '.join(words)}` ended with status {status}; its last lines were:\n  "
            + "\n  ".join(lines[-_SHOWN_LINES:])
        )
    return Finished(tuple(words), started, ended, memory.bytes)


def last_line(log: Path) -> str | None:
    """The last line in the log that says anything: of a failed process mostly why."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), None)
