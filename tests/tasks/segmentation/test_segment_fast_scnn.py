"""The task on CamVid's layout: options, shares, a run to its report, its verbs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_models
from datasets import camvid
from datasets.core import DataError
from keras_models.map_output import map_layer
from tasks import segment_fast_scnn
from tasks.common.errors import UserError
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import SavedRun
from tasks.common.segmentation import drawing, verbs
from tasks.segment_fast_scnn import PRESETS, TASK, SegmentFastScnnConfig
from tests.datasets.camvid_folders import write_camvid
from tests.datasets.cityscapes_folders import write_cityscapes
from tests.tasks.processes import run


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": "camvid"}, "--data camvid needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data camvid"),
        ({"held_out": ("0006R0",)}, "--held-out names sequences of CamVid"),
        ({"image_size": (16, 48)}, "--image-size must be from 32 to 4096"),
        ({"rendered_count": (5, 0, 5)}, "--rendered-count"),
        ({"epochs": 0}, "--epochs must be at least 1"),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0"),
        ({"learning_rate": float("nan")}, "--learning-rate must be above 0"),
        ({"dropout": 1.0}, "--dropout"),
        ({"enet_constant": 0.5}, "--enet-constant must be at least 1"),
        ({"dice": -1.0}, "--dice must be at least 0"),
        ({"cross_entropy": 0.0, "dice": 0.0}, "One of --cross-entropy, --focal and --dice"),
    ],
)
def test_options_that_do_not_fit(changed: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        segment_fast_scnn.check(SegmentFastScnnConfig(**changed))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_fit(preset: str) -> None:
    config = PRESETS[preset]
    if preset != "quick":
        config = dataclasses.replace(config, data_dir=Path("somewhere"))
    assert segment_fast_scnn.check(config) == config
    assert config.preset == preset


def test_the_loss_weighs_classes_by_their_shares_in_training(tmp_path: Path) -> None:
    """Each mask has one column of every id but 11, which has five, and a row of one id."""
    config = SegmentFastScnnConfig(
        data="camvid", data_dir=write_camvid(tmp_path), image_size=(32, 48)
    )
    splits = segment_fast_scnn.load_data(config)
    shares = np.array(splits.info.class_shares)
    assert shares.sum() == pytest.approx(1)
    counts = np.bincount([number % 11 for number in range(30)], minlength=11) * 16 + 30 * 11
    np.testing.assert_allclose(shares, counts / counts.sum())
    model = segment_fast_scnn.build_model(config, splits.info)
    (stage,) = segment_fast_scnn.stages(config, model)
    segment_fast_scnn.compile_model(config, model, stage, 4)
    weights = np.array(model.loss.class_weights)
    np.testing.assert_allclose(
        weights / weights[0], np.log(1.1 + shares[0]) / np.log(1.1 + shares), rtol=1e-6
    )


def test_panels_show_errors_in_red_and_void_in_black() -> None:
    colours = ((10, 20, 30), (40, 50, 60))
    truth = np.array([[[0.0], [1.0], [2.0]]])
    output = np.array([[[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]])
    picture = np.full((1, 3, 3), 99.6, np.float32)
    shown = drawing.draw(colours)(picture, truth, output)
    assert len(shown) == len(drawing.HEADINGS)
    assert shown[0].tolist() == [[[100] * 3] * 3]
    assert shown[1][0].tolist() == [[10, 20, 30], [40, 50, 60], [0, 0, 0]]
    assert shown[2][0].tolist() == [[10, 20, 30], [10, 20, 30], [40, 50, 60]]
    assert shown[3][0].tolist() == [list(drawing.RIGHT), list(drawing.WRONG), [0, 0, 0]]


def test_one_picture_is_painted_and_told() -> None:
    model = keras_models.fast_scnn.build_fast_scnn(
        (32, 32), ("a", "b"), ((1, 2, 3), (4, 5, 6)), (0.5, 0.5)
    )
    output = np.array([[[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]], np.float32)
    assert verbs.describe(model, output) == {"a": 0.75, "b": 0.25}
    assert verbs.paint(model, output)[0].tolist() == [[1, 2, 3], [1, 2, 3], [4, 5, 6], [1, 2, 3]]
    assert map_layer(model).unit == "probability"


def opened(config: SegmentFastScnnConfig) -> SavedRun:
    """A run of these options, as far as `--data-dir` needs it."""
    splits = segment_fast_scnn.load_data(config)
    model = segment_fast_scnn.build_model(config, splits.info)
    return SavedRun(RunFolder(Path("run")), TASK, config, model)


def names_of(saved: SavedRun, place: Path, split: str, skip_bad: bool = False) -> list[str]:
    source = verbs.outside_examples(saved, place, split, skip_bad)
    return [Path(source.identifier(index)).name for index in range(len(source))]


def test_a_run_on_cityscapes_reads_another_copy_of_it(tmp_path: Path) -> None:
    data = write_cityscapes(tmp_path / "data")
    config = SegmentFastScnnConfig(
        data="cityscapes", data_dir=data, image_size=(32, 48), validation_fraction=0.25
    )
    saved = opened(config)
    assert names_of(saved, data, "test") == [
        f"lindau_{number:06d}_000019_leftImg8bit.png" for number in range(3)
    ]
    own = segment_fast_scnn.load_data(config).validation
    expected = [Path(own.identifier(index)).name for index in range(3)]
    assert names_of(saved, data, "validation") == expected
    # For the test a copy needs no training cities.
    shutil.rmtree(data / "leftImg8bit" / "train")
    numbers = verbs.measure(saved, verbs.outside_examples(saved, data, "test", False), 2)
    assert numbers["count"] == 3
    with pytest.raises(DataError, match="must hold folders of cities"):
        names_of(saved, data, "validation")
    (data / "leftImg8bit/val/lindau/lindau_000001_000019_leftImg8bit.png").write_bytes(b"no")
    with pytest.raises(DataError, match="lindau_000001_000019"):
        names_of(saved, data, "test")
    assert len(names_of(saved, data, "test", skip_bad=True)) == 2


@pytest.mark.parametrize("data", ["rendered", "camvid"])
def test_other_runs_read_a_copy_of_camvid(tmp_path: Path, data: str) -> None:
    place = write_camvid(tmp_path)
    options = {"data_dir": place} if data == "camvid" else {"rendered_count": (2, 1, 1)}
    saved = opened(SegmentFastScnnConfig(data=data, image_size=(32, 48), **options))
    assert {name[:6] for name in names_of(saved, place, "test")} == {"Seq05V"}
    assert {name[:6] for name in names_of(saved, place, "validation")} == {"0016E5"}
    with pytest.raises(DataError, match="must hold the folders"):
        names_of(saved, tmp_path / "train", "test")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_masks_of_void_alone_neither_choose_nor_measure(tmp_path: Path, split: str) -> None:
    place = write_camvid(tmp_path)
    config = SegmentFastScnnConfig(data="camvid", data_dir=place, image_size=(32, 48))
    saved = opened(config)
    for path in (place / f"{camvid.FOLDERS[split]}annot").iterdir():
        Image.new("L", (16, 12), camvid.VOID).save(path)
    message = f"{split} masks, .* received void alone"
    with pytest.raises(DataError, match=message):
        segment_fast_scnn.load_data(config)
    with pytest.raises(DataError, match=message):
        names_of(saved, place, split)


@pytest.mark.slow
def test_a_copy_of_camvid_from_its_options_to_its_report(tmp_path: Path) -> None:
    """As a user runs it, with the picture's own size, which is no multiple of 32."""
    data = write_camvid(tmp_path / "data", ("train", "val"))
    options = (
        *("--data", "camvid", "--data-dir", str(data), "--image-size", "12", "16"),
        *("--epochs", "1", "--batch-size", "15", "--run-name", "tiny", "--focal", "0.5"),
        *("--test-fraction", "0.2"),
    )
    run(tmp_path, "tasks.segment_fast_scnn", *options)
    folder = tmp_path / "runs" / TASK.name / "tiny"
    document = json.loads((folder / "report" / "metrics.json").read_text())
    assert document["metrics"]["test"]["count"] == 6
    assert document["metrics"]["validation"]["count"] == 5
    assert set(document["baseline"]) == {
        "most common class",
        "most common class by place",
        "most common class by place and colour",
    }
    text = (folder / "report" / "report.md").read_text()
    for row in ("| test | 0001TP | 2 |", "| test | 0006R0 | 4 |", "| validation | 0016E5 | 5 |"):
        assert row in text
    for heading in ("## Classes", "## Confusions", "## Best and worst pictures"):
        assert heading in text
    assert "| Bicyclist |" in text
