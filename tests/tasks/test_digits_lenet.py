"""The choices of the digits task: which network for which data, and what its report adds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from datasets.core import DatasetInfo
from keras_models.alexnet import build_alexnet
from keras_models.lenet import build_lenet5, build_modern_lenet5
from tasks import digits_lenet
from tasks.common import digits_report
from tasks.common.errors import UserError
from tasks.digits_lenet import PRESETS, DigitsLenetConfig
from tests.tasks.processes import run

DIGITS = tuple("0123456789")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": "mnist"}, "--data mnist needs --data-dir"),
        ({"data": "folder"}, "--data folder needs --data-dir"),
        ({"data_dir": Path("x")}, "--data-dir needs --data mnist or --data folder"),
        ({"data": "rendered_cars"}, "--data rendered_cars needs --network alexnet"),
        ({"image_size": (32, 32)}, "--image-size must be 28 28 for LeNet-5"),
        ({"network": "alexnet"}, "--image-size must be at least 67 67 for AlexNet"),
        ({"rendered_count": (100, 9, 100)}, "--rendered-count must be at least one picture"),
        ({"rendered_classes": 1}, "--rendered-classes must be from 2 to"),
        ({"epochs": 0}, "--epochs must be at least 1"),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0"),
        ({"width": float("nan")}, "--width must be above 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        digits_lenet.check(dataclasses.replace(DigitsLenetConfig(), **changes))
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_fits_together(name: str) -> None:
    config = PRESETS[name]
    if config.data in ("mnist", "folder"):
        config = dataclasses.replace(config, data_dir=Path("somewhere"))
    assert digits_lenet.check(config) == config


def info(*names: str) -> DatasetInfo:
    return DatasetInfo("made", names, "", "", "")


@pytest.mark.parametrize(
    ("changes", "name", "output"),
    [
        ({}, "LeNet5", 10),
        ({"network": "lenet5_modern"}, "LeNet5_modern", 10),
        ({"network": "alexnet", "image_size": (67, 67), "width": 0.02}, "AlexNet", 10),
    ],
)
def test_the_network_is_the_one_that_is_named(changes: dict, name: str, output: int) -> None:
    config = dataclasses.replace(DigitsLenetConfig(), **changes)
    model = digits_lenet.build_model(config, info(*DIGITS))
    assert model.name == name
    assert model.output_shape == (None, output)
    assert model.input_shape[1:3] == config.image_size


def test_lenet5_of_1998_reads_digits_alone() -> None:
    with pytest.raises(UserError, match=r"Received: 3 classes, the first of which is 'cat'"):
        digits_lenet.build_model(DigitsLenetConfig(), info("cat", "cow", "dog"))


def test_the_error_rate_is_one_minus_the_accuracy_with_its_interval_turned_around() -> None:
    numbers = {"accuracy": 0.9905, "accuracy_low": 0.985, "accuracy_high": 0.994}
    assert digits_report.error_rate(numbers) == "0.95 % (0.60 to 1.50 %)"


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (build_lenet5(DIGITS), (6, 5, 5, 1)),
        (build_modern_lenet5(DIGITS, width=2.0), (12, 5, 5, 1)),
        (build_alexnet((67, 67), DIGITS, width=0.25), (24, 11, 11, 3)),
    ],
)
def test_the_filters_are_those_of_the_first_layer(model: keras.Model, shape: tuple) -> None:
    filters = digits_report.first_layer_filters(model)
    assert filters.shape == shape
    first = next(layer for layer in model.layers if layer.weights)
    np.testing.assert_array_equal(filters[2], first.get_weights()[0][..., 2])


def test_a_network_without_a_convolution_has_no_filters() -> None:
    values = keras.Input((3,))
    model = keras.Model(values, keras.layers.Dense(2)(values), name="flat")
    with pytest.raises(ValueError, match=r"must have a convolution. Received: model='flat'"):
        digits_report.first_layer_filters(model)


def test_a_damaged_file_is_one_sentence_and_leaves_no_run(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 cut off")
    words = ("--data", "mnist", "--data-dir", str(tmp_path))
    result = run(tmp_path, "tasks.digits_lenet", *words, status=2)
    assert result.stderr.startswith("error: ")
    assert "cannot be read as a file of NumPy arrays" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_two_hundred_pictures_of_mnist_teach_more_than_chance(
    tmp_path: Path, shared_data: Path
) -> None:
    words = ("--data", "mnist", "--data-dir", str(shared_data / "mnist"), "--limit", "400")
    output = run(tmp_path, "tasks.digits_lenet", *words, "--epochs", "15").stdout
    error = float(output.rpartition("test error: ")[2].split()[0])
    assert error < 30
