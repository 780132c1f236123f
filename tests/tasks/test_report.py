"""The report folder: JSON that other programs read, Markdown that no name can break out of."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.core import DatasetInfo
from tasks.common import classification, classification_report, report
from tasks.common.classification import Predictions
from tasks.common.classification_report import ClassificationReport

HOSTILE = ("a|b", "<script>alert(1)</script>", "line\nbreak", "`code` *bold* [x](y)", "plain", "")


def predictions(count: int, class_count: int, sharp: float, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % class_count
    logits = rng.normal(size=(count, class_count))
    logits[np.arange(count), labels] += sharp
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(HOSTILE[i] + str(i) for i in range(class_count))
    return Predictions(probabilities, labels, tuple(f"/x/{i}|.jpg" for i in range(count)), names)


def made(class_count: int = 6, sharp: float = 1.0) -> ClassificationReport:
    test = predictions(60, class_count, sharp)
    info = DatasetInfo("drawn", test.class_names, "Squares | circles.", "here", "none")
    return ClassificationReport(
        task="cars_finetune",
        info=info,
        validation=predictions(30, class_count, sharp, seed=1),
        test=test,
        baselines={"most | frequent": classification.metrics(predictions(60, class_count, 0.0, 2))},
        history=[
            {"epoch": "1", "stage": "head", "loss": "2", "val_loss": "1.9", "accuracy": "0.1",
             "val_accuracy": "0.2", "learning_rate": "0.001"},
            {"epoch": "2", "stage": "tail", "loss": "1", "val_loss": "1.5", "accuracy": "0.5",
             "val_accuracy": "0.4", "learning_rate": "0.0001"},
        ],
        seconds={"head": 61.0, "tail": 3.25, "evaluation": 1.0},
        parameters=1234567,
        environment={"command": "python -m tasks.x --a 'b|c'", "packages": {"keras": "3.15"}},
        picture=lambda index: np.full((20 + index, 30, 3), index, np.uint8),
    )  # fmt: skip


def test_metrics_json_has_the_agreed_form(tmp_path: Path) -> None:
    document = made()
    classification_report.write_classification_report(tmp_path, document)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert set(written) == {"task", "metrics", "baseline", "seconds", "parameters", "headline"}
    assert set(written["metrics"]) == {"test", "validation"}
    assert written["metrics"]["test"] == classification.metrics(document.test)
    right = document.test.probabilities.argmax(axis=1) == document.test.labels
    assert written["metrics"]["test"]["accuracy"] == pytest.approx(right.mean())
    assert written["parameters"] == 1234567
    assert written["headline"] == {"metric": "accuracy", "better": "max"}
    assert written["seconds"] == {"head": 61.0, "tail": 3.25, "evaluation": 1.0}


def test_numbers_that_json_has_not_become_null(tmp_path: Path) -> None:
    report.write_metrics(tmp_path, "x", {"test": {"a": math.nan}}, {}, {"s": math.inf}, 1)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["metrics"] == {"test": {"a": None}}
    assert written["seconds"] == {"s": None}


def test_every_picture_the_text_shows_is_there(tmp_path: Path) -> None:
    classification_report.write_classification_report(tmp_path, made())
    text = (tmp_path / "report.md").read_text()
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert {"confusion_matrix.png", "learning_curves.png", "worst_mistakes.png"} <= set(shown)
    for name in shown:
        with Image.open(tmp_path / name) as picture:
            picture.load()
            assert min(picture.size) > 100
        assert (tmp_path / name).stat().st_size < 200_000


def test_names_cannot_break_out_of_the_text(tmp_path: Path) -> None:
    classification_report.write_classification_report(tmp_path, made())
    text = (tmp_path / "report.md").read_text()
    assert "<script>" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) > 20
    by_table = re.split(r"\n\n", text)
    for block in by_table:
        lines = [line for line in block.splitlines() if line.startswith("|")]
        # Bars that stand for themselves are escaped; all others separate cells.
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) <= 1


def test_headline_compares_with_the_baselines() -> None:
    document = made()
    test = classification.metrics(document.test)
    sentence = classification_report.headline(test, document.baselines)
    assert f"{100 * test['accuracy']:.1f} %" in sentence
    assert "most \\| frequent" in sentence
    assert f"{100 * document.baselines['most | frequent']['accuracy']:.1f} %" in sentence


def test_summary_for_the_terminal(tmp_path: Path) -> None:
    text = classification_report.summary_table(made(), tmp_path)
    assert "1 min 4 s" in text  # 61 + 3.25 s of training; the evaluation does not count
    assert "1,234,567" in text
    assert str(tmp_path / "report.md") in text


@pytest.mark.parametrize("sharp", [50.0, -50.0], ids=["all right", "all wrong"])
@pytest.mark.parametrize("class_count", [2, 6])
def test_extreme_runs_have_a_report_too(tmp_path: Path, sharp: float, class_count: int) -> None:
    document = made(class_count, sharp)
    classification_report.write_classification_report(tmp_path, document)
    text = (tmp_path / "report.md").read_text()
    accuracy = json.loads((tmp_path / "metrics.json").read_text())["metrics"]["test"]["accuracy"]
    assert accuracy == (1.0 if sharp > 0 else 0.0)
    assert ("There are none on the test split." in text) == (sharp > 0)


def test_one_example_is_enough(tmp_path: Path) -> None:
    document = made()
    one = dataclasses.replace(
        document.test,
        probabilities=document.test.probabilities[:1],
        labels=document.test.labels[:1],
        identifiers=document.test.identifiers[:1],
    )
    classification_report.write_classification_report(
        tmp_path, dataclasses.replace(document, test=one)
    )
    assert json.loads((tmp_path / "metrics.json").read_text())["metrics"]["test"]["count"] == 1
