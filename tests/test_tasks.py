"""What every task of the suite keeps to, whatever it trains: one harness over all of them."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from callbacks.csv_history import read_history
from tasks import evaluate, export
from tasks.__main__ import VERBS, find_tasks
from tasks.common import config as configs
from tasks.common import metric_directions
from tasks.common.resume import read_position
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import open_run
from tasks.common.study import Study
from tasks.common.task import Task
from tests.tasks.processes import ROOT, run
from tests.tiny_options import TINY_RUNS, TINY_STUDIES, tiny_run

FOUND = find_tasks()
TASKS = [task for task in FOUND if isinstance(task, Task)]
EVERY = pytest.mark.parametrize("task", FOUND, ids=[task.name for task in FOUND])
EVERY_TASK = pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])


def config_class(task: Task | Study) -> type[configs.RunConfig]:
    return type(task.presets["quick"])


def test_tasks_are_found() -> None:
    names = [task.name for task in FOUND]
    assert "cars_finetune" in names
    assert names == sorted(set(names))


def test_no_tiny_run_is_left_over() -> None:
    assert set(TINY_RUNS) | set(TINY_STUDIES) == {task.name for task in FOUND}
    assert set(TINY_RUNS) == {task.name for task in TASKS}


def test_a_task_without_a_tiny_run_is_told_where_to_add_it() -> None:
    with pytest.raises(LookupError, match=r"'new_task'.*tests/tiny_options\.py"):
        tiny_run("new_task")


@EVERY
def test_name_and_summary(task: Task | Study) -> None:
    assert importlib.import_module(f"tasks.{task.name}").TASK is task
    assert task.name not in VERBS
    assert 0 < len(task.summary) <= 70
    assert "\n" not in task.summary
    assert not task.summary.endswith(".")


@EVERY_TASK
def test_a_monitored_value_is_better_when_larger_or_when_smaller(task: Task) -> None:
    assert task.monitor.startswith("val_")
    assert task.mode in ("max", "min")


@EVERY
def test_the_docstring_is_an_experiment_card(task: Task | Study) -> None:
    text = importlib.import_module(f"tasks.{task.name}").__doc__
    first, blank, *card = text.splitlines()
    assert 0 < len(first) <= 100
    assert blank == ""
    for heading in ("Paper:", "Data:", "Expected:", "Command:"):
        assert any(line.startswith(heading) for line in card), f"no line starts with {heading}"
    assert f"python -m tasks.{task.name}" in text


@EVERY
def test_presets(task: Task | Study) -> None:
    """`quick` holds the plain defaults; every preset knows its name and survives its JSON."""
    kind = config_class(task)
    assert task.presets["quick"] == kind()
    assert {"seed", "paper"} <= task.presets.keys()
    for name, config in task.presets.items():
        assert type(config) is kind
        assert config.preset == name
        assert configs.from_json(kind, configs.to_json(config), Path("config.json")) == config
        assert configs.parse(task.presets, ["--preset", name], "python -m tasks.x") == config


@EVERY
def test_every_option_is_typed_and_frozen(task: Task | Study) -> None:
    kind = config_class(task)
    hints = typing.get_type_hints(kind)
    assert set(hints) == {field.name for field in dataclasses.fields(kind)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.presets["quick"].seed = 1


@EVERY
def test_the_quick_preset_fits_together(task: Task | Study) -> None:
    config = task.presets["quick"]
    if hasattr(config, "weights"):
        config = dataclasses.replace(config, weights="none")
    assert task.check(config) == config


def described_options(help_text: str) -> dict[str, str]:
    """Options of a help text with what it says about each, the default left out."""
    inside = [line.strip(" │|") for line in re.sub(r"\x1b\[[0-9;]*m", "", help_text).splitlines()]
    options: dict[str, str] = {}
    current = None
    for line in inside:
        match = re.match(r"(?:-\w, )?--([\w-]+)", line)
        if match:
            current = match[1]
            # The description stands in a column of its own, or on the lines below.
            columns = re.split(r"\s{2,}", line, maxsplit=1)
            options[current] = columns[1] if len(columns) > 1 else ""
        elif current is not None:
            options[current] += f" {line}"
    return {
        name: re.sub(r"\((default|required|fixed|optional)[^)]*\)|[─╭╮╰╯]", "", text).strip()
        for name, text in options.items()
    }


@EVERY
def test_help_describes_every_option_at_once(task: Task | Study, tmp_path: Path) -> None:
    result = run(tmp_path, f"tasks.{task.name}", "--help")
    described = described_options(result.stdout)
    undescribed = []
    for field in dataclasses.fields(config_class(task)):
        option = field.name.replace("_", "-")
        assert option in described, f"--help does not list --{option}"
        if len(described[option].split()) < 3:
            undescribed.append(f"--{option}: {described[option]!r}")
    assert not undescribed, f"options without a description: {undescribed}"
    assert not list(tmp_path.iterdir())


def test_an_option_without_a_description_would_be_found() -> None:
    """The reading of help texts itself, on both layouts that are used."""
    text = (
        "╭─ options ──────────────────────────────╮\n"
        "│ -h, --help        show this and exit     │\n"
        "│ --one INT         Examples a step, at    │\n"
        "│                   most. (default: 3)     │\n"
        "│ --two-or-three {None}|FLOAT              │\n"
        "│                   What it is. (default: None) │\n"
        "│ --bare FLOAT      (default: 1)           │\n"
        "╰────────────────────────────────────────╯\n"
    )
    assert described_options(text) == {
        "help": "show this and exit",
        "one": "Examples a step, at most.",
        "two-or-three": "What it is.",
        "bare": "",
    }


def test_the_list_of_tasks_is_there_in_a_moment() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tasks"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # Within one second on an idle machine; a busy one gets some more.
    lines = result.stdout.splitlines()
    for name, summary in [
        *((task.name, task.summary) for task in FOUND),
        *VERBS.items(),
    ]:
        assert any(f"tasks.{name} " in line and line.endswith(summary) for line in lines)
    assert result.stderr == ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> typing.Callable[[Task], RunFolder]:
    """Runs a task once, tiny, as a user does; gives its run folder."""
    done: dict[str, RunFolder] = {}

    def finish(task: Task) -> RunFolder:
        if task.name not in done:
            place = tmp_path_factory.mktemp(task.name)
            options = tiny_run(task.name).options
            run(place, f"tasks.{task.name}", *options, "--run-name", "tiny")
            done[task.name] = RunFolder(place / "runs" / task.name / "tiny")
        return done[task.name]

    return finish


@EVERY_TASK
def test_a_run_leaves_every_part_of_its_folder(
    task: Task, finished: typing.Callable[[Task], RunFolder]
) -> None:
    folder = finished(task)
    parts = ("config", "environment", "log", "history", "state", "model")
    for part in parts:
        path = getattr(folder, part)
        assert path.is_file(), f"{path} is missing"
        assert path.stat().st_size > 0, f"{path} is empty"
    assert list(folder.tensorboard.rglob("events.out.tfevents.*"))
    for name in ("metrics.json", "report.md"):
        assert (folder.report / name).is_file(), f"report/{name} is missing"
    assert (folder.path.parents[1] / "latest").resolve() == folder.path.resolve()
    leftovers = [path for path in folder.path.rglob("*") if ".part" in path.name]
    assert leftovers == []


@EVERY_TASK
def test_the_parts_of_a_run_agree(task: Task, finished: typing.Callable[[Task], RunFolder]) -> None:
    folder = finished(task)
    text = folder.config.read_text(encoding="utf-8")
    config = configs.from_json(config_class(task), text, folder.config)
    assert config.run_name == "tiny"
    environment = json.loads(folder.environment.read_text(encoding="utf-8"))
    assert environment["task"] == task.name
    assert environment["seed"] == config.seed
    assert environment["command"].startswith(f"python -m tasks.{task.name} ")
    history = read_history(folder.history)
    assert {task.monitor, "loss", "val_loss"} <= set(history[0])
    assert read_position(folder).epoch == len(history)
    assert f"epoch {len(history)}/{len(history)}" in folder.log.read_text(encoding="utf-8")


@EVERY_TASK
def test_the_report_has_its_numbers(
    task: Task, finished: typing.Callable[[Task], RunFolder]
) -> None:
    folder = finished(task)
    document = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    assert document["task"] == task.name
    assert set(document["metrics"]) == {"test", "validation"}
    assert document["metrics"]["test"].keys() == document["metrics"]["validation"].keys()
    assert document["baseline"]
    assert all(seconds >= 0 for seconds in document["seconds"].values())
    assert document["parameters"] > 0
    headline = document["headline"]
    assert headline["metric"] in document["metrics"]["test"]
    assert headline["better"] == metric_directions.direction(headline["metric"])
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (folder.report / "report.md").read_text())
    for figure in shown:
        assert (folder.report / figure).is_file(), f"report.md shows {figure}, which is missing"


@EVERY_TASK
def test_the_saved_model_gives_what_the_report_says(
    task: Task, finished: typing.Callable[[Task], RunFolder]
) -> None:
    folder, tiny = finished(task), tiny_run(task.name)
    saved = open_run(str(folder.path), Path("elsewhere"))
    assert saved.task is task
    document = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    assert saved.model.count_params() == document["parameters"]
    measured = tiny.measure(task, saved.config, saved.model)
    assert measured == pytest.approx(document["metrics"]["test"][tiny.metric], abs=1e-6)


@EVERY_TASK
def test_a_run_selects_its_best_epoch(
    task: Task, finished: typing.Callable[[Task], RunFolder]
) -> None:
    """The saved model's validation metric is the best of the history."""
    folder = finished(task)
    document = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    values = [float(row[task.monitor]) for row in read_history(folder.history)]
    best = max(values) if task.mode == "max" else min(values)
    metric = task.monitor.removeprefix("val_")
    assert document["metrics"]["validation"][metric] == pytest.approx(best, abs=1e-5)


@EVERY_TASK
def test_evaluate_gives_the_numbers_of_the_report_again(
    task: Task,
    finished: typing.Callable[[Task], RunFolder],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert evaluate.main([str(finished(task).path)]) == 0
    assert "These are the numbers of the run's report." in capsys.readouterr().out


@EVERY_TASK
def test_the_model_of_a_run_exports(
    task: Task,
    finished: typing.Callable[[Task], RunFolder],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To ONNX, the quickest format, loaded again and compared by the command itself."""
    words = [str(finished(task).path), "--format", "onnx", "--output", str(tmp_path)]
    assert export.main(words) == 0
    assert (tmp_path / "model.onnx").stat().st_size > 0
    assert "they agree" in capsys.readouterr().out
