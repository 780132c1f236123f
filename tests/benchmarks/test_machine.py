"""What is measured of the machine."""

from __future__ import annotations

import os
import subprocess
import sys

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


def test_memory_held_between_two_samples_is_seen() -> None:
    with machine.PeakMemory(seconds_between=0.01) as memory:
        before = memory.bytes
        held = np.ones(100 * MEGABYTE, np.uint8)
        memory._sample()
        assert held[-1] == 1
        del held
    assert memory.bytes - before == pytest.approx(100 * MEGABYTE, rel=0.2)
    assert memory.anonymous_bytes >= 90 * MEGABYTE


def test_the_peak_stays_when_memory_is_given_back() -> None:
    with machine.PeakMemory(seconds_between=0.01) as memory:
        held = np.ones(60 * MEGABYTE, np.uint8)
        memory._sample()
        peak = memory.bytes
        assert held[0] == 1
        del held
    assert memory.bytes >= peak


def test_children_count_and_their_end_does_no_harm() -> None:
    code = f"held = bytearray(b'x' * {80 * MEGABYTE}); print('ready', flush=True); input()"
    with (
        machine.PeakMemory(seconds_between=0.01) as memory,
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child,
    ):
        before = memory.bytes
        child.stdout.readline()
        memory._sample()
        child.communicate(b"\n")
    assert memory.bytes - before > 70 * MEGABYTE


def test_a_process_that_has_gone_is_no_error() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with machine.PeakMemory(child.pid, seconds_between=0.01) as memory:
        pass
    assert memory.bytes == 0
