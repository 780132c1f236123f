"""The files a benchmark leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import results
from tasks.common import figures
from tasks.common.errors import UserError


def test_document_and_chart_are_written_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "results"
    document = {"speed": 1.5, "data_dir": Path("somewhere"), "missing": None}
    results.save("speed", folder, document, figures.metric_bars({"a": 1.0}, "steps a second"))
    assert json.loads((folder / "speed.json").read_text()) == {
        "speed": 1.5,
        "data_dir": "somewhere",
        "missing": None,
    }
    with Image.open(folder / "speed.png") as chart:
        assert min(chart.size) > 100
    assert capsys.readouterr().out.split() == [
        str(folder / "speed.json"),
        str(folder / "speed.png"),
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["speed.json", "speed.png"]


def test_a_number_that_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        results.save("speed", tmp_path, {"speed": float("nan")}, figures.metric_bars({"a": 1}, "x"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match=r"--output must be a folder .* Received: .*taken"):
        results.require_writable(tmp_path / "taken")


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    results.require_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
