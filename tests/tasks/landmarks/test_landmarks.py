"""The landmarks task: bad input in one sentence, and what the verbs do with a run of it."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from datasets import landmark_files
from datasets.core import DataError
from datasets.landmark_csv import read_table
from datasets.rendered.faces import RenderedFaces
from tasks import landmarks
from tasks.common.errors import UserError
from tasks.common.landmarks import measures, report, training
from tasks.common.landmarks.verbs import VERBS
from tasks.common.predict_options import PredictOptions
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import SavedRun
from tasks.common.task import Stage
from tests.datasets.landmark_tables import write_pictures, write_table

QUICK = dataclasses.replace(landmarks.LandmarksConfig(), weights="none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "csv"}, "--data csv needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data muct or --data csv"),
        ({"rendered_count": (5, 0, 5)}, "--rendered-count must be at least one"),
        ({"image_size": (8, 96)}, "--image-size must be from 32 to 1024"),
        (
            {"backbone": "InceptionV3", "image_size": (75, 74)},
            "--image-size must be at least 75 pixels a side for InceptionV3",
        ),
        ({"backbone": "ResNet5"}, "--backbone"),
        ({"tail_stages": 99}, "--tail-stages must be from 0"),
        ({"omitted_stages": 4}, "--omitted-stages must be from 0 to 3"),
        ({"omitted_stages": 3}, "--tail-stages must be from 0 to the 1 stages"),
        ({"head_epochs": 0, "full_epochs": 0}, "must be positive"),
        ({"full_learning_rate": float("nan")}, "--full-learning-rate must be above 0"),
        ({"dropout": 1.0}, "--dropout"),
        ({"test_fraction": 0.9}, "--validation-fraction"),
        ({"weights": "no/such/file"}, "--weights"),
    ],
)
def test_options_that_do_not_fit(changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        landmarks.check(dataclasses.replace(QUICK, **changes))


def table_of_drawn_faces(folder: Path, count: int) -> Path:
    """Drawn faces as files with their table, as a user would have them."""
    faces = RenderedFaces(count, 3, (40, 48))
    rows = {}
    folder.mkdir(parents=True)
    for index in range(count):
        example = faces.example(index)
        Image.fromarray(example["image"]).save(folder / f"face{index}_1.png")
        rows[f"face{index}_1.png"] = example["points"].ravel()
    write_table(folder / "points.csv", rows)
    return folder


def of_table(folder: Path, **changes) -> landmarks.LandmarksConfig:
    return dataclasses.replace(QUICK, data="csv", data_dir=folder, image_size=(32, 32), **changes)


def test_a_flip_needs_partners(tmp_path: Path) -> None:
    write_pictures(tmp_path, [f"p{number}_0.png" for number in range(5)])
    write_table(tmp_path / "t.csv", {f"p{number}_0.png": [3, 3, 9, 9] for number in range(5)})
    with pytest.raises(UserError, match="which of 2 points are left and right partners"):
        landmarks.load_data(of_table(tmp_path))
    splits = landmarks.load_data(of_table(tmp_path, augment=("affine",)))
    assert len(splits.info.scheme.point_names) == 2
    with pytest.raises(UserError, match="--data muct needs 76 points, received 2"):
        landmarks.load_data(dataclasses.replace(of_table(tmp_path), data="muct"))


def test_a_bad_picture_stops_the_run_or_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = table_of_drawn_faces(tmp_path / "faces", 8)
    (folder / "face4_1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1 picture cannot be read.*face4_1\.png.*--skip-bad-im"):
        landmarks.load_data(of_table(folder))
    splits = landmarks.load_data(of_table(folder, skip_bad_images=True))
    assert sum(len(part) for part in (splits.train, splits.validation, splits.test)) == 7
    assert "left out" in capsys.readouterr().out


def model_of(side: int = 32, loss: str = "masked_euclidean") -> keras.Model:
    config = dataclasses.replace(QUICK, backbone="MobileNet", image_size=(side, side), loss=loss)
    info = landmarks.load_data(dataclasses.replace(config, rendered_count=(1, 1, 1))).info
    return landmarks.build_model(config, info)


@pytest.fixture(scope="module")
def saved() -> SavedRun:
    """A run whose network has learned nothing; its options are those of the quick one."""
    keras.utils.set_random_seed(0)
    config = dataclasses.replace(QUICK, backbone="MobileNet", image_size=(32, 32))
    return SavedRun(RunFolder(Path("nowhere")), landmarks.TASK, config, model_of())


@pytest.mark.parametrize("loss", ["masked_euclidean", "mse", "l1"])
def test_each_loss_can_be_chosen(loss: str) -> None:
    config = dataclasses.replace(QUICK, loss=loss, image_size=(32, 32))
    model = model_of(loss=loss)
    training.compile_model(config, model, Stage("scratch", 1, 1e-3), 1)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    values = model.test_on_batch(images, model.predict(images, verbose=0), return_dict=True)
    assert values["loss"] == pytest.approx(0, abs=1e-6)
    assert values["normalised_mean_error"] == pytest.approx(0, abs=1e-5)
    assert type(model.loss) is training.LOSSES[loss]


def test_evaluate_on_a_table(saved: SavedRun, tmp_path: Path) -> None:
    folder = table_of_drawn_faces(tmp_path / "faces", 5)
    source = VERBS.outside_examples(saved, folder, "test", False)
    measured = VERBS.measure(saved, source, 2)
    assert measured["count"] == 5
    assert measured.keys() == VERBS.measure(saved, source, 5).keys()
    assert measured["normalised_mean_error"] == pytest.approx(
        VERBS.measure(saved, source, 5)["normalised_mean_error"], abs=1e-5
    )
    write_table(folder / "points.csv", {"face1_1.png": [1, 2, 3, 4]})
    with pytest.raises(DataError, match="must have the model's 76 points, received 2"):
        VERBS.outside_examples(saved, folder, "test", False)


def test_predict_writes_points_in_pixels_of_the_given_picture(
    saved: SavedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = table_of_drawn_faces(tmp_path / "faces", 2)
    # The same picture in another size: its points have to be in its own pixels.
    large = Image.open(folder / "face0_1.png").resize((480, 400), Image.Resampling.NEAREST)
    large.save(folder / "large.png")
    (folder / "bad.png").write_bytes(b"broken")
    out = tmp_path / "out"
    options = PredictOptions(
        run="x",
        paths=(folder,),
        json=out / "points.jsonl",
        csv=out / "points.csv",
        pictures=out / "drawn",
    )
    VERBS.predict(saved, options)
    shown = capsys.readouterr()
    assert "bad.png" in shown.err
    assert "3 marked, 1 could not be read" in shown.out
    lines = [json.loads(line) for line in options.json.read_text().splitlines()]
    by_name = {Path(line["file"]).name: line for line in lines}
    assert "error" in by_name["bad.png"]
    small, big = by_name["face0_1.png"], by_name["large.png"]
    assert (small["height"], small["width"]) == (40, 48)
    names = list(small["points"])
    assert names[31] == "left eye pupil"
    np.testing.assert_allclose(
        [big["points"][name] for name in names],
        [np.multiply(small["points"][name], 10) for name in names],
        atol=2.0,
    )
    table = read_table(options.csv)
    assert table.points.shape == (3, 76, 2)
    assert [Path(name).name for name in table.names] == ["face0_1.png", "face1_1.png", "large.png"]
    np.testing.assert_allclose(
        table.points[0], [small["points"][name] for name in names], atol=0.02
    )
    assert Image.open(out / "drawn" / "large.png").size == (480, 400)
    assert max(Image.open(out / "drawn" / "face0_1.png").size) == 480


def test_without_a_picture_that_can_be_read_older_answers_stay(
    saved: SavedRun, tmp_path: Path
) -> None:
    bad, lines, table = (tmp_path / name for name in ("bad.png", "old.json", "old.csv"))
    bad.write_bytes(b"no picture")
    lines.write_text("old")
    table.write_text("old")
    options = PredictOptions(run="x", paths=(bad,), json=lines, csv=table)
    with pytest.raises(UserError):
        VERBS.predict(saved, options)
    assert (lines.read_text(), table.read_text()) == ("old", "old")


def test_predictions_can_be_data_again(saved: SavedRun, tmp_path: Path) -> None:
    """The CSV of `predict`, laid beside the pictures, is a table that `--data csv` reads."""
    folder = table_of_drawn_faces(tmp_path / "faces", 3)
    VERBS.predict(saved, PredictOptions(run="x", paths=(folder,), csv=tmp_path / "new.csv"))
    rows = list(csv.reader((tmp_path / "new.csv").open()))
    rows[1:] = [[Path(row[0]).name, *row[1:]] for row in rows[1:]]
    with (folder / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    source, _ = landmark_files.read_all(folder)
    found = report.predictions(saved.model, source, saved.config)
    np.testing.assert_allclose(found.truth, found.predicted, atol=0.01)


def test_exports_are_told_of_points(saved: SavedRun) -> None:
    assert VERBS.output == "points"
    assert VERBS.output_names(saved.model)[:3] == ("x00", "y00", "x01")
    assert len(VERBS.output_names(saved.model)) == 152
    assert VERBS.arrays(saved, RenderedFaces(6, 1, (40, 48)), 4).shape == (4, 32, 32, 3)
    assert VERBS.made_up_arrays(saved).shape[1:] == (32, 32, 3)
    resized = VERBS.resize_picture(saved)(np.full((10, 40, 3), 200, np.uint8)).numpy()
    assert not resized[:11].any()
    assert resized[16].all()


def test_measures_of_a_saved_run_are_those_of_its_frame(saved: SavedRun) -> None:
    """A wide picture: the error is the same as in its own pixels."""
    faces = RenderedFaces(4, 9, (32, 64))
    found = VERBS.measure(saved, faces, 4)
    pixels = np.stack([faces.example(index)["points"] for index in range(4)]).reshape(4, -1)
    shares = report.predictions(saved.model, faces, saved.config)
    offset = np.tile([0, 16], 76)
    own = dataclasses.replace(
        shares, truth=pixels, predicted=shares.predicted * 64 - offset, image_size=(1, 1)
    )
    assert measures.metrics(own)["normalised_mean_error"] == pytest.approx(
        found["normalised_mean_error"], rel=1e-4
    )
