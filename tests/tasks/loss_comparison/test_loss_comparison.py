"""What a comparison of losses says of its cells, on cells made by hand."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from datasets import generated_topics
from tasks.common.loss_comparison import figures, groups
from tasks.common.loss_comparison import report as loss_comparison_report
from tasks.common.run_folder import RunFolder
from tasks.common.study import CellResult, StudyRun
from tasks.reuters_losses import PAIRS, REPORTED, ReutersLossesConfig, cells

EARLY, LAST = 2, 4
COMPARED = [PAIRS[name] for name in REPORTED]


def study(folder: Path, failing: str | None = None) -> StudyRun:
    """Pair number p has accuracy p / 10 + seed / 100 + epoch / 1000 and gradient 1 / (p + 1)."""
    config = ReutersLossesConfig(epochs=LAST, early_epochs=EARLY, repetitions=2)
    results = []
    for cell in cells(config):
        number = COMPARED.index((cell.config.activation, cell.config.loss))
        base = number / 10 + cell.config.seed / 100
        history = [
            {"val_accuracy": base + n / 1000, "val_logit_gradient_norm": 1 / (number + 1)}
            for n in range(1, LAST + 1)
        ]
        scores = {"accuracy": base, "accuracy_low": base, "accuracy_high": base, "log_loss": 1.0}
        found = {"metrics": {"validation": scores, "test": scores}, "parameters": 7}
        failed = cell.name == failing
        results.append(
            CellResult(
                cell.name,
                cell.config,
                RunFolder(folder / "cells" / cell.name),
                None if failed else found,
                "it | broke" if failed else None,
                () if failed else history,
            )
        )
    return StudyRun(config, RunFolder(folder), results, {"cells": 12.0})


@pytest.fixture
def found(tmp_path: Path) -> list[groups.Group]:
    return groups.groups(study(tmp_path))


def test_cells_are_grouped_over_their_seeds(found) -> None:
    assert len(found) == 10
    group = found[1]
    assert (group.name, group.optimizer, group.seeds) == ("softmax + CCE", "sgd", (0, 1))
    np.testing.assert_allclose(group.at(2, group.accuracies), [0.102, 0.112])
    np.testing.assert_allclose(group.at(9, group.accuracies), [0.104, 0.114])
    np.testing.assert_allclose(group.tests, [0.1, 0.11])
    assert groups.spread(group.tests) == "0.105 ± 0.007"
    assert groups.spread(group.tests[:1]) == "0.100"
    assert list(groups.by_optimizer(found)) == ["sgd", "adam"]


def test_the_ranking_is_by_the_mean(found) -> None:
    names = [group.name for group in groups.ranking(found[:5], EARLY)]
    assert names == [
        *("linear + MSE", "softmax + MSE", "sigmoid + MSE", "softmax + CCE", "sigmoid + BCE")
    ]


def test_cells_that_ended_early_or_failed_are_left_out_where_they_have_nothing(
    tmp_path: Path,
) -> None:
    run = study(tmp_path, failing="sgd_sigmoid_bce_seed1")
    run.results[2].history.pop()
    first, second = groups.groups(run)[:2]
    assert first.seeds == (0,)
    assert np.isnan(second.accuracies[0, -1])
    np.testing.assert_allclose(second.at(LAST, second.accuracies), [0.103, 0.114])


def test_the_table_of_cells(found) -> None:
    rows = list(csv.DictReader(io.StringIO(groups.as_csv(found, [EARLY, LAST]))))
    assert len(rows) == 20
    assert rows[3]["activation"] == "softmax"
    assert rows[3]["seed"] == "1"
    assert float(rows[3]["accuracy_2"]) == pytest.approx(0.112)
    assert float(rows[3]["gradient_norm_4"]) == pytest.approx(0.5)


def report(run: StudyRun, reported: dict) -> str:
    splits = generated_topics.load(150, 60, 0.1, 0.2, seed=0)
    at_start = dict.fromkeys(COMPARED, 0.5)
    chosen = next(result for result in run.results if result.result is not None)
    loss_comparison_report.report("x", run, chosen, splits, at_start, reported)
    return (run.folder.report / "report.md").read_text(encoding="utf-8")


def test_the_report_teaches_and_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = dict.fromkeys(COMPARED, (0.105, 0.107))
    text = report(study(tmp_path, failing="adam_linear_mse_seed0"), reported)
    for pair in COMPARED:
        assert f"**{groups.PAIR_NAMES[pair]}**" in text
    # After 2 epochs softmax + CCE reached 0.107 ± 0.007.
    assert "linear + MSE (0.105 there, 0.407 ± 0.007 here)" in text
    assert "softmax + CCE (" not in text
    assert "its first 2 epochs are, step by step, a run of 2" in text
    assert "| adam\\_linear\\_mse\\_seed0 | it \\| broke |" in text
    for name in ("accuracy", "gradient_at_the_logits", "test_accuracy"):
        assert (tmp_path / "report" / f"{name}.png").stat().st_size > 5000
    examples = (tmp_path / "report" / "example_texts.txt").read_text().splitlines()
    assert len(examples) == 10
    printed = capsys.readouterr().out
    assert "linear SVM on tf-idf" in printed
    assert "0.105 ± 0.007" in printed


def test_the_same_order_as_another_report_is_said(tmp_path: Path) -> None:
    run = study(tmp_path)
    reported = {
        pair: (number / 10 + 0.007, number / 10 + 0.009) for number, pair in enumerate(COMPARED)
    }
    text = report(run, reported)
    assert "After 2 epochs the order is that of the report: linear + MSE > " in text
    assert "Each number of the report lies within two standard deviations" in text


def test_a_pair_that_the_other_report_lacks_is_left_out_of_the_order(found) -> None:
    reported = dict.fromkeys(COMPARED[:2], 0.1)
    text = loss_comparison_report._beside_reported(found[:5], EARLY, reported)
    assert text.startswith("After 2 epochs the order is that of the report: softmax + CCE > sig")
    assert "linear" not in text


def test_a_pair_that_fell_is_named(found) -> None:
    assert loss_comparison_report._fallen(found[:5], [EARLY, LAST]) == []
    fallen = dataclasses.replace(found[1], accuracies=found[1].accuracies[:, ::-1] * 10)
    (text,) = loss_comparison_report._fallen([found[0], fallen], [EARLY, LAST])
    # Ten times 0.103 and 0.113, then ten times 0.101 and 0.111.
    assert "after 2 epochs than after 4: softmax + CCE (1.080 to 1.060)" in text


def test_without_another_report_there_is_no_column_for_it(found) -> None:
    header, rows = loss_comparison_report.ranking_table(found[:5], [EARLY, LAST], {})
    assert header == ["output and loss", "epoch 2", "epoch 4", "test, best epoch"]
    assert rows[0] == ["linear + MSE", "0.407 ± 0.007", "0.409 ± 0.007", "0.405 ± 0.007"]


def test_the_curves_show_every_pair_in_a_panel_an_optimizer(found) -> None:
    figure = figures.learning_curves(
        found, EARLY, {("softmax", "categorical_crossentropy"): (0.5, 0.7)}, 0.3
    )
    left, right = figure.axes
    # Five means, two dotted lines, and on the left the rings.
    assert (len(left.lines), len(right.lines)) == (8, 7)
    assert left.lines[1].get_ydata().tolist() == pytest.approx([0.106, 0.107, 0.108, 0.109])
    assert "rings" in left.get_title(loc="left")
    assert "rings" not in right.get_title(loc="left")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [groups.PAIR_NAMES[pair] for pair in COMPARED]
    gradients = figures.gradient_norms(found[:5], EARLY)
    assert gradients.axes[0].get_yscale() == "log"


def test_lengths_are_read_where_they_differ() -> None:
    def run(early: int, longest: int) -> SimpleNamespace:
        history = [{}] * longest
        config = SimpleNamespace(early_epochs=early)
        return SimpleNamespace(results=[SimpleNamespace(history=history)], config=config)

    assert loss_comparison_report.lengths(run(20, 100)) == [20, 100]
    assert loss_comparison_report.lengths(run(20, 12)) == [12]
    assert loss_comparison_report.lengths(run(20, 20)) == [20]
