"""`python -m benchmarks.transfer` and its parts as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import torch_weights, transfer
from tests.tasks.processes import run


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert transfer.main(list(words)) == 2
    errors = capsys.readouterr().err
    assert errors.count("error: ") == 1
    return errors


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--data", "folder"), "--data folder needs --data-dir"),
        (("--data-dir", "."), "--data-dir needs --data stanford_cars or --data folder"),
        (("--contestants",), "--contestants must name at least one of keras_guide"),
        (("--head-epochs", "0"), "--head-epochs must be at least 1. Received: 0"),
        (("--weights", "nothing.h5"), "--weights must be `imagenet`, `none` or a weight file"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(capsys, *words, "--output", str(tmp_path))


def test_an_unknown_network_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--quick", "--backbone", "ResNet5", "--output", str(tmp_path))
    assert "ResNet5" in refused(capsys, *words)


def test_a_folder_that_is_not_empty_is_not_worked_in(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    words = ("--quick", "--work-dir", str(tmp_path), "--output", str(tmp_path / "results"))
    assert "--work-dir must be a new or an empty folder" in refused(capsys, *words)


def test_a_folder_without_pictures_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    words = ("--data", "folder", "--data-dir", str(empty), "--output", str(tmp_path / "results"))
    assert str(empty) in refused(capsys, *words)


def test_pytorch_is_left_out_where_it_cannot_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_weights, "available", lambda: False)
    assert "requirements-benchmarks.txt" in transfer._why_left_out("torch", "ResNet50")
    monkeypatch.setattr(torch_weights, "available", lambda: True)
    assert transfer._why_left_out("torch", "ResNet50") == ""
    assert "DenseNet121" in transfer._why_left_out("torch", "DenseNet121")
    assert transfer._why_left_out("keras_guide", "DenseNet121") == ""


def test_help_answers_at_once(tmp_path: Path) -> None:
    text = run(tmp_path, "benchmarks.transfer", "--help").stdout
    assert "--contestants" in text
    assert "Compare this suite with the Keras guide" in text


@pytest.mark.slow
def test_quick_runs_every_contestant(tmp_path: Path) -> None:
    output, work = tmp_path / "results", tmp_path / "work"
    words = ("--quick", "--output", str(output), "--work-dir", str(work))
    text = run(tmp_path, "benchmarks.transfer", *words).stdout
    document = json.loads((output / "transfer.json").read_text())
    names = ["Keras guide", "this suite", "this suite, no cache"]
    if "PyTorch loop is left out" not in text:
        names.append("PyTorch loop")
    assert [entry["name"] for entry in document["contestants"]] == names
    for entry in document["contestants"]:
        assert 0 <= entry["accuracy"] <= 1
        assert 0 < entry["training_seconds"] < entry["total_seconds"]
        assert sum(entry["parts"].values()) == pytest.approx(entry["total_seconds"], rel=0.05)
        assert entry["peak_bytes"] > 50_000_000
        assert {"head", "tail"} <= {stage["name"] for stage in entry["stages"]}
        assert entry["name"] in text
    assert len(list((work / "pictures" / "train").rglob("*.jpg"))) == 16
    assert (output / "transfer.png").stat().st_size > 5000
