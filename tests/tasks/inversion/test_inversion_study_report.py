"""The report of the study of inverted features, of made-up results of two layers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tasks.common.inversion import examples, study_report
from tasks.common.inversion.config import InversionCellConfig, InvertFeaturesConfig
from tasks.common.run_folder import RunFolder
from tasks.common.study import CellResult, StudyRun

SHALLOW = {
    "layer": "conv2",
    "feature_shape": (4, 4, 8),
    "decoder_weights": 1234,
    "size": (8, 8),
    "test": 0.25,
    "linear": 0.375,
    "grey": 10,
}
DEEP = {
    "layer": "fc6",
    "feature_shape": (32,),
    "decoder_weights": 56789,
    "size": (4, 4),
    "test": 0.75,
    "linear": None,
    "grey": 200,
}
MEAN_PICTURE = 0.875


def finished(folder: Path, number: int, found: dict, seed: int = 0) -> CellResult:
    """A cell of which all numbers differ from all others."""
    cell = RunFolder(folder / "cells" / f"{number}_{found['layer']}_{seed}")
    cell.path.mkdir(parents=True)
    pictures = np.full((2, *found["size"], 3), found["grey"], np.uint8)
    examples.write(
        cell,
        examples.CellExamples(
            pictures + np.uint8(1), pictures, found["feature_shape"], found["decoder_weights"]
        ),
    )
    test = found["test"] + seed / 64
    numbers = {
        "squared_error": test,
        "squared_error_low": test - 0.0625,
        "squared_error_high": test + 0.125,
        "relative_error": None,
    }
    result = {
        "metrics": {"test": numbers, "validation": {**numbers, "squared_error": test + 0.03125}},
        "baseline": {
            "mean colour": {"squared_error": 1.125},
            "mean picture": {"squared_error": MEAN_PICTURE},
            **({"linear decoder": {"squared_error": found["linear"]}} if found["linear"] else {}),
        },
        "parameters": 7,
    }
    config = InversionCellConfig(layer=found["layer"], seed=seed)
    return CellResult(cell.path.name, config, cell, result, None, ())


def failed(folder: Path) -> CellResult:
    cell = RunFolder(folder / "cells" / "3_fc8")
    return CellResult("3_fc8", InversionCellConfig(layer="fc8"), cell, None, "no memory", ())


@pytest.fixture
def run(tmp_path: Path) -> StudyRun:
    config = InvertFeaturesConfig(layers=("conv2", "fc6", "fc8"), weights="none")
    results = [finished(tmp_path, 1, SHALLOW), finished(tmp_path, 2, DEEP), failed(tmp_path)]
    return StudyRun(config, RunFolder(tmp_path), results, {"cells": 75.0})


def test_the_report_says_what_failed_and_which_layer_opens(
    run: StudyRun, capsys: pytest.CaptureFixture[str]
) -> None:
    study_report.report("invert_features", run, run.results[0])
    folder = run.folder.report
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "The encoder has random weights" in text
    assert text.index("| conv2 |") < text.index("| fc6 |")
    assert r"| 3\_fc8 | no memory |" in text
    for name in ("error_by_layer", "rebuilt_seed_0"):
        assert f"({name}.png)" in text
        assert (folder / f"{name}.png").is_file()
    opened = (
        "open `1_conv2_0`, the layer of least error on validation, the shallowest as a rule; name "
        f"another as `{run.folder.path}/cells/NAME`."
    )
    assert opened in text
    assert f"tasks.predict {run.folder.path}/cells/2_fc6_0 picture.jpg" in text
    assert "3_fc8 picture.jpg" not in text
    printed = capsys.readouterr().out
    assert opened in printed
    rows = [line.split() for line in printed.splitlines() if line.startswith(("conv2", "fc6"))]
    assert [row[0] for row in rows] == ["conv2", "fc6"]
    assert rows[0][-2:] == ["0.375", "0.875"]
    document = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert document["metrics"]["2_fc6_0"]["test"] == 0.75
    assert document["metrics"]["2_fc6_0"]["relative_error"] is None
    assert document["baseline"]["2_fc6_0, linear decoder"]["test"] is None
    assert document["parameters"] == 14
