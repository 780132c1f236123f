"""What is read off a run folder of the suite."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks import suite_run
from benchmarks.multiply_adds import NetworkCost
from benchmarks.timed_process import Finished
from tasks import cars_finetune
from tasks.common import config as configs
from tasks.common.run_folder import RunFolder

COST = NetworkCost(stages=(100, 200, 400), head=10)
COUNTS = {"train": 50, "validation": 20, "test": 30}
PROCESS = Finished(("-m", "tasks.cars_finetune"), 1_000_000.0, 1_000_200.0, 123)


def write_run(
    path: Path, epochs: dict[str, int], seconds: dict[str, float], **options: Any
) -> None:
    """A run that was ready 10 s after its process began and had trained after 150 s."""
    folder = RunFolder(path)
    folder.report.mkdir(parents=True)
    folder.state.parent.mkdir()
    names = {"tail_stages": 1, "cached_views": 3, "augment": ["flip"], "head_solver": "gradient"}
    folder.config.write_text(json.dumps({**names, **options}))
    os.utime(folder.config, (1_000_010.0, 1_000_010.0))
    folder.state.write_text("")
    os.utime(folder.state, (1_000_150.0, 1_000_150.0))
    lines = [stage for stage, count in epochs.items() for _ in range(count)]
    text = "".join(f"{number},{stage},1.0\n" for number, stage in enumerate(lines, start=1))
    folder.history.write_text(f"epoch,stage,seconds\n{text}")
    metrics = {
        "metrics": {"test": {"accuracy": 0.75}},
        "seconds": {**seconds, "evaluation": 6.0, "baselines": 9.0},
    }
    (folder.report / "metrics.json").write_text(json.dumps(metrics))


def test_times_are_those_of_the_process_and_its_files(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"head": 2, "tail": 4}, {"head": 20.0, "tail": 60.0})
    found = suite_run.read("suite", RunFolder(tmp_path / "run"), PROCESS, COUNTS, COST)
    assert found.accuracy == 0.75
    assert (found.start_seconds, found.training_seconds, found.total_seconds) == (10, 150, 200)
    assert (found.evaluation_seconds, found.peak_bytes) == (6.0, 123)
    assert sum(found.parts().values()) == pytest.approx(200)
    assert found.parts()["between"] == pytest.approx(150 - 10 - 20 - 60)


def test_without_stored_features_every_picture_passes_the_whole_network(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"head": 2, "tail": 4}, {"head": 20.0, "tail": 60.0})
    found = suite_run.read("suite", RunFolder(tmp_path / "run"), PROCESS, COUNTS, COST)
    head, tail = found.stages
    assert (head.name, head.seconds, head.examples) == ("head", 20.0, 100)
    assert head.multiply_adds == 2 * (50 * (700 + 3 * 10) + 20 * 710)
    assert (tail.name, tail.examples) == ("tail", 200)
    assert tail.multiply_adds == 4 * (50 * (300 + 3 * 410) + 20 * 710)


SECONDS = {"head_features": 30.0, "head": 1.0, "tail_features": 5.0, "tail": 40.0}


def test_stored_features_are_a_stage_of_their_own(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"head": 2, "tail": 4}, SECONDS)
    found = suite_run.read("suite", RunFolder(tmp_path / "run"), PROCESS, COUNTS, COST)
    features, head, tail = found.stages
    # Three views for the tail of four epochs; the head learns from what leaves the last stage.
    assert (features.name, features.seconds, features.examples) == ("features", 35.0, 150)
    assert features.multiply_adds == (50 * 3 + 20) * 700
    assert head.multiply_adds == 2 * (50 * 3 * 10 + 20 * 10)
    assert tail.multiply_adds == 4 * (50 * 3 * 410 + 20 * 410)
    assert found.parts()["features"] == 35.0


@pytest.mark.parametrize(
    ("options", "epochs", "views"),
    [
        ({}, {"head": 1, "tail": 2}, 2),
        ({"head_solver": "logistic"}, {"head": 1, "tail": 2}, 3),
        ({"head_solver": "logistic", "augment": []}, {"head": 1, "tail": 2}, 1),
    ],
)
def test_no_more_views_are_stored_than_are_looked_at(
    tmp_path: Path, options: dict[str, Any], epochs: dict[str, int], views: int
) -> None:
    write_run(tmp_path / "run", epochs, SECONDS, **options)
    found = suite_run.read("suite", RunFolder(tmp_path / "run"), PROCESS, COUNTS, COST)
    assert found.stages[0].examples == 50 * views


def test_a_full_stage_passes_the_whole_network(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"full": 1}, {"full": 5.0})
    found = suite_run.read("suite", RunFolder(tmp_path / "run"), PROCESS, COUNTS, COST)
    (full,) = found.stages
    assert full.multiply_adds == 50 * 3 * 710 + 20 * 710


@pytest.mark.parametrize("recipe", [suite_run.WITH_CACHE, suite_run.WITHOUT_CACHE])
def test_the_task_knows_the_options_of_the_recipe(tmp_path: Path, recipe: tuple[str, ...]) -> None:
    module, task, *words = suite_run.words(tmp_path, "mine", recipe)
    assert (module, task) == ("-m", "tasks.cars_finetune")
    config = configs.parse(cars_finetune.PRESETS, words, "python -m tasks.cars_finetune")
    cars_finetune._check_recipe(config)
    assert config.cache is (recipe is suite_run.WITH_CACHE)
    assert config.cache_dir == tmp_path / "cache_mine"
    folder = suite_run.run_folder(tmp_path, "mine")
    assert folder.path == config.runs_dir / "cars_finetune" / config.run_name
