"""Stores that several processes fill, that are killed, or that fill the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from datasets import array_store
from tests.datasets.stores import (
    CHILD,
    PATIENCE,
    ROOT,
    ROW_BYTES,
    Filling,
    Stopped,
    assert_one_sentence,
    child,
    computed_rows,
    filling_until,
    finished,
    never,
    opened,
    rows,
)

pytestmark = pytest.mark.usefixtures("small_blocks")


# Each replaces a step by sudden death: before it, after it or halfway.
DEATHS = {
    "after the seventh row": (
        "original = array_store._require_fitting\n"
        "def step(store, progress, chunk):\n"
        "    die() if progress.rows == 7 else original(store, progress, chunk)\n"
        "array_store._require_fitting = step\n"
    ),
    "before the record of the eighth row": (
        "original = array_store._save_record\n"
        "def step(store, progress):\n"
        "    die() if progress.rows == 8 else original(store, progress)\n"
        "array_store._save_record = step\n"
    ),
    "halfway in the eighth row": (
        "original = array_store._write\n"
        "def step(file, chunk):\n"
        "    if file.tell() < 7 * 24:\n"
        "        return original(file, chunk)\n"
        "    file.write(chunk.tobytes()[:11])\n"
        "    die()\n"
        "array_store._write = step\n"
    ),
    "halfway in the record of the eighth row": (
        "original = array_store._save_record\n"
        "def step(store, progress):\n"
        "    if progress.rows < 8:\n"
        "        return original(store, progress)\n"
        "    (store.part / 'record.json.part').write_text('{\"store')\n"
        "    die()\n"
        "array_store._save_record = step\n"
    ),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_kill_loses_no_more_than_the_chunk_at_hand(
    tmp_path: Path, capfd: pytest.CaptureFixture, death: str
) -> None:
    folder = tmp_path / "store"
    with child(folder, DEATHS[death] + "open_it()") as process:
        assert process.wait(PATIENCE) == -9
    assert computed_rows(folder) == list(range(8))
    assert not finished(folder).exists()
    rest = Filling(rows(), 1)
    np.testing.assert_array_equal(opened(folder, rest), rows())
    assert rest.firsts == [7]
    assert capfd.readouterr().out == ""


def test_a_kill_before_the_last_name_is_given_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with child(folder, "array_store._finish = lambda store: die()\nopen_it()") as process:
        assert process.wait(PATIENCE) == -9
    assert computed_rows(folder) == list(range(23))
    np.testing.assert_array_equal(opened(folder, never), rows())


def test_kills_from_outside_at_any_moment(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    log = tmp_path / "rows.log"
    kills = 0
    for wanted in (2, 7, 8, 13):
        # Not beyond two rows more: the kill may come late, but never after the last row.
        ending = (
            "original = note\n"
            "def note(row):\n"
            "    original(row)\n"
            f"    time.sleep({2 * PATIENCE} if row > {wanted} else 0)\n"
            "open_it()"
        )
        with child(folder, ending, seconds=0.05) as process:
            while process.poll() is None and (
                not log.exists() or len(set(computed_rows(folder))) < wanted
            ):
                time.sleep(0.001)
            process.kill()
            kills += process.wait() == -9
    assert kills == 4
    np.testing.assert_array_equal(opened(folder, Filling(rows())), rows())
    # At most one row a kill was computed in vain.
    assert len(computed_rows(folder)) - len(set(computed_rows(folder))) <= kills


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of file sizes on Windows")
def test_a_disk_that_becomes_full_is_named_and_the_next_call_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    ending = (
        "import resource\n"
        "from datasets.core import DataError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))\n"
        "try:\n"
        "    open_it()\n"
        "except DataError as error:\n"
        "    print(error)\n"
    )
    with child(folder, ending) as process:
        printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, printed
    assert "File too large" in printed
    assert_one_sentence(printed.strip(), folder)
    done = len(computed_rows(folder)) - 1
    assert 0 < done <= 400 // ROW_BYTES
    rest = Filling(rows())
    np.testing.assert_array_equal(opened(folder, rest), rows())
    assert rest.firsts == [done]


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    ending = "print('sum', open_it().sum())"
    with child(folder, ending, 0.02) as first, child(folder, ending, 0.02) as second:
        printed = [process.communicate(timeout=PATIENCE)[0] for process in (first, second)]
    assert computed_rows(folder) == list(range(23))
    for text in printed:
        assert text.splitlines()[-1] == f"sum {rows().sum()}"
    np.testing.assert_array_equal(opened(folder, never), rows())


def test_who_waits_says_so_and_goes_on_after_the_other_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    ending = (
        "def note(row):\n"
        "    print(row, flush=True)\n"
        f"    time.sleep({2 * PATIENCE} if row > 5 else 0)\n"
        "open_it()"
    )
    with child(folder, ending) as first:
        for line in first.stdout:
            if line == "6\n":
                break
        with child(folder, "open_it()") as second:
            assert second.stdout.readline() == (
                f"waiting for another run that fills or checks {finished(folder)}\n"
            )
            first.kill()
            assert second.wait(PATIENCE) == 0
    assert computed_rows(folder) == list(range(6, 23))
    np.testing.assert_array_equal(opened(folder, never), rows())


def test_threads_share_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_store, "_SECONDS_BETWEEN_LOOKS", 0.001)
    threads = 6
    meeting = threading.Barrier(threads)
    filling = Filling(rows(), 1)

    def run(_: int) -> np.ndarray:
        meeting.wait(timeout=PATIENCE)
        return opened(tmp_path, filling)

    with ThreadPoolExecutor(threads) as pool:
        for array in pool.map(run, range(threads)):
            np.testing.assert_array_equal(array, rows())
    assert filling.firsts == [0]


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        opened(tmp_path, filling_until(6, Stopped))
    with ThreadPoolExecutor(1) as pool:
        array = pool.submit(opened, tmp_path, Filling(rows())).result(timeout=PATIENCE)
    np.testing.assert_array_equal(array, rows())


WINDOWS = """
import sys, types
calls = []

def locking(descriptor, mode, byte_count):
    calls.append((mode, byte_count))
    if len(calls) <= 2:
        raise PermissionError(13, "Permission denied")

sys.modules["fcntl"] = None
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK="try", LK_UNLCK="free")
"""


def test_without_fcntl_the_lock_of_windows_is_used(tmp_path: Path) -> None:
    ending = "open_it()\nprint(calls)"
    process = subprocess.run(
        [
            *(sys.executable, "-c", WINDOWS + CHILD + ending),
            *(str(tmp_path / "store"), str(tmp_path / "rows.log"), "0"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert process.returncode == 0, process.stderr
    waiting, calls = process.stdout.splitlines()
    assert waiting.startswith("waiting for another run")
    assert calls == str([("try", 1)] * 3 + [("free", 1)])
    np.testing.assert_array_equal(opened(tmp_path / "store", never), rows())
