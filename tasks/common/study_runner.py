"""Runs a study: every cell that is not finished, a few at a time, then the report."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from callbacks.csv_history import read_history
from tasks.common import config as configs
from tasks.common import console, run_folder, signals
from tasks.common.errors import Interrupted, UserError
from tasks.common.run_folder import RunFolder
from tasks.common.study import Cell, CellResult, Study, StudyRun
from tasks.common.wording import duration, one_line, shorten

# How often processes are asked whether they have ended, in seconds.
_POLLING = 0.05
_ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True, eq=False)
class _Running:
    """A cell at work."""

    cell: Cell
    process: subprocess.Popen[bytes]
    started: float


def run(study: Study, config: Any) -> None:
    """Runs the cells that have no result yet, then reports on all.

    A cell that fails is reported as such and does not stop the others; it is tried again when the
    study is resumed.

    Raises:
        UserError: the options do not fit, or every cell failed.
        Interrupted: the user stopped the study; it can be resumed.
    """
    folder = _open(study, config)
    with console.copied_to(folder.log):
        cells = study.cells(config)
        started = time.monotonic()
        failures = _run_cells(study, config, folder, cells)
        results = [_result(cell, folder, failures) for cell in cells]
        if all(result.result is None for result in results):
            raise UserError(
                f"None of the {len(results)} cells of {folder.path} came to an end; the first one: "
                f"{results[0].failure}"
            )
        seconds = {"cells": _seconds(folder, time.monotonic() - started)}
        done = StudyRun(config, folder, results, seconds)
        best = study.best(done)
        if best is not None:
            run_folder.replace_text(folder.best_cell, json.dumps({"cell": best.name}) + "\n")
        study.report(done)


def _open(study: Study, config: Any) -> RunFolder:
    """The folder of the study, new or of the one to resume."""
    if config.resume is not None:
        return RunFolder(run_folder.find(config.resume, config.runs_dir, study.name))
    place = run_folder.new_place(config.runs_dir, study.name, config.run_name)
    folder = run_folder.create(place, study.name, configs.to_json(config), config.seed)
    folder.cells.mkdir()
    run_folder.point_latest(config.runs_dir, folder)
    return folder


def _seconds(folder: RunFolder, spent: float) -> float:
    """Seconds spent on cells, those before a stop included, which a file keeps."""
    path = folder.path / "checkpoints" / "seconds.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else 0.0
    run_folder.replace_text(path, json.dumps(before + spent) + "\n")
    return before + spent


def _run_cells(
    study: Study, config: Any, folder: RunFolder, cells: Sequence[Cell]
) -> dict[str, str]:
    """Runs what has no result; the reason by name of each cell that failed."""
    waiting = [cell for cell in cells if not _cell_folder(folder, cell).result.is_file()]
    if len(waiting) < len(cells):
        print(f"{len(cells) - len(waiting)} of {len(cells)} cells are finished already")
    # Of all cells, not of those that wait: the threads of a cell, of whose number depends in which
    # order sums are taken, are then as many after a stop as without one.
    jobs = _jobs(config.jobs, len(cells))
    running: list[_Running] = []
    failures: dict[str, str] = {}
    started, total = time.monotonic(), len(waiting)
    with signals.noted("Stopping; the cells at work save their state") as stop_requested:
        try:
            while (waiting or running) and not stop_requested():
                _start_what_can_start(folder, waiting, running, failures, jobs)
                time.sleep(_POLLING)
                for ended in [one for one in running if one.process.poll() is not None]:
                    running.remove(ended)
                    ended.process.stdin.close()
                    if (reason := _failure(folder, ended)) is not None:
                        failures[ended.cell.name] = reason
                    done = total - len(waiting) - len(running)
                    left = (time.monotonic() - started) / done * (total - done)
                    print(_line(study, folder, ended, reason, f"{done}/{total}", left), flush=True)
        finally:
            _stop(running)
        if stop_requested():
            raise Interrupted(
                f"\nStopped. Go on with:\n  python -m tasks.{study.name} --resume {folder.path}"
            )
    return failures


def _jobs(asked: int | str, cells: int) -> int:
    wanted = (os.cpu_count() or 1) if asked == "auto" else int(asked)
    return max(1, min(wanted, cells))


def _start_what_can_start(
    folder: RunFolder,
    waiting: list[Cell],
    running: list[_Running],
    failures: dict[str, str],
    jobs: int,
) -> None:
    """Moves cells from `waiting` to `running`, or to `failures` where what they need failed."""
    for cell in list(waiting):
        if cell.after is not None and cell.after in failures:
            waiting.remove(cell)
            failures[cell.name] = f"it needs the cell {cell.after}, which failed"
        elif len(running) < jobs and _may_start(folder, cell):
            waiting.remove(cell)
            running.append(_start(folder, cell, jobs))


def _may_start(folder: RunFolder, cell: Cell) -> bool:
    return cell.after is None or RunFolder(folder.cells / cell.after).result.is_file()


def _start(folder: RunFolder, cell: Cell, jobs: int) -> _Running:
    """The process of a cell; what it prints goes to a file beside the cell's folder."""
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
        "TF_NUM_INTRAOP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        # The last line is then the error's, not one printed before it and written at the end.
        "PYTHONUNBUFFERED": "1",
        # Several processes may share one GPU, whose memory the first would take whole.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    with _output(folder, cell).open("wb") as output:
        process = subprocess.Popen(
            _command(folder, cell),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process alone, which then stops each cell once.
            start_new_session=True,
        )
    return _Running(cell, process, time.monotonic())


def _command(folder: RunFolder, cell: Cell) -> list[str]:
    return [sys.executable, "-m", "tasks.common.study_cell", str(folder.path), cell.name]


def _stop(running: Sequence[_Running]) -> None:
    """Asks cells to save their state and end, and waits for them; at a second Ctrl-C kills."""
    for one in running:
        one.process.send_signal(signal.SIGTERM)
    try:
        for one in running:
            one.process.wait()
    finally:
        for one in running:
            one.process.kill()
            one.process.stdin.close()


def _failure(folder: RunFolder, ended: _Running) -> str | None:
    """Why a cell failed, in one line; None where it has its result."""
    status = ended.process.returncode
    if status == 0 and _cell_folder(folder, ended.cell).result.is_file():
        return None
    if status < 0:
        name = signal.Signals(-status).name
        memory = "; perhaps the memory did not suffice" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{memory}"
    text = _output(folder, ended.cell).read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1].removeprefix("error: ") if lines else "it printed nothing"
    return f"exit status {status}: {shorten(one_line(last), 300)}"


def _line(
    study: Study, folder: RunFolder, ended: _Running, reason: str | None, count: str, left: float
) -> str:
    """What is printed when a cell has ended."""
    took = duration(time.monotonic() - ended.started)
    if reason is not None:
        said = f"failed: {reason}"
    else:
        said = study.summarise(_read(_cell_folder(folder, ended.cell)))
    parts = [f"cell {count} {ended.cell.name}", said, took]
    if left > 0:
        parts.append(f"about {duration(left)} left")
    return ", ".join(part for part in parts if part)


def _result(cell: Cell, folder: RunFolder, failures: Mapping[str, str]) -> CellResult:
    place = _cell_folder(folder, cell)
    if cell.name in failures:
        return CellResult(cell.name, cell.config, place, None, failures[cell.name], ())
    history = read_history(place.history) if place.history.is_file() else ()
    return CellResult(cell.name, cell.config, place, _read(place), None, history)


def _read(place: RunFolder) -> dict[str, Any]:
    return json.loads(place.result.read_text(encoding="utf-8"))


def _cell_folder(folder: RunFolder, cell: Cell) -> RunFolder:
    return RunFolder(folder.cells / cell.name)


def _output(folder: RunFolder, cell: Cell) -> Path:
    return folder.cells / f"{cell.name}.txt"
