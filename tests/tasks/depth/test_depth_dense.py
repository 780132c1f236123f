"""The depth task: bad input in one sentence, its report, and what the verbs do with a run of it."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from datasets.core import DataError
from keras_models.losses.depth import DepthLoss
from tasks import depth_dense
from tasks.common.depth import evaluation, measures
from tasks.common.depth.verbs import VERBS
from tasks.common.errors import UserError
from tasks.common.predict_options import PredictOptions
from tasks.common.run_folder import RunFolder
from tasks.common.saved_run import SavedRun
from tasks.common.task import Run, Stage

QUICK = dataclasses.replace(
    depth_dense.PRESETS["quick"],
    weights="none",
    image_size=(32, 48),
    decoder_filters=16,
    rendered_count=(6, 3, 4),
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "nyu"}, "--data nyu needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data nyu"),
        ({"rendered_count": (5, 0, 5)}, "--rendered-count must be at least one"),
        ({"image_size": (24, 96)}, "--image-size must be from 32"),
        ({"image_size": (0, 96)}, "--image-size must be positive"),
        ({"backbone": "ResNet5"}, "--backbone"),
        ({"tail_stages": 9}, "--tail-stages must be from 0 to the 4 stages"),
        ({"metres_per_unit": 0.1}, "--metres-per-unit"),
        ({"data": "nyu", "data_dir": Path("x"), "metres_per_unit": 0.0}, "--metres-per-unit"),
        ({"depth_range": (0.0, 10.0)}, "--depth-range"),
        ({"depth_range": (5.0, 1.0)}, "--depth-range"),
        ({"depth_range": (1.0, float("inf"))}, "--depth-range"),
        ({"term_weights": (0.0, 0.0, 0.0)}, "--term-weights"),
        ({"term_weights": (1.0, -1.0, 1.0)}, "--term-weights"),
        ({"term_weights": (float("nan"), 1.0, 1.0)}, "--term-weights"),
        ({"dropout": 1.0}, "--dropout"),
        ({"rounding_step": 0.0}, "--rounding-step must be above 0"),
        ({"metres_per_unit": -1.0}, "--metres-per-unit must be above 0"),
        ({"decoder_filters": 4}, "--decoder-filters must be at least 8"),
        ({"full_epochs": 0, "head_epochs": 0}, "must be positive"),
        ({"zoom": (2.0, 1.0)}, "--zoom"),
        ({"weights": "no/such/file"}, "--weights"),
    ],
)
def test_options_that_do_not_fit(changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        depth_dense.check(dataclasses.replace(QUICK, **changes))


def test_the_smallest_pictures_of_a_backbone_are_taken_and_hold_the_window_of_ssim() -> None:
    changes = {"data": "nyu", "data_dir": Path("somewhere"), "image_size": (32, 33)}
    smallest = depth_dense.check(dataclasses.replace(QUICK, **changes))
    model = depth_dense.build_model(smallest, None)
    assert model.output_shape[1:3] == smallest.target_size == (16, 17)
    truth = np.full((1, *smallest.target_size, 1), 5, np.float32)
    # Refuses maps that are smaller than its window.
    assert float(DepthLoss()(truth, truth)) == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="at least 11 x 11"):
        DepthLoss()(truth[:, 6:], truth[:, 6:])
    with pytest.raises(UserError, match="at least 32 pixels a side for SmallResNet"):
        depth_dense.check(dataclasses.replace(smallest, image_size=(31, 32)))
    with pytest.raises(UserError, match="at least 71 pixels a side for Xception"):
        depth_dense.check(dataclasses.replace(smallest, backbone="Xception"))


def test_the_presets_have_the_papers_numbers() -> None:
    paper = depth_dense.PRESETS["paper"]
    assert paper.backbone == "DenseNet169"
    assert (paper.image_size, paper.target_size) == ((480, 640), (240, 320))
    assert (paper.quantity, paper.term_weights) == ("inverse", (0.1, 1.0, 1.0))
    assert (paper.batch_size, paper.full_learning_rate, paper.schedule) == (8, 1e-4, "constant")
    assert (paper.optimizer, paper.depth_factor, paper.rounding) == ("adam", 1.0, 10.0)
    seed = depth_dense.PRESETS["seed"]
    assert dataclasses.replace(seed, preset="paper", full_epochs=paper.full_epochs) == paper


def pairs_of(folder: Path, count: int = 8, size: tuple[int, int] = (40, 56)) -> Path:
    """Drawn streets as files, in the layout of NYU Depth V2, 16 bits."""
    source = depth_dense.load_data(
        dataclasses.replace(QUICK, image_size=size, rendered_count=(count, 1, 1))
    ).train
    for name in ("rgb", "depth"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        example = source.example(index)
        Image.fromarray(example["image"]).save(folder / "rgb" / f"{index}.png")
        millimetres = np.rint(np.minimum(1000 * example["depth"], 65535)).astype(np.uint16)
        Image.fromarray(millimetres).save(folder / "depth" / f"{index}.png")
    return folder


def test_pairs_on_disk_and_a_broken_one(tmp_path: Path, capsys) -> None:
    folder = pairs_of(tmp_path / "nyu")
    config = dataclasses.replace(QUICK, data="nyu", data_dir=folder, depth_range=(1.0, 30.0))
    splits = depth_dense.load_data(config)
    depth = np.concatenate([splits.train.example(k)["depth"] for k in range(len(splits.train))])
    assert depth.max() <= 30
    assert (depth == 0).any()
    (folder / "depth" / "3.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1 picture cannot be read.*3\.png.*--skip-bad-images"):
        depth_dense.load_data(config)
    splits = depth_dense.load_data(dataclasses.replace(config, skip_bad_images=True))
    assert sum(len(part) for part in (splits.train, splits.validation, splits.test)) == 7
    assert "left out" in capsys.readouterr().out


def test_a_range_in_which_nothing_lies_is_refused() -> None:
    with pytest.raises(UserError, match=r"--depth-range.*in the train pictures"):
        depth_dense.load_data(dataclasses.replace(QUICK, depth_range=(0.001, 0.002)))


def model_of(config: depth_dense.DepthDenseConfig) -> keras.Model:
    return depth_dense.build_model(config, None)


def test_weights_that_do_not_fit_are_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"none")
    with pytest.raises(UserError, match=r"weights\.h5"):
        model_of(dataclasses.replace(QUICK, weights=str(path)))


@pytest.mark.parametrize("quantity", ["metres", "inverse", "log"])
def test_a_perfect_prediction_has_no_loss(quantity: str) -> None:
    config = dataclasses.replace(QUICK, quantity=quantity)
    model = model_of(config)
    depth_dense.compile_model(config, model, Stage("scratch", 1, 1e-3), 1)
    images = np.zeros((2, 32, 48, 3), np.uint8)
    values = model.test_on_batch(images, model.predict(images, verbose=0), return_dict=True)
    assert values["loss"] == pytest.approx(0, abs=1e-4)
    assert values["delta1"] == 1
    assert values["rmse"] == pytest.approx(0, abs=1e-4)


@pytest.fixture(scope="module")
def saved() -> SavedRun:
    """A run whose network has learned nothing."""
    keras.utils.set_random_seed(0)
    return SavedRun(RunFolder(Path("nowhere")), depth_dense.TASK, QUICK, model_of(QUICK))


def test_the_report_tells_of_ranges_steps_and_clouds(saved: SavedRun, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    environment = {"command": "x", "processor": "y", "cores": 1, "seed": 0}
    folder.environment.write_text(json.dumps(environment))
    history = [{"epoch": 1, "stage": "scratch", "loss": 1.0, "delta1": 0.1, "val_delta1": 0.2}]
    splits = depth_dense.load_data(QUICK)
    depth_dense.report(Run(QUICK, folder, splits, saved.model, {"scratch": 1.0}, history))
    text = (folder.report / "report.md").read_text()
    for part in (
        "0 to 2 m",
        "64 to 80 m",
        "Rounding accuracy",
        "mean depth map",
        "enlarged",
        "32 x 48",
    ):
        assert part in text
    metrics = json.loads((folder.report / "metrics.json").read_text())
    assert metrics["metrics"]["test"].keys() == metrics["metrics"]["validation"].keys()
    assert set(metrics["baseline"]) == {"median depth", "mean depth map"}
    measured = VERBS.measure(saved, splits.test, 2)
    assert measured == pytest.approx(metrics["metrics"]["test"], rel=1e-4)
    for name in ("best", "worst"):
        cloud = (folder.report / f"cloud_{name}.ply").read_bytes()
        assert cloud.startswith(b"ply\n")
        assert f"element vertex {32 * 48}".encode() in cloud


@pytest.mark.parametrize(("whole", "size"), [(False, (16, 24)), (True, (32, 48))])
def test_the_score_counts_every_known_pixel_once(saved: SavedRun, whole: bool, size) -> None:
    splits = depth_dense.load_data(QUICK)
    batching = evaluation.batching_of(saved.model, 3, 1, whole)
    truths = np.concatenate(list(evaluation.truths(splits.test, batching)))
    assert truths.shape == (4, *size, 1)
    found = evaluation.scores(saved.model, splits.test, batching, 80.0)[evaluation.THIS_MODEL]
    assert found.total[0] == (truths > 0).sum()
    pictures = np.stack([splits.test.example(k)["image"] for k in range(4)])
    said = evaluation.enlarged(saved.model.predict_on_batch(pictures), size)
    known = truths > 0
    rmse = np.sqrt(((said[known] - truths[known]) ** 2).mean())
    assert measures.numbers(found.total, found.steps)["rmse"] == pytest.approx(rmse, rel=1e-4)


def test_the_mean_with_the_mirrored_picture_is_turned_back(saved: SavedRun) -> None:
    splits = depth_dense.load_data(QUICK)
    batching = evaluation.batching_of(saved.model, 3, 1)
    scores = evaluation.scores(saved.model, splits.test, batching, 80.0, mirrored=True)
    found = scores[evaluation.MIRRORED]
    pictures = np.stack([splits.test.example(k)["image"] for k in range(4)])
    plain, turned = (
        saved.model.predict_on_batch(shown) for shown in (pictures, np.flip(pictures, axis=2))
    )
    said = (plain + np.flip(turned, axis=2)) / 2
    truths = np.concatenate(list(evaluation.truths(splits.test, batching)))
    rmse = np.sqrt(((said - truths)[truths > 0] ** 2).mean())
    assert measures.numbers(found.total, found.steps)["rmse"] == pytest.approx(rmse, rel=1e-4)
    assert scores.keys() == {evaluation.THIS_MODEL, evaluation.MIRRORED}


def test_evaluate_on_pairs(saved: SavedRun, tmp_path: Path) -> None:
    folder = pairs_of(tmp_path / "nyu", 3)
    source = VERBS.outside_examples(saved, folder, "test", False)
    assert VERBS.measure(saved, source, 2)["count"] == 3
    (folder / "rgb" / "1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1\.png"):
        VERBS.outside_examples(saved, folder, "test", False)
    assert len(VERBS.outside_examples(saved, folder, "test", True)) == 2
    for path in (folder / "depth").iterdir():
        # 1 mm, and the run learned no depth so near.
        Image.fromarray(np.ones((40, 56), np.uint16)).save(path)
    with pytest.raises(DataError, match=r"nyu must hold depth from .* m, .* received none"):
        VERBS.outside_examples(saved, folder, "test", True)


def test_predict_writes_maps_metres_and_clouds(saved: SavedRun, tmp_path: Path, capsys) -> None:
    folder = pairs_of(tmp_path / "nyu", 2)
    out = tmp_path / "out"
    options = PredictOptions(
        run="x",
        paths=(folder / "rgb",),
        json=out / "depth.jsonl",
        pictures=out / "pictures",
        arrays=out / "arrays",
        point_cloud=out / "clouds",
        focal_length=50.0,
    )
    VERBS.predict(saved, options)
    assert "2 mapped" in capsys.readouterr().out
    metres = np.load(next((out / "arrays").rglob("0*.npy")))
    assert metres.shape[:2] == (40, 56)
    assert 1 <= metres.min() <= metres.max() <= 80
    body = next((out / "clouds").rglob("0*.ply")).read_bytes().split(b"end_header\n", 1)[1]
    vertices = list(struct.iter_unpack("<fffBBB", body))
    assert len(vertices) == 40 * 56
    x, _, z = vertices[0][:3]
    assert x / z == pytest.approx(27.5 / 50, rel=1e-4)
    line = json.loads((out / "depth.jsonl").read_text().splitlines()[0])
    assert "median_m" in json.dumps(line)
    assert any((out / "pictures").iterdir())
