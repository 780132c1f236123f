"""What is measured of the machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from benchmarks import machine

MEGABYTE = 1_000_000


def test_the_description_names_hardware_and_versions() -> None:
    found = machine.describe()
    assert found["memory_bytes"] == psutil.virtual_memory().total
    assert 1 <= found["cores"] <= os.cpu_count()
    assert found["processor"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["package numpy"] == np.__version__
    assert all(isinstance(value, str | int | float) for value in found.values())


def test_what_is_not_installed_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_MORE_PACKAGES", ("no-such-package",))
    assert not any("no-such-package" in name for name in machine.describe())


def test_the_rate_is_that_of_the_fastest_product(monkeypatch: pytest.MonkeyPatch) -> None:
    # The products take 4, 2, 3 and, in the other library, 9, 8, 7 seconds; the first is for warmth.
    ends = [100.0, 4.0, 2.0, 3.0, 90.0, 9.0, 8.0, 7.0]
    ticks = [tick for end in ends for tick in (1000.0, 1000.0 + end)]
    monkeypatch.setattr(machine.time, "perf_counter", lambda: ticks.pop(0))
    assert machine.matrix_multiply_rate(side=8, repetitions=3) == pytest.approx(8**3 / 2.0)
    assert not ticks


@contextlib.contextmanager
def interpreter(code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `code`; it and what it started end when their input is closed.

    Its memory is its own: of the libraries that this process shares with others, it counts more
    or less as those come and go.
    """
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def goes_on(process: subprocess.Popen[str]) -> None:
    """Lets it take its next step and waits until it says that it has."""
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def test_memory_held_between_two_samples_is_seen_and_stays_the_peak() -> None:
    code = (
        f"input(); print('done', flush=True)\n"
        f"input(); held = b'x' * {100 * MEGABYTE}; print('done', flush=True)\n"
        f"input(); del held; print('done', flush=True)\n"
        "input()"
    )
    with interpreter(code) as process:
        goes_on(process)
        with machine.PeakMemory(process.pid, seconds_between=0.01) as memory:
            before = memory.bytes
            goes_on(process)
            memory._sample()
            peak = memory.bytes
            goes_on(process)
        process.communicate("\n")
    assert peak - before == pytest.approx(100 * MEGABYTE, rel=0.1)
    assert memory.bytes == pytest.approx(peak, rel=0.05)
    assert memory.anonymous_bytes >= 90 * MEGABYTE


def test_children_count_and_their_end_does_no_harm() -> None:
    child = f"held = b'x' * {80 * MEGABYTE}; print('done', flush=True); input()"
    code = (
        "import subprocess, sys\n"
        "input(); print('done', flush=True)\n"
        f"input(); child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "child.wait()"
    )
    with interpreter(code) as process:
        goes_on(process)
        with machine.PeakMemory(process.pid, seconds_between=0.01) as memory:
            before = memory.bytes
            goes_on(process)
            memory._sample()
            process.communicate("\n")
    assert memory.bytes - before > 75 * MEGABYTE


def test_a_process_that_has_gone_is_no_error() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with machine.PeakMemory(child.pid, seconds_between=0.01) as memory:
        pass
    assert memory.bytes == 0
