"""What every study keeps to, whatever it compares: one harness over all of them.

What studies have in common with other tasks is tested in `test_tasks`.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tasks import evaluate, export
from tasks.__main__ import find_tasks
from tasks.common import config as configs
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import open_run
from tasks.common.study import Study
from tests.tasks.processes import PATIENCE, run, signal_when, start
from tests.tiny_options import TINY_STUDIES

STUDIES = [task for task in find_tasks() if isinstance(task, Study)]
EVERY_STUDY = pytest.mark.parametrize("study", STUDIES, ids=[study.name for study in STUDIES])

Finish = Callable[[Study], RunFolder]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finish:
    """Runs a study once, tiny, as a user does; gives its run folder."""
    done: dict[str, RunFolder] = {}

    def finish(study: Study) -> RunFolder:
        if study.name not in done:
            place = tmp_path_factory.mktemp(study.name)
            options = TINY_STUDIES[study.name].options
            run(place, f"tasks.{study.name}", *options, "--run-name", "tiny")
            done[study.name] = RunFolder(place / "runs" / study.name / "tiny")
        return done[study.name]

    return finish


def stored_config(study: Study, folder: RunFolder) -> configs.StudyConfig:
    text = folder.config.read_text(encoding="utf-8")
    return configs.from_json(type(study.presets["quick"]), text, folder.config)


@EVERY_STUDY
def test_a_tiny_run_is_named(study: Study) -> None:
    assert study.name in TINY_STUDIES, "add an entry to TINY_STUDIES of tests/tiny_options.py"


@EVERY_STUDY
@pytest.mark.parametrize("preset", ["quick", "seed", "paper"])
def test_cells_have_names_of_their_own(study: Study, preset: str) -> None:
    cells = study.cells(study.presets[preset])
    names = [cell.name for cell in cells]
    assert len(set(names)) == len(names) > 0
    assert all(re.fullmatch(r"[\w.+-]+", name) for name in names)
    for number, cell in enumerate(cells):
        assert cell.after is None or cell.after in names[:number]


@EVERY_STUDY
def test_the_cell_task_bears_the_name_of_the_study(study: Study) -> None:
    if study.cell_task is None:
        pytest.skip(f"the cells of {study.name} train nothing")
    assert study.cell_task.name == study.name
    kind = type(study.cell_task.presets["quick"])
    config = study.cells(study.presets["quick"])[0].config
    assert type(config) is kind
    assert configs.from_json(kind, configs.to_json(config), Path("config.json")) == config


@EVERY_STUDY
def test_a_study_leaves_every_part_of_its_folder(study: Study, finished: Finish) -> None:
    folder = finished(study)
    for path in (folder.config, folder.environment, folder.log, folder.report / "report.md"):
        assert path.stat().st_size > 0
    assert (folder.path.parents[1] / "latest").resolve() == folder.path.resolve()
    config = stored_config(study, folder)
    names = {cell.name for cell in study.cells(config)}
    assert len(names) == TINY_STUDIES[study.name].cells
    assert {path.parent.name for path in folder.cells.glob("*/result.json")} == names
    assert json.loads(folder.environment.read_text())["task"] == study.name
    assert [path for path in folder.path.rglob("*") if ".part" in path.name] == []


@EVERY_STUDY
def test_the_report_shows_figures_that_are_there(study: Study, finished: Finish) -> None:
    folder = finished(study)
    document = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    assert document["task"] == study.name
    text = (folder.report / "report.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert shown
    for figure in shown:
        assert (folder.report / figure).is_file(), f"report.md shows {figure}, which is missing"
    assert "|" in text, "a study ends in a table"


@EVERY_STUDY
def test_the_best_cell_opens_as_a_run(study: Study, finished: Finish) -> None:
    folder = finished(study)
    if not folder.best_cell.is_file():
        pytest.skip(f"no cell stands for {study.name}")
    saved = open_run(str(folder.path), Path("elsewhere"))
    name = json.loads(folder.best_cell.read_text())["cell"]
    assert saved.folder.path == folder.path.resolve() / "cells" / name
    assert saved.task is study.cell_task
    metrics = json.loads((saved.folder.report / "metrics.json").read_text())
    assert saved.model.count_params() == metrics["parameters"]


@EVERY_STUDY
def test_the_best_cell_is_evaluated_and_exported(
    study: Study, finished: Finish, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = finished(study)
    if not folder.best_cell.is_file():
        pytest.skip(f"no cell stands for {study.name}")
    assert evaluate.main([str(folder.path)]) == 0
    assert "These are the numbers of the run's report." in capsys.readouterr().out
    assert export.main([str(folder.path), "--format", "onnx", "--output", str(tmp_path)]) == 0
    assert "they agree" in capsys.readouterr().out


@EVERY_STUDY
def test_a_resumed_study_does_again_only_what_is_missing(study: Study, finished: Finish) -> None:
    folder = finished(study)
    config = stored_config(study, folder)
    results = {path: path.stat().st_mtime_ns for path in folder.cells.glob("*/result.json")}
    lost = folder.cells / study.cells(config)[-1].name
    before = json.loads((lost / "result.json").read_text())
    shutil.rmtree(lost)
    place = folder.path.parents[2]
    output = run(place, f"tasks.{study.name}", "--resume", str(folder.path)).stdout
    assert f"{len(results) - 1} of {len(results)} cells are finished already" in output
    for path, written in results.items():
        assert (path.stat().st_mtime_ns == written) == (path.parent != lost)
    after = json.loads((lost / "result.json").read_text())
    assert after.keys() == before.keys()
    if "metrics" in before:
        # The same seed on the same machine: the cell gives the same numbers again.
        assert after["metrics"] == before["metrics"]


def test_a_killed_study_goes_on_at_its_last_finished_cell(tmp_path: Path) -> None:
    options = (*TINY_STUDIES["phone_price"].options, "--repetitions", "3", "--jobs", "1")
    folder = RunFolder(tmp_path / "runs" / "phone_price" / "one")
    # In full, so that the folder is known again in the words of the cells' processes.
    place = ("--runs-dir", str(tmp_path / "runs"), "--run-name", "one")
    process = start(tmp_path, "tasks.phone_price", *options, *place)

    def results() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in folder.cells.glob("*/result.json")}

    def later_cell_is_at_work() -> bool:
        begun = len(list(folder.cells.glob("*.txt")))
        return begun > len(results()) > 0 and len(cells_at_work(folder)) == 1

    signal_when(process, later_cell_is_at_work, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while cells_at_work(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert cells_at_work(folder) == [], "a cell outlives the study that was killed"
    finished = results()
    output = run(tmp_path, "tasks.phone_price", "--resume", str(folder.path)).stdout
    assert f"{len(finished)} of 3 cells are finished already" in output
    assert len(results()) == 3
    assert finished.items() <= results().items()


def cells_at_work(folder: RunFolder) -> list[int]:
    """Processes that run a cell of this study."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if {"tasks.common.study_cell", str(folder.path)} <= set(process.info["cmdline"] or ())
    ]
