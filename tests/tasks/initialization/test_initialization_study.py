"""The grid of the initialization study, what becomes of a stack that diverges, and its report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from datasets.rendered import digits
from keras_models.layer_stack import build_layer_stack
from tasks import initialization_study
from tasks.common.errors import UserError
from tasks.common.initialization import layer_spreads, report
from tasks.common.run_folder import RunFolder
from tasks.common.study import CellResult, StudyRun
from tasks.initialization_study import (
    PRESETS,
    InitializationStudyConfig,
    StackConfig,
    cells,
)

NAMES = tuple("0123456789")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": "mnist"}, "--data mnist needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data mnist"),
        ({"schemes": ()}, "--schemes must be at least one, each once. Received: nothing"),
        ({"schemes": ("he", "he")}, "--schemes must be at least one, each once. Received: he he"),
        ({"activations": ()}, "--activations must be at least one"),
        ({"depth": 0}, "--depth must be at least 1"),
        ({"width": 0}, "--width must be at least 1"),
        ({"learning_rate": float("nan")}, "--learning-rate must be above 0"),
        ({"rendered_count": (100, 100, 9)}, "--rendered-count must be at least one picture"),
        ({"repetitions": 0}, "--repetitions must be at least 1"),
        ({"batch_size": 0}, "--batch-size must be at least 1"),
    ],
)
def test_options_that_do_not_fit_are_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        initialization_study.check(dataclasses.replace(InitializationStudyConfig(), **changes))
    assert str(caught.value).startswith(sentence)


def test_the_grid_is_every_scheme_with_every_activation_for_every_seed() -> None:
    found = cells(InitializationStudyConfig(seed=7, repetitions=2))
    assert len({cell.name for cell in found}) == len(found) == 5 * 2 * 2
    assert {cell.config.seed for cell in found} == {7, 8}
    for cell in found:
        config = cell.config
        assert cell.name == f"{config.activation}-{config.scheme}-seed{config.seed}"
        assert config.schedule == "constant"
        assert config.optimizer == "sgd"
    # The first seed is complete before the second begins.
    assert [cell.config.seed for cell in found] == [7] * 10 + [8] * 10


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_reaches_its_cells(name: str) -> None:
    config = PRESETS[name]
    for cell in cells(config):
        for field in ("data", "layers", "depth", "width", "epochs", "learning_rate", "batch_size"):
            assert getattr(cell.config, field) == getattr(config, field)


def test_a_damaged_file_is_found_before_any_cell(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"cut off")
    config = InitializationStudyConfig(data="mnist", data_dir=tmp_path)
    with pytest.raises(initialization_study.datasets.core.DataError, match="cannot be read"):
        initialization_study.check(config)


def test_a_stack_that_diverges_is_a_result(tmp_path: Path) -> None:
    config = StackConfig(
        scheme="large",
        depth=6,
        width=60,
        epochs=1,
        batch_size=10,
        rendered_count=(40, 20, 20),
        optimizer="sgd",
        schedule="constant",
        learning_rate=10.0,
    )
    folder = RunFolder(tmp_path / "cells" / "relu-large-seed0")
    result = json.loads(json.dumps(initialization_study.run_cell(config, folder)))
    assert result["diverged"].startswith("Training stopped: loss became")
    before, after, changes = layer_spreads.from_json(result["layers"])
    assert after is None
    assert len(before) == 6
    assert {change.kernel for change in changes} == {0.0}
    assert initialization_study.summarise(result) == "diverged"


def made_result(
    tmp_path: Path, activation: str, scheme: str, seed: int, accuracy: float | None
) -> CellResult:
    """A cell as it would have ended, with the spreads of two untrained stacks."""
    source = digits.RenderedDigits(20, 0)
    fresh, trained = (
        build_layer_stack(NAMES, scheme, activation, 3, 6, seed=number) for number in (0, 1)
    )
    result = {
        "diverged": "Training stopped" if accuracy is None else None,
        "layers": layer_spreads.measured(fresh, None if accuracy is None else trained, source),
    }
    if accuracy is not None:
        metrics = {"accuracy": accuracy}
        result |= {"metrics": {"test": metrics, "validation": metrics}, "parameters": 123}
    history = (
        [] if accuracy is None else [{"val_accuracy": accuracy / 2}, {"val_accuracy": accuracy}]
    )
    return CellResult(
        f"{activation}-{scheme}-seed{seed}",
        StackConfig(activation=activation, scheme=scheme, seed=seed),
        RunFolder(tmp_path / "cells" / f"{activation}-{scheme}-seed{seed}"),
        result,
        None,
        history,
    )


@pytest.fixture
def results(tmp_path: Path) -> list[CellResult]:
    values = {
        ("tanh", "zeros"): (0.1, 0.1),
        ("tanh", "xavier"): (0.9, 0.94),
        ("relu", "zeros"): (0.1, 0.1),
        ("relu", "large"): (None, 0.3),
    }
    return [
        made_result(tmp_path, *key, seed, accuracy)
        for key, pair in values.items()
        for seed, accuracy in enumerate(pair)
    ]


def test_groups_hold_means_over_the_seeds_that_came_to_an_end(results: list[CellResult]) -> None:
    groups = report.grouped(results)
    assert list(groups) == [
        ("tanh", "zeros"),
        ("tanh", "xavier"),
        ("relu", "zeros"),
        ("relu", "large"),
    ]
    xavier = groups["tanh", "xavier"].test
    assert xavier.mean == pytest.approx(0.92)
    # Student's interval of two values: 12.706 times half their distance (t, one degree).
    assert xavier.half_width == pytest.approx(12.706 * 0.02, rel=1e-3)
    assert groups["tanh", "zeros"].test.half_width == 0.0
    large = groups["relu", "large"]
    assert (large.diverged, large.test.values, large.after) == (1, (0.3,), None)


def test_the_table_has_a_row_a_scheme_and_a_column_an_activation(
    results: list[CellResult],
) -> None:
    header, rows = report.accuracy_table(report.grouped(results), linear=0.75)
    assert header == ("test accuracy", "tanh", "relu")
    assert rows == [
        ("zeros", "0.100 ± 0.000 (2 seeds)", "0.100 ± 0.000 (2 seeds)"),
        ("xavier", "0.920 ± 0.254 (2 seeds)", "–"),
        ("large", "–", "0.300 (1 seed), 1 diverged"),
        ("linear classifier on the pixels", "0.750", "0.750"),
    ]


def test_the_report_shows_every_figure_and_why_zeros_fail(
    results: list[CellResult], tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "study")
    config = InitializationStudyConfig(repetitions=2)
    splits = digits.load(60, 20, 20, seed=0)
    run = StudyRun(config, folder, results, {"cells": 1.0})
    report.report("initialization_study", run, splits)
    text = (folder.report / "report.md").read_text(encoding="utf-8")
    assert "tanh learned best with xavier (92.0 %) and relu learned best with large" in text
    figures = {path.stem for path in folder.report.glob("*.png")}
    assert figures == {
        *("spread_by_layer", "outputs_before_training", "outputs_after_training"),
        "learning_curves",
    }
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    blocked, movement = [
        [cell.strip() for cell in row] for row in rows if row[0].strip() == "tanh, zeros"
    ]
    assert blocked == ["tanh, zeros", "0.0 %", "0.0 %"]
    assert movement[1:6] == ["0.0e+00"] * 5
    assert movement[6] == "3 of 18"
    document = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    assert document["metrics"]["tanh, xavier"]["test"] == pytest.approx(0.92)
    assert document["parameters"] == 123
    assert 0 < document["baseline"]["linear classifier on the pixels"]["test"] <= 1


def test_the_best_cell_is_chosen_on_validation(results: list[CellResult], tmp_path: Path) -> None:
    run = StudyRun(InitializationStudyConfig(), RunFolder(tmp_path), results, {})
    assert initialization_study.best(run).name == "tanh-xavier-seed1"
    diverged = [result for result in results if result.result["diverged"]]
    assert initialization_study.best(dataclasses.replace(run, results=diverged)) is None


def test_the_linear_baseline_is_that_of_the_pixels() -> None:
    splits = digits.load(300, 60, 60, seed=0)
    accuracy = report.linear_accuracy(splits)
    assert 0.3 < accuracy < 0.95
    assert np.isclose(accuracy * 60, round(accuracy * 60))
