"""The task: its options, its networks, and runs on a folder of pictures with fixations."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from tasks import evaluate, predict
from tasks.common.errors import UserError
from tasks.saliency import PRESETS, TASK, SaliencyConfig, build_model, check, map_size
from tests.datasets.fixation_lists import write_data
from tests.tasks.processes import run


def changed(**options) -> SaliencyConfig:
    return dataclasses.replace(PRESETS["quick"], **{"weights": "none", **options})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"data": "fixations"}, "--data fixations needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data fixations"),
        ({"blur_degrees": 0.0}, "--blur-degrees must be above 0"),
        ({"blur_degrees": float("nan")}, "--blur-degrees must be above 0"),
        ({"blur_degrees": 1e300}, "--blur-degrees must be above 0 and at most 90"),
        ({"pixels_per_degree": -1.0}, "--pixels-per-degree must be above 0"),
        ({"pixels_per_degree": 1e9}, "--pixels-per-degree must be above 0 and at most 1000"),
        ({"earliest_seconds": -1.0}, "--earliest-seconds must be at least 0"),
        ({"rendered_count": (0, 1, 1)}, "--rendered-count must be at least one"),
        ({"image_size": (16, 96)}, "--image-size must be from 32 to 4096"),
        (
            {"data": "fixations", "data_dir": Path("x"), "image_size": (31, 96)},
            "--image-size must be at least 32 pixels a side for SmallResNet",
        ),
        ({"width": 0.0}, "--width must be above 0"),
        ({"dropout": 1.0}, "--dropout must be at least 0 and below 1"),
        ({"output": "linear"}, "--output linear may be below 0"),
        ({"output": "linear", "loss": "mse"}, "--output linear needs --network deep"),
        ({"network": "shallow"}, "--image-size must be 96 96"),
        ({"network": "deep", "image_size": (98, 128)}, "--image-size must be multiples of 4"),
        ({"tail_stages": 9}, "--tail-stages must be from 0 to the 4 stages"),
        ({"scratch_epochs": 0}, "--scratch-epochs must be at least 1"),
        ({"backbone": "MobileNetV9"}, "--backbone"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_sentence(options, told: str) -> None:
    with pytest.raises(UserError) as caught:
        check(changed(**options))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


DEEP = {"network": "deep", "output": "linear", "loss": "mse"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"width": 2.0}, "--width needs --network deep or --network shallow: leave it out."),
        ({**DEEP, "backbone": "VGG16"}, "--backbone needs --network encoder: leave it out."),
        ({**DEEP, "dropout": 0.9}, "--dropout needs --network encoder: leave it out."),
        ({**DEEP, "tail_epochs": 3}, "--tail-epochs needs --network encoder: leave it out."),
        ({**DEEP, "weights": "imagenet"}, "--weights must be left out, or be `none`, without"),
    ],
)
def test_options_without_a_use_are_refused_in_one_sentence(options: dict, told: str) -> None:
    with pytest.raises(UserError) as caught:
        check(changed(**options))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("network", ["encoder", "deep", "shallow"])
def test_every_preset_goes_with_every_network(name: str, network: str) -> None:
    """What a preset sets for another network is not what the user asked for."""
    preset = dataclasses.replace(PRESETS[name], weights="none", network=network)
    output = {"output": "density"} if network == "encoder" else {}
    sizes = {"shallow": (96, 96), "deep": (96, 128), "encoder": (96, 128)}
    data = {"data_dir": Path("somewhere")} if preset.data == "fixations" else {}
    config = dataclasses.replace(preset, image_size=sizes[network], **output, **data)
    assert check(config) == config


def test_only_an_encoder_takes_weights() -> None:
    config = changed(network="deep", output="linear", loss="mse", width=0.05)
    assert check(dataclasses.replace(config, weights="auto")).weights == "none"
    assert check(dataclasses.replace(changed(), weights="auto")).weights == "none"


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": (40, 56)},
        {"network": "deep", "width": 0.02, "image_size": (40, 56)},
        {"network": "shallow", "width": 0.1, "image_size": (96, 96)},
    ],
)
def test_the_maps_of_each_network_have_the_size_that_its_batches_have(options) -> None:
    config = changed(**options)
    assert build_model(config, None).output_shape[1:] == (*map_size(config), 1)


def test_presets_are_the_networks_of_their_papers() -> None:
    seed, paper, shallow = (PRESETS[name] for name in ("seed", "paper", "shallow"))
    assert (seed.network, seed.width, seed.image_size) == ("deep", 1.0, (240, 320))
    assert (seed.optimizer, seed.loss, seed.output) == ("sgd", "mse", "linear")
    assert paper == dataclasses.replace(seed, preset="paper", width=2.0)
    assert (shallow.network, shallow.image_size) == ("shallow", (96, 96))
    data = {"data_dir": Path("somewhere")}
    for preset in (seed, paper, shallow):
        assert check(dataclasses.replace(preset, **data)).weights == "none"
    assert TASK.monitor == "val_cc"


def test_a_folder_of_pictures_from_training_to_prediction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deep network with the losses of its paper; evaluated on itself and on another folder."""
    data = write_data(tmp_path / "data", 14)
    options = (
        *("--data", "fixations", "--data-dir", str(data), "--network", "deep", "--width", "0.05"),
        *("--output", "linear", "--loss", "mse", "--optimizer", "sgd", "--image-size", "24", "32"),
        *("--scratch-epochs", "2", "--batch-size", "4", "--run-name", "one"),
    )
    output = run(tmp_path, "tasks.saliency", *options).stdout
    assert "Pictures: 14, with 280 fixations, observers: 4" in output
    folder = tmp_path / "runs" / "saliency" / "one"
    document = json.loads((folder / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert set(document["baseline"]) == {"centre bias", "human consistency", "chance"}
    chance = document["baseline"]["chance"]
    assert (chance["auc_judd"], chance["nss"], chance["cc"]) == (0.5, 0, 0)
    text = (folder / "report" / "report.md").read_text(encoding="utf-8")
    for name in ("auc judd", "shuffled auc", "nss", "cc", "kl", "sim", "mse"):
        assert f"\n| {name} |" in text
    assert "Beside the centre bias" in text
    assert (folder / "report" / "best_pictures.png").is_file()
    assert evaluate.main([str(folder), "--data-dir", str(write_data(tmp_path / "other", 3))]) == 0
    assert "shuffled" in capsys.readouterr().out
    picture = str(data / "images" / "000.png")
    assert predict.main([str(folder), picture]) == 0
    assert "half" in capsys.readouterr().out


def test_the_same_seed_splits_the_same(tmp_path: Path) -> None:
    data = write_data(tmp_path, 10)
    config = changed(data="fixations", data_dir=data)
    names = [
        [splits.test.identifier(index) for index in range(len(splits.test))]
        for splits in (TASK.load_data(config), TASK.load_data(config))
    ]
    assert names[0] == names[1]
    assert len(names[0]) == 2
    assert np.array_equal(TASK.load_data(config).test.labels, [0, 0])
