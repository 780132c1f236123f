"""The report of the study of inverted features, of made-up results of two layers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

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


def layers(results: list[CellResult]) -> list[study_report.Layer]:
    return [study_report.Layer(one, examples.read(one.folder)) for one in results]


def test_the_table_has_the_numbers_of_each_layer_from_shallow_to_deep(run: StudyRun) -> None:
    header, rows = study_report.layer_table(layers(run.results[:2]))
    shallow, deep = (dict(zip(header, row, strict=True)) for row in rows)
    assert shallow == {
        "layer": "conv2",
        "features": "4 x 4 x 8",
        "numbers": "128",
        "decoder's weights": "1,234",
        "rebuilt": "8 x 8",
        "validation error": "0.281",
        "test error (95 % interval)": "0.250 (0.188 to 0.375)",
        "relative error": "–",
        "mean colour": "1.125",
        "mean picture": "0.875",
        "linear decoder": "0.375",
    }
    assert (deep["layer"], deep["features"], deep["numbers"]) == ("fc6", "32", "32")
    assert (deep["rebuilt"], deep["linear decoder"]) == ("4 x 4", "–")
    assert deep["test error (95 % interval)"] == "0.750 (0.688 to 0.875)"


def drawn(figure: Figure) -> dict[str, list[float]]:
    """The values of each line that the legend names."""
    axes = figure.axes[0]
    handles, labels = axes.get_legend_handles_labels()
    lines = [getattr(handle, "lines", [handle])[0] for handle in handles]
    return {label: line.get_ydata().tolist() for label, line in zip(labels, lines, strict=True)}


def test_the_chart_shows_decoder_and_baselines_over_the_layers(run: StudyRun) -> None:
    figure = study_report.error_chart(layers(run.results[:2]))
    axes = figure.axes[0]
    lines = drawn(figure)
    assert lines["decoder"] == [0.25, 0.75]
    assert lines["mean picture"] == [MEAN_PICTURE] * 2
    assert lines["linear decoder"][0] == 0.375
    assert math.isnan(lines["linear decoder"][1])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["conv2", "fc6"]
    assert [text.get_text() for text in axes.texts] == ["0.250", "0.750"]
    whiskers = [path.vertices[:, 1].tolist() for path in axes.collections[0].get_paths()]
    assert whiskers == [[0.1875, 0.375], [0.6875, 0.875]]
    assert axes.get_ylim()[0] == 0


def test_seeds_are_lines_of_their_own(tmp_path: Path) -> None:
    results = [
        finished(tmp_path, number, found, seed)
        for seed in (0, 1)
        for number, found in ((1, SHALLOW), (2, DEEP))
    ]
    _, rows = study_report.layer_table(layers(results))
    assert [row[0] for row in rows] == [
        "conv2, seed 0",
        "fc6, seed 0",
        "conv2, seed 1",
        "fc6, seed 1",
    ]
    axes = study_report.error_chart(layers(results)).axes[0]
    shown = [container.lines[0].get_ydata().tolist() for container in axes.containers]
    assert shown == [[0.25, 0.75], [0.265625, 0.765625]]
    # Named once, not once a seed.
    assert len(axes.get_legend_handles_labels()[1]) == 3
    assert set(study_report._grids(layers(results))) == {0, 1}


def test_the_grid_has_a_row_a_picture_and_a_column_a_layer(run: StudyRun) -> None:
    """The originals are those of the layer that rebuilds the largest pictures."""
    figure = study_report._grids(layers(run.results[:2]))[0]
    headings = [axes.get_title() for axes in figure.axes]
    assert headings == ["original", "conv2", "fc6", "", "", ""]
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert [picture.shape for picture in shown] == [(8, 8, 3), (8, 8, 3), (4, 4, 3)] * 2
    assert [int(picture[0, 0, 0]) for picture in shown] == [11, 10, 200] * 2


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
