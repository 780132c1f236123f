"""Cells in processes of their own: order, failures, stops, and going on at the last finished one.

The processes here are small scripts without TensorFlow; the harness over all tasks runs real ones.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.common import study_runner
from tasks.common.config import StudyConfig
from tasks.common.errors import Interrupted, UserError
from tasks.common.run_folder import RunFolder
from tasks.common.study import Cell, CellResult, Study, StudyRun
from tests.tasks.processes import ended

# What each cell's process does, by the word that the cell's name begins with.
SCRIPT = """
import json, os, signal, sys, time
from pathlib import Path
place, name = Path(sys.argv[1]), sys.argv[2]
place.mkdir(parents=True, exist_ok=True)
with open(place.parent / "order.log", "a") as order:
    order.write(f"start {name}\\n")
kind = name.partition("_")[0]
if kind == "fails":
    print("some lines"); sys.exit("error: the picture is upside down")
if kind == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "silent":
    sys.exit(0)
if kind == "slow":
    time.sleep(600)
if kind == "pair":
    # Until another one has begun that has not ended.
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        words = (place.parent / "order.log").read_text().split()
        if words.count("start") >= 2:
            break
        time.sleep(0.01)
time.sleep(0.1)
with open(place.parent / "order.log", "a") as order:
    order.write(f"end {name}\\n")
value = int(os.environ["TF_NUM_INTRAOP_THREADS"]) if kind == "threads" else len(name)
(place / "result.json").write_text(json.dumps({"value": value}))
"""


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(folder: RunFolder, cell: Cell) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(folder.cells / cell.name), cell.name]

    monkeypatch.setattr(study_runner, "_command", command)


def study(cells: list[Cell], best: Callable = lambda run: None) -> tuple[Study, list[StudyRun]]:
    """A study of these cells, and a list that its report puts what it is given into."""
    reported: list[StudyRun] = []
    record = Study(
        name="thing",
        summary="compare things",
        presets={"quick": StudyConfig()},
        check=lambda config: config,
        cells=lambda config: cells,
        run_cell=lambda config, folder: {},
        report=reported.append,
        summarise=lambda found: f"value {found['value']}",
        best=best,
    )
    return record, reported


def options(tmp_path: Path, jobs: int | str = 1, resume: str | None = None) -> StudyConfig:
    return StudyConfig(runs_dir=tmp_path, run_name="one", jobs=jobs, resume=resume)


def order(tmp_path: Path) -> list[str]:
    return (tmp_path / "thing" / "one" / "cells" / "order.log").read_text().splitlines()


def test_every_cell_runs_and_the_report_gets_them_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, reported = study([Cell("b", 1), Cell("ccc", 2), Cell("a", 3)])
    study_runner.run(record, options(tmp_path))
    (run,) = reported
    assert [(one.name, one.config, one.result) for one in run.results] == [
        ("b", 1, {"value": 1}),
        ("ccc", 2, {"value": 3}),
        ("a", 3, {"value": 1}),
    ]
    assert all(one.failure is None for one in run.results)
    assert order(tmp_path) == ["start b", "end b", "start ccc", "end ccc", "start a", "end a"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cell 1/3 b, value 1, ")
    assert lines[0].endswith(" left")
    assert lines[2].startswith("cell 3/3 a, value 1, ")
    assert "left" not in lines[2]
    assert (tmp_path / "latest").resolve() == (tmp_path / "thing" / "one").resolve()
    assert run.seconds["cells"] > 0.3


def test_as_many_cells_run_at_once_as_are_asked_for(tmp_path: Path) -> None:
    record, _ = study([Cell(f"pair_{number}", None) for number in range(4)])
    study_runner.run(record, options(tmp_path, jobs=2))
    at_once, most = 0, 0
    for line in order(tmp_path):
        at_once += 1 if line.startswith("start") else -1
        most = max(most, at_once)
    assert most == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fails", ["exit status 1", "the picture is upside down"]),
        ("killed", ["SIGKILL", "memory"]),
        ("silent", ["exit status 0", "it printed nothing"]),
    ],
)
def test_a_cell_that_fails_is_a_row_and_not_the_end(
    tmp_path: Path, name: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    record, reported = study([Cell(name, None), Cell("good", None)])
    study_runner.run(record, options(tmp_path))
    bad, good = reported[0].results
    assert good.result == {"value": 4}
    assert bad.result is None
    printed = capsys.readouterr().out
    for word in words:
        assert word in bad.failure
        assert word in printed
    assert "\n" not in bad.failure


def test_where_every_cell_fails_the_study_says_so(tmp_path: Path) -> None:
    record, reported = study([Cell("fails_1", None), Cell("fails_2", None)])
    with pytest.raises(UserError, match=r"None of the 2 cells .* the picture is upside down"):
        study_runner.run(record, options(tmp_path))
    assert reported == []


def test_a_cell_waits_for_the_one_it_needs(tmp_path: Path) -> None:
    cells = [Cell("a", None), Cell("b", None, after="source"), Cell("source", None)]
    record, _ = study(cells)
    study_runner.run(record, options(tmp_path, jobs=2))
    seen = order(tmp_path)
    assert seen.index("start b") > seen.index("end source")


def test_a_cell_whose_source_failed_is_not_run(tmp_path: Path) -> None:
    cells = [Cell("fails", None), Cell("b", None, after="fails"), Cell("c", None)]
    record, reported = study(cells)
    study_runner.run(record, options(tmp_path, jobs=2))
    assert reported[0].results[1].failure == "it needs the cell fails, which failed"
    assert "start b" not in order(tmp_path)


def test_a_resumed_study_runs_only_what_has_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = study([Cell("a", None), Cell("fails", None)])
    study_runner.run(first, options(tmp_path))
    again, reported = study([Cell("a", None), Cell("fails", None), Cell("c", None)])
    study_runner.run(again, options(tmp_path, resume=str(tmp_path / "thing" / "one")))
    assert order(tmp_path) == ["start a", "end a", "start fails", "start fails", "start c", "end c"]
    assert [one.result is None for one in reported[0].results] == [False, True, False]
    assert "1 of 3 cells are finished already" in capsys.readouterr().out


def test_a_cell_that_is_run_again_alone_has_the_threads_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of their number depends in which order sums are taken, and so how they are rounded."""
    monkeypatch.setattr(study_runner.os, "cpu_count", lambda: 8)
    cells = [Cell("threads_a", None), Cell("threads_b", None)]
    record, reported = study(cells)
    study_runner.run(record, options(tmp_path, jobs="auto"))
    place = tmp_path / "thing" / "one"
    (place / "cells" / "threads_b" / "result.json").unlink()
    study_runner.run(record, options(tmp_path, jobs="auto", resume=str(place)))
    for run in reported:
        assert [one.result for one in run.results] == [{"value": 4}, {"value": 4}]


def test_the_best_cell_is_written_down(tmp_path: Path) -> None:
    def best(run: StudyRun) -> CellResult:
        return max(run.results, key=lambda one: one.result["value"])

    record, _ = study([Cell("a", None), Cell("long", None)], best)
    study_runner.run(record, options(tmp_path))
    folder = RunFolder(tmp_path / "thing" / "one")
    assert json.loads(folder.best_cell.read_text()) == {"cell": "long"}


def test_a_stop_ends_the_cells_at_work_and_says_how_to_go_on(tmp_path: Path) -> None:
    record, reported = study([Cell("a", None), Cell("slow", None), Cell("c", None)])

    def stop_when_slow_runs() -> None:
        log = tmp_path / "thing" / "one" / "cells" / "order.log"
        while not over.is_set():
            if log.is_file() and "start slow" in log.read_text():
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.02)

    over = threading.Event()
    stopper = threading.Thread(target=stop_when_slow_runs)
    stopper.start()
    try:
        with pytest.raises(Interrupted, match=r"python -m tasks\.thing --resume .*one"):
            study_runner.run(record, options(tmp_path))
    finally:
        over.set()
        stopper.join()
    # The slow cell was ended, not waited for until it ends.
    assert order(tmp_path) == ["start a", "end a", "start slow"]
    assert reported == []


def test_a_cell_ends_when_its_study_is_gone() -> None:
    """What a study killed with -9 leaves open is nothing: the pipe to its cell closes."""
    waits = (
        "import threading, time\nfrom tasks.common import study_cell\n"
        "threading.Thread(target=study_cell._end_with_the_study, daemon=True).start()\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )
    root = Path(study_runner.__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", waits], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with ended(process):
        process.stdout.readline()
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=300) == 1
