"""A contestant's process, from start to end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks import timed_process
from tasks.common.errors import UserError


def test_words_output_and_times_are_kept(tmp_path: Path) -> None:
    before = time.time()
    words = ("-c", "import os, sys; print(os.getcwd()); print('fault', file=sys.stderr)")
    found = timed_process.run(words, tmp_path / "log")
    assert found.words == words
    assert before <= found.started <= found.ended <= time.time()
    assert found.seconds == found.ended - found.started
    assert (tmp_path / "log").read_text().split() == [str(timed_process.ROOT), "fault"]


def test_memory_is_that_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"

    class Telling(timed_process.PeakMemory):
        """Says when a sample has been taken with the memory in use."""

        def _sample(self) -> None:
            super()._sample()
            if self.bytes > 150e6:
                seen.touch()

    monkeypatch.setattr(timed_process, "PeakMemory", Telling)
    code = (
        "import sys, time; from pathlib import Path\n"
        "held, end = b'x' * 150_000_000, time.monotonic() + 120\n"
        "while not Path(sys.argv[1]).exists() and time.monotonic() < end: time.sleep(0.05)"
    )
    found = timed_process.run(("-c", code, str(seen)), tmp_path / "log", seconds_between=0.05)
    assert 150e6 < found.peak_bytes < 250e6


def test_a_failure_shows_the_status_and_the_last_lines(tmp_path: Path) -> None:
    code = "[print('line', n) for n in range(40)]; raise SystemExit(3)"
    with pytest.raises(UserError, match="ended with status 3") as caught:
        timed_process.run(("-c", code), tmp_path / "log")
    shown = str(caught.value).splitlines()[1:]
    assert [line.strip() for line in shown] == [f"line {number}" for number in range(25, 40)]
