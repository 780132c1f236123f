"""Pictures of cars to decisions of an SVM: the whole network against scikit-learn."""

from __future__ import annotations

import dataclasses
import json
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.svm import LinearSVC

from datasets import pipeline
from datasets.core import DatasetInfo, LabelledSource, Splits
from tasks import cars_svm
from tasks.cars_svm import CarsSvmConfig
from tasks.common.errors import UserError
from tasks.common.image_classifier import batching_of
from tests.tasks.processes import run, signal_when, start
from tests.tiny_options import TINY_SVM

INFO = DatasetInfo("cars", ("coupe", "van"), "Two cars.", "drawn", "free")


class Untouched:
    """A split that nobody may look at."""

    def __len__(self) -> int:
        return 5

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"the test split was asked for its {name}")


@pytest.fixture
def config(tmp_path: Path) -> CarsSvmConfig:
    return CarsSvmConfig(
        backbone="MobileNet",
        layer="conv_pw_3_relu",
        weights="none",
        image_size=(32, 32),
        rendered_count=(48, 16, 16),
        rendered_classes=3,
        pooling="average",
        pca=0,
        folds=3,
        costs=(1e-3, 1e-1),
        rbf_costs=(1.0,),
        rbf_gammas=(1.0,),
        cache_dir=tmp_path / "cache",
        cache_precision="float32",
        workers=2,
    )


def solved(config: CarsSvmConfig) -> tuple[Splits, keras.Model]:
    """A network whose decisions are solved, without a look at the test split."""
    keras.utils.set_random_seed(0)
    splits = dataclasses.replace(cars_svm.load_data(config), test=Untouched())
    model = cars_svm.build_model(config, splits.info)
    stages = cars_svm.stages(config, model)
    cars_svm.compile_model(config, model, stages[0], 1)
    training = cars_svm.tail_training(config, splits, model, stages, 0, 16, lambda: None)
    assert training.model.get_layer("decisions") is model.get_layer("decisions")
    return splits, model


def outputs(
    model: keras.Model, layer: str, config: CarsSvmConfig, splits: Splits, source: LabelledSource
) -> np.ndarray:
    part = keras.Model(model.input, model.get_layer(layer).output)
    batches = pipeline.evaluation_batches(source, batching_of(config, splits.info, 16))
    return part.predict(batches, verbose=0)


@pytest.mark.parametrize("changes", [{}, {"rendered_classes": 2}, {"pca": 8}], ids=str)
def test_the_network_decides_from_pictures_as_scikit_learn_from_features(config, changes) -> None:
    config = dataclasses.replace(config, **changes)
    splits, model = solved(config)
    train, unseen = (
        outputs(model, "pooling", config, splits, source).astype(np.float64)
        for source in (splits.train, splits.validation)
    )
    costs = json.loads(next(config.cache_dir.glob("svm_search_*.json")).read_text())["accuracies"]
    cost = config.costs[int(np.argmax(np.mean(costs[:2], axis=1)))]
    steps = cars_svm.common.svm.machines.prepare(train, cars_svm.plan(config).preparation)
    alone = LinearSVC(C=cost, random_state=0)
    alone.fit(steps.transform(train), splits.train.labels)
    expected = alone.decision_function(steps.transform(unseen))
    received = outputs(model, "decisions", config, splits, splits.validation)
    if config.rendered_classes == 2:
        np.testing.assert_allclose(received[:, 0], -received[:, 1], atol=1e-5)
        received = received[:, 1]
    # LIBLINEAR stops within its tolerance, and the two saw features of different rounding.
    np.testing.assert_allclose(received, expected, atol=5e-3)
    probabilities = outputs(model, "probabilities", config, splits, splits.validation)
    np.testing.assert_array_equal(
        probabilities.argmax(axis=1), alone.predict(steps.transform(unseen))
    )


def test_augmented_views_are_learned_too(config, capsys) -> None:
    config = dataclasses.replace(config, augment=("flip", "crop"), cached_views=3)
    _, model = solved(config)
    assert "train features of augmented pictures: 48 x 2" in capsys.readouterr().out
    _, plain = solved(dataclasses.replace(config, augment=()))
    weights = [network.get_layer("decisions").get_weights()[0] for network in (model, plain)]
    assert not np.allclose(*weights)


def test_the_tail_is_measured_and_not_moved(config) -> None:
    splits = cars_svm.load_data(config)
    model = cars_svm.build_model(config, splits.info)
    (stage,) = stages = cars_svm.stages(config, model)
    assert (stage.epochs, stage.learning_rate, stage.trainable_stages) == (1, 0.0, 0)
    cars_svm.compile_model(config, model, stage, 3)
    training = cars_svm.tail_training(config, splits, model, stages, 0, 16, lambda: None)
    before = [weight.numpy() for weight in model.weights]
    training.model.fit(training.batches.train(range(1), 0), epochs=1, steps_per_epoch=3, verbose=0)
    for expected, received in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(received, expected, err_msg=received.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cache": False}, "--no-cache"),
        ({"mixing": "mixup"}, "--mixing"),
        ({"dropout": 0.5}, "--dropout"),
        ({"optimizer": "sgd"}, "--optimizer"),
        ({"ema_momentum": 0.9}, "--ema-momentum"),
        ({"find_learning_rate": True}, "--find-learning-rate"),
        ({"pca": -1}, "--pca"),
        ({"folds": 1}, "--folds"),
        ({"costs": ()}, "--costs"),
        ({"costs": (0.1, 0.0)}, "--costs"),
        ({"costs": (float("nan"),)}, "--costs"),
        ({"rbf_costs": (1.0, 1.0)}, "--rbf-costs"),
        ({"rbf_gammas": (float("inf"),)}, "--rbf-gammas"),
        ({"backbone": "VGG61"}, "--backbone"),
        ({"backbone": "Xception", "image_size": (70, 96)}, "--image-size must be at least 71 pix"),
        ({"layer": "block4_pol"}, "--layer: .*block4_pool.* Received: layer_name='block4_pol'"),
        ({"data": "folder"}, "--data-dir"),
    ],
    ids=str,
)
def test_an_option_that_cannot_work_is_one_sentence(changes, message) -> None:
    config = dataclasses.replace(CarsSvmConfig(weights="none"), **changes)
    with pytest.raises(UserError, match=message) as caught:
        cars_svm.check(config)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer": "block4_pol"}, "block4_pool"),
        ({"layer": "block2_pool", "image_size": (224, 224)}, "--pooling average"),
        ({"image_size": (31, 96)}, "image_size"),
    ],
    ids=str,
)
def test_a_network_that_cannot_be_built_is_one_sentence(changes, message) -> None:
    config = dataclasses.replace(CarsSvmConfig(weights="none"), **changes)
    with pytest.raises(UserError, match=message):
        cars_svm.build_model(config, INFO)


def test_a_pca_of_more_than_there_is_is_one_sentence_before_any_work(config) -> None:
    # Of 48 pictures in three folds 32 remain; the layer has 128 maps.
    cars_svm.load_data(dataclasses.replace(config, pca=32))
    with pytest.raises(UserError, match=r"--pca must be at most 32.*48.*--folds 3.*Received: 33"):
        cars_svm.load_data(dataclasses.replace(config, pca=33))
    with pytest.raises(UserError, match=r"--pca must be at most 128.*Received: 129"):
        cars_svm.build_model(dataclasses.replace(config, pca=129), INFO)


def test_a_dry_run_does_with_one_component(config) -> None:
    config = dataclasses.replace(config, dry_run=True, pca=100)
    cars_svm.load_data(config)
    assert cars_svm.plan(config).preparation.components == 1


@pytest.mark.parametrize("name", cars_svm.PRESETS)
def test_every_preset_has_a_plan(name) -> None:
    config = cars_svm.PRESETS[name]
    plan = cars_svm.plan(config)
    assert [machine.cost for machine in plan.linear] == list(config.costs)
    assert len(plan.rbf) == len(config.rbf_costs) * len(config.rbf_gammas)
    assert all(machine.is_linear for machine in plan.linear)
    assert not any(machine.is_linear for machine in plan.rbf)


def weights_of(folder: Path) -> list[np.ndarray]:
    return keras.saving.load_model(folder / "model.keras", compile=False).get_weights()


@pytest.mark.slow
def test_killed_and_resumed_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    words = ("tasks.cars_svm", *TINY_SVM)
    run(tmp_path, *words, "--run-name", "whole", "--cache-dir", "other")
    process = start(tmp_path, *words, "--run-name", "killed")
    signal_when(process, lambda: list((tmp_path / "cache").glob("svm_search*")), signal.SIGKILL)
    folder = tmp_path / "runs" / "cars_svm"
    again = run(tmp_path, "tasks.cars_svm", "--resume", str(folder / "killed"))
    assert "train features:" not in again.stdout
    for one, other in zip(weights_of(folder / "whole"), weights_of(folder / "killed"), strict=True):
        np.testing.assert_array_equal(one, other)
    metrics = [
        json.loads((folder / name / "report" / "metrics.json").read_text())
        for name in ("whole", "killed")
    ]
    assert metrics[0]["metrics"] == metrics[1]["metrics"]
    assert metrics[0]["baseline"] == metrics[1]["baseline"]
    assert "RBF SVM on the same features" in metrics[0]["baseline"]


@pytest.mark.slow
def test_a_dry_run_runs_to_its_end(tmp_path: Path) -> None:
    run(tmp_path, "tasks.cars_svm", *TINY_SVM, "--pca", "64", "--dry-run", "--run-name", "dry")
    assert (tmp_path / "runs" / "cars_svm" / "dry" / "report" / "report.md").is_file()


@pytest.mark.slow
def test_real_photographs_with_real_weights(
    tmp_path: Path, shared_data: Path, shared_weights: Path
) -> None:
    weights = next(shared_weights.glob("mobilenet_v2*.h5"))
    data = ("--data", "stanford_cars", "--data-dir", str(shared_data / "stanford_cars_mini"))
    network = ("--backbone", "MobileNetV2", "--weights", str(weights), "--layer", "output")
    search = ("--folds", "3", "--costs", "1e-4", "1e-3", "--rbf-costs", "10", "--rbf-gammas", "0.1")
    size = ("--image-size", "96", "96", "--pooling", "average", "--pca", "0")
    run(tmp_path, "tasks.cars_svm", *data, *network, *search, *size, "--run-name", "photographs")
    report = tmp_path / "runs" / "cars_svm" / "photographs" / "report" / "metrics.json"
    metrics = json.loads(report.read_text())
    # On small pictures: far above chance (5 %), so the weights were really used.
    assert metrics["metrics"]["test"]["accuracy"] > 0.4
