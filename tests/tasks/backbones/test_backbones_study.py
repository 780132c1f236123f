"""The comparison of networks: which are measured, what of, and what the table says."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from datasets.core import DataError
from tasks import backbones
from tasks.backbones import BackbonesConfig, NetworkOptions
from tasks.common import command_line
from tasks.common.backbones import report
from tasks.common.errors import UserError
from tasks.common.run_folder import RunFolder
from tasks.common.study import CellResult, StudyRun


@pytest.fixture(autouse=True)
def empty_keras_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What this machine's user has downloaded does not matter to any test."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras" / "models"


def options(**changes: object) -> NetworkOptions:
    return NetworkOptions(
        **{
            "network": "MobileNetV3Small",
            "weights_dir": None,
            "data_dir": None,
            "class_index": None,
            "limit": None,
            "seconds": 0.1,
            "least_calls": 1,
            "batch_size": 2,
            "seed": 0,
            "workers": 2,
            "dry_run": False,
            **changes,
        }
    )


def row(name: str, milliseconds: float, **more: object) -> dict:
    return {
        "network": name,
        "family": name.rstrip("0123456789"),
        "weights": "random",
        "image_side": 224,
        "parameters": 25_636_712,
        "megabytes": 97.8,
        "depth": 107,
        "milliseconds": milliseconds,
        "memory_megabytes": 900.0,
        **more,
    }


def study_run(tmp_path: Path, results: dict[str, dict | str]) -> StudyRun:
    """A finished study: a dictionary for a cell that came to its end, else why it did not."""
    made = [
        CellResult(
            name,
            options(network=name.split("_")[0]),
            RunFolder(tmp_path / name),
            None if isinstance(found, str) else found,
            found if isinstance(found, str) else None,
            (),
        )
        for name, found in results.items()
    ]
    return StudyRun(BackbonesConfig(), RunFolder(tmp_path / "study"), made, {"cells": 3.0})


def test_the_smallest_of_each_family_by_default() -> None:
    names = backbones.named(BackbonesConfig().backbones)
    assert len(names) == 14
    assert {"ResNet50", "VGG16", "MobileNetV3Small", "NASNetMobile", "ConvNeXtTiny"} <= set(names)


def test_all_are_40_and_the_cells_are_theirs() -> None:
    cells = backbones.cells(BackbonesConfig(backbones=("all",), repetitions=2))
    assert len(cells) == 80
    assert cells[0].name == "ResNet50_1"
    assert {cell.config.network for cell in cells} == set(backbones.named(("all",)))


def test_names_are_found_in_any_case_and_once() -> None:
    assert backbones.named(("resnet50", "ResNet50", "mobilenet-0.25")) == (
        *("ResNet50", "MobileNet-0.25"),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"backbones": ("ResNet51",)}, "--backbones: .*ResNet50"),
        ({"backbones": ("MobileNet-0.3",)}, "--backbones: .*0.25"),
        ({"backbones": ("all", "ResNet50")}, "--backbones must be"),
        ({"backbones": ()}, "--backbones must be .*nothing"),
        ({"jobs": 2}, "--jobs must be 1"),
        ({"jobs": "auto"}, "--jobs must be 1"),
        ({"seconds": 0.0}, "--seconds must be above 0"),
        ({"seconds": float("nan")}, "--seconds must be above 0"),
        ({"least_calls": 0}, "--least-calls must be at least 1"),
        ({"batch_size": 0}, "--batch-size must be at least 1"),
        ({"limit": 0}, "--limit must be at least 1"),
        ({"repetitions": 0}, "--repetitions must be at least 1"),
        ({"weights_dir": Path("missing")}, "--weights-dir must be a folder"),
        ({"data_dir": Path("missing")}, "--data-dir needs --class-index"),
    ],
)
def test_options_that_cannot_be(changes: dict, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        backbones.check(BackbonesConfig(**changes))
    assert "\n" not in str(caught.value)


def index_file(path: Path, count: int = 1000) -> Path:
    path.write_text(json.dumps({str(i): [f"n{i:08}", f"name {i}"] for i in range(count)}))
    return path


def test_pictures_are_looked_at_before_any_work(tmp_path: Path) -> None:
    index = index_file(tmp_path / "index.json")
    folder = tmp_path / "pictures"
    folder.mkdir()
    config = BackbonesConfig(data_dir=folder, class_index=index)
    with pytest.raises(DataError, match="holds no picture"):
        backbones.check(config)
    Image.new("RGB", (9, 9)).save(folder / "n00000007_a.png")
    assert backbones.check(config) == config
    (folder / "n00000008_b.png").write_bytes(b"\x89PNG but no more")
    with pytest.raises(DataError, match="n00000008_b"):
        backbones.check(config)
    (folder / "n00000008_b.png").rename(folder / "b.png")
    with pytest.raises(DataError, match="wnid"):
        backbones.check(config)
    with pytest.raises(UserError, match=r"1000 classes .*received 999"):
        index_file(index, 999)
        backbones.check(config)


def test_the_class_index_of_keras_s_cache_is_found(tmp_path: Path, empty_keras_cache: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (9, 9)).save(folder / "n00000007_a.png")
    empty_keras_cache.mkdir(parents=True)
    index_file(empty_keras_cache / "imagenet_class_index.json")
    backbones.check(BackbonesConfig(data_dir=folder))


def test_a_mistake_on_the_command_line_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line.run_study(backbones.TASK, ["--backbones", "ResNet5O"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --backbones: ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_there_bring_their_variant_with_them(tmp_path: Path) -> None:
    place = tmp_path / "weights"
    place.mkdir()
    for file in ("mobilenet_2_5_224_tf.h5", "mobilenet_5_0_224_tf_no_top.h5"):
        (place / file).touch()
    config = BackbonesConfig(backbones=("MobileNet", "VGG16"), weights_dir=place)
    assert backbones.check(config).backbones == ("MobileNet", "VGG16", "MobileNet-0.25")
    thin = dataclasses.replace(config, backbones=("mobilenet-0.5",))
    assert backbones.check(thin).backbones == ("MobileNet-0.5",)


def test_a_dry_run_looks_at_one_batch_of_pictures(tmp_path: Path) -> None:
    index = index_file(tmp_path / "index.json")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(9):
        Image.new("RGB", (9, 9)).save(folder / f"n{number:08}_a.png")
    cell = options(data_dir=folder, class_index=index, dry_run=True)
    assert len(backbones._pictures(cell, backbones._class_index(cell))) == 2
    plain = dataclasses.replace(cell, dry_run=False)
    assert len(backbones._pictures(plain, backbones._class_index(plain))) == 9


def test_the_user_s_folder_comes_before_keras_s_cache(
    tmp_path: Path, empty_keras_cache: Path
) -> None:
    from keras_models.imagenet_classifiers import find

    assert backbones.weights_at_hand(find("VGG16"), tmp_path) is None
    empty_keras_cache.mkdir(parents=True)
    cached = empty_keras_cache / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    cached.touch()
    assert backbones.weights_at_hand(find("VGG16"), tmp_path) == cached
    own = tmp_path / cached.name
    own.touch()
    assert backbones.weights_at_hand(find("VGG16"), tmp_path) == own


def test_one_network_is_measured(tmp_path: Path) -> None:
    found = backbones.run_cell(options(dry_run=True), RunFolder(tmp_path))
    assert json.loads(json.dumps(found)) == found
    assert (found["weights"], found["image_side"]) == ("random", 224)
    reference = keras.applications.MobileNetV3Small(weights=None)
    assert found["parameters"] == reference.count_params()
    assert found["megabytes"] == pytest.approx(found["parameters"] * 4 / 2**20)
    assert found["depth"] == sum(bool(layer.weights) for layer in reference.layers)
    assert found["milliseconds"] > 0
    assert found["milliseconds_in_batch"] > 0
    assert found["memory_megabytes"] > 100
    assert "top_1" not in found
    assert f"{found['parameters'] / 1e6:.1f} M" in backbones.summarise(found)


def test_damaged_weights_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mobilenet_2_5_224_tf.h5").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"mobilenet_2_5_224_tf\.h5") as caught:
        backbones.run_cell(
            options(network="MobileNet-0.25", weights_dir=tmp_path), RunFolder(tmp_path)
        )
    assert "\n" not in str(caught.value)


def test_real_weights_on_real_pictures(
    tmp_path: Path, shared_data: Path, shared_weights: Path
) -> None:
    """Top-1 and top-5 counted from Keras's own network and its own decoding."""
    cell = options(
        network="MobileNet-0.25",
        weights_dir=shared_weights,
        data_dir=shared_data / "imagenet_sample",
        class_index=shared_weights / "imagenet_class_index.json",
        limit=24,
        batch_size=8,
    )
    found = backbones.run_cell(cell, RunFolder(tmp_path))
    index = backbones._class_index(cell)
    source = backbones._pictures(cell, index)
    network = keras.applications.MobileNet(
        alpha=0.25, weights=str(shared_weights / "mobilenet_2_5_224_tf.h5")
    )
    first, among_five = [], []
    for number in range(24):
        image = source.example(number)["image"]
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        square = Image.fromarray(image[top : top + side, left : left + side])
        pixels = np.asarray(square.resize((224, 224), Image.Resampling.BILINEAR), np.float32)
        said = network.predict(pixels[None] / 127.5 - 1, verbose=0)[0].argsort()[::-1]
        wnids = [index.wnids[class_id] for class_id in said[:5]]
        truth = Path(source.identifier(number)).name.split("_")[0]
        first.append(wnids[0] == truth)
        among_five.append(truth in wnids)
    # Pillow and TensorFlow round the resized picture differently: one picture may tip over.
    assert found["top_1"] == pytest.approx(np.mean(first), abs=1.01 / 24)
    assert found["top_5"] == pytest.approx(np.mean(among_five), abs=1.01 / 24)
    assert found["pictures"] == 24
    assert found["top_1"] > 0.2


def test_accuracies_by_hand() -> None:
    probabilities = np.full((4, 10), 0.01)
    ranks = [0, 1, 4, 5]  # the place of the true class of each picture
    labels = np.array([3, 4, 5, 6])
    for picture, (rank, label) in enumerate(zip(ranks, labels, strict=True)):
        others = [class_id for class_id in range(10) if class_id != label]
        order = [*others[:rank], label, *others[rank:]]
        probabilities[picture, order] = np.linspace(0.19, 0.01, 10)
    found = report.accuracies(probabilities, labels, [f"n{i}" for i in range(10)])
    assert (found["top_1"], found["top_5"], found["pictures"]) == (0.25, 0.75, 4)
    # Wilson's interval of 1 in 4, by its formula with z = 1.96.
    z, n, p = 1.959964, 4, 0.25
    middle, half = p + z**2 / (2 * n), z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    assert found["top_1_low"] == pytest.approx((middle - half) / (1 + z**2 / n), abs=1e-5)
    assert found["top_1_high"] == pytest.approx((middle + half) / (1 + z**2 / n), abs=1e-5)


def test_rows_are_sorted_and_a_failure_is_one_of_them(tmp_path: Path) -> None:
    run = study_run(
        tmp_path,
        {
            "Slow_1": row("Slow", 50.0),
            "Quick_1": row("Quick", 5.0),
            "Broken_1": "its process was ended by SIGKILL; perhaps the memory did not suffice",
            "Slow_2": row("Slow", 70.0),
            "Slow_3": row("Slow", 51.0),
            "Quick_2": "the picture is upside down",
        },
    )
    rows = report.sorted_rows(run)
    assert [row["network"] for row in rows] == ["Quick", "Slow", "Broken"]
    assert rows[1]["milliseconds"] == 51.0
    assert "failure" not in rows[0]
    assert "SIGKILL" in rows[2]["failure"]


def test_the_report_has_a_table_a_file_and_charts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {
        "top_1": 0.5,
        "top_1_low": 0.44,
        "top_1_high": 0.56,
        "top_5": 0.75,
        "top_5_low": 0.7,
        "top_5_high": 0.8,
        "pictures": 240,
    }
    run = study_run(
        tmp_path,
        {
            "ResNet50": row("ResNet50", 50.0, milliseconds_in_batch=30.0, batch_size=8),
            "VGG16": row("VGG16", 80.0, milliseconds_in_batch=60.0, batch_size=8),
            "MobileNet": {
                **row("MobileNet", 9.0, milliseconds_in_batch=4.0, batch_size=8),
                **known,
            },
            "Broken": "the disk is full",
        },
    )
    report.report("backbones", run)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:7]] == [
        *("MobileNet", "ResNet50", "VGG16", "Broken", "chance")
    ]
    assert "98" in lines[3].split()
    assert "25.6" in lines[3].split()
    assert "107" in lines[3].split()
    assert lines[2].split()[-5:-1] == ["50.0", "%", "75.0", "%"] or "50.0 %" in lines[2]
    assert lines[6].split()[-4:] == ["0.1", "%", "0.5", "%"]
    written = list(csv.DictReader(io.StringIO((run.folder.report / "backbones.csv").read_text())))
    assert [one["network"] for one in written] == ["MobileNet", "ResNet50", "VGG16", "Broken"]
    assert written[0]["top_1"] == "0.5"
    assert written[1]["top_1"] == ""
    assert written[3]["failure"] == "the disk is full"
    document = json.loads((run.folder.report / "metrics.json").read_text())
    assert document["metrics"]["MobileNet"]["top_5"] == 0.75
    assert document["baseline"]["chance"] == {"top_1": 0.001, "top_5": 0.005}
    for chart in ("accuracy_by_time", "size_by_time"):
        with Image.open(run.folder.report / f"{chart}.png") as image:
            assert image.width > 500


def test_without_weights_the_table_has_no_empty_columns(tmp_path: Path) -> None:
    rows = report.sorted_rows(study_run(tmp_path, {"VGG16": row("VGG16", 8.0)}))
    header, cells = report.table(rows)
    assert not {"top-1", "top-5", "failure"} & set(header)
    assert len(cells) == 1
    assert "random weights" in report.explanation(rows)


def test_the_rank_correlation_is_spearman_s() -> None:
    rows = [
        {**row(str(n), ms), "parameters": size}
        for n, (ms, size) in enumerate(zip((1, 2, 3, 4), (10, 30, 20, 40), strict=True))
    ]
    # 1 - 6 * sum of squared differences of ranks / (n (n^2 - 1)) = 1 - 6 * 2 / 60
    assert "0.80" in report.ranks(rows)
    assert "Too few" in report.ranks(rows[:2])


def test_the_options_of_a_cell_are_those_of_the_study() -> None:
    names = {field.name for field in dataclasses.fields(NetworkOptions)} - {"network"}
    assert names <= {field.name for field in dataclasses.fields(BackbonesConfig)}
