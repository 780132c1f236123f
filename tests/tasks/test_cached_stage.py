"""Learning from stored features is learning from the pictures, only faster."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from datasets import pipeline
from datasets.core import Splits
from keras_models import transfer
from tasks import cars_finetune
from tasks.cars_finetune import CarsFinetuneConfig
from tasks.common import cached_stage, feature_store
from tasks.common.errors import Interrupted, UserError
from tasks.common.task import Stage, Training

COUNT = 24
HEAD = Stage("head", 2, 1e-2, 1.0, 0)
TAIL = Stage("tail", 3, 1e-5, 1.0, 2)
RECIPE = (HEAD, TAIL)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights for a recipe that freezes, with statistics unlike those of a fresh network."""
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(32, 32, 3), name="MobileNet"
    )
    normalizations = [
        layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for layer in normalizations:
        layer.momentum = 0.0
    noise = np.random.default_rng(0).uniform(-1, 1, (64, 32, 32, 3)).astype(np.float32)
    network(noise, training=True)
    path = tmp_path_factory.mktemp("weights") / "some.weights.h5"
    network.save_weights(path)
    return path


@pytest.fixture
def config(tmp_path: Path, weights: Path) -> CarsFinetuneConfig:
    """Without anything random but the order: full batches, no dropout, no augmentation."""
    return CarsFinetuneConfig(
        backbone="MobileNet",
        weights=str(weights),
        image_size=(32, 32),
        rendered_count=(COUNT, 8, 8),
        rendered_classes=4,
        cache_dir=tmp_path / "cache",
        cache_precision="float32",
        augment=(),
        dropout=0.0,
        schedule="constant",
        optimizer="sgd",
        workers=2,
    )


def prepared(
    config: CarsFinetuneConfig, number: int = 1, recipe=RECIPE
) -> tuple[Splits, keras.Model, Training | None]:
    """A fresh network, compiled for a stage, and what the cache makes of the stage."""
    keras.utils.set_random_seed(0)
    splits = cars_finetune.load_data(config)
    model = cars_finetune.build_model(config, splits.info)
    cars_finetune.compile_model(config, model, recipe[number], 1)
    training = cached_stage.tail_training(
        config, splits, model, recipe, number, COUNT, lambda: None
    )
    return splits, model, training


def fit(model: keras.Model, batches) -> keras.callbacks.History:
    return model.fit(
        batches.train(range(3), 0),
        validation_data=batches.validation,
        epochs=3,
        steps_per_epoch=batches.steps_per_epoch,
        shuffle=False,
        verbose=0,
    )


def distance(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Length of the difference of all weights."""
    return float(np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(one, other, strict=True))))


@pytest.mark.parametrize("number", [0, 1], ids=["head", "last stages"])
def test_three_epochs_from_the_cache_are_three_epochs_from_the_pictures(config, number) -> None:
    splits, plain, _ = prepared(config, number)
    from_pictures = fit(plain, cars_finetune.make_batches(config, splits, COUNT)).history
    _, model, training = prepared(config, number)
    start = [weight.numpy() for weight in model.weights]
    before = [weight.numpy() for weight in model.non_trainable_weights]
    from_cache = fit(training.model, training.batches).history
    assert from_cache.keys() == from_pictures.keys()
    # The tail, without statistics of its batches, multiplies every rounding from step to step.
    for name, values in from_pictures.items():
        # Of the eight pictures of validation one may tip over to another class.
        tolerance = {"rtol": 2e-2} if "loss" in name else {"atol": 1.01 / 8}
        np.testing.assert_allclose(from_cache[name], values, err_msg=name, **tolerance)
    apart = distance(plain.get_weights(), model.get_weights())
    assert apart < 0.25 * distance(plain.get_weights(), start)
    for expected, received in zip(before, model.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(received, expected, err_msg=received.path)
    # And the whole network, which is what is saved, has learned with its tail.
    assert from_cache["loss"][-1] < from_cache["loss"][0]
    pictures = np.concatenate(
        [x for x, _ in cars_finetune.make_batches(config, splits, 8).validation.as_numpy_iterator()]
    )
    whole = model.predict(pictures, verbose=0)
    tail = training.model.predict(training.batches.validation, verbose=0)
    np.testing.assert_allclose(whole, tail, atol=1e-4)


def test_float16_features_give_nearly_the_same_probabilities(config) -> None:
    half = dataclasses.replace(config, cache_precision="float16")
    for number in (0, 1):
        predictions = [
            training.model.predict(training.batches.validation, verbose=0)
            for training in (prepared(options, number)[2] for options in (config, half))
        ]
        np.testing.assert_allclose(*predictions, atol=5e-3)
        assert not np.array_equal(*predictions)


def test_nothing_is_computed_twice(config, monkeypatch, capsys) -> None:
    _, _, first = prepared(config, 0)
    said = capsys.readouterr().out
    # The feature maps of the second stage come first, the pooled features from them.
    assert said.count("train features") == 2

    def refuse(*arguments):
        raise AssertionError("a picture went through the trunk again")

    monkeypatch.setattr(pipeline, "view_batches", refuse)
    _, _, again = prepared(config, 0)
    _, _, tail = prepared(config, 1)
    assert "features" not in capsys.readouterr().out
    for one, other in zip(first.batches.validation, again.batches.validation, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert tail is not None


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"image_size": (40, 32)}, {"resizing": "crop", "image_size": (40, 32)}]
)
def test_other_pictures_are_other_features(config, changes, capsys) -> None:
    prepared(config)
    capsys.readouterr()
    prepared(dataclasses.replace(config, **changes))
    assert "train features" in capsys.readouterr().out


def test_other_weights_are_other_features(config, weights, tmp_path, capsys) -> None:
    prepared(config)
    splits, model, _ = prepared(config)
    capsys.readouterr()
    kernel = transfer.backbone_of(model).get_layer("conv1").kernel
    kernel.assign(kernel + 1e-3)
    cached_stage.tail_training(config, splits, model, RECIPE, 1, COUNT, lambda: None)
    assert "train features" in capsys.readouterr().out


def test_views_are_the_plain_picture_and_what_epochs_would_show(config) -> None:
    config = dataclasses.replace(config, augment=("flip", "crop"), cached_views=3)
    splits, model, _ = prepared(config)
    store = feature_store.cut_features(config, splits.info, model, RECIPE, 2)
    cache = store.features("train", splits.train, 3)
    trunk, _ = transfer.split(model, 2)
    every = np.arange(COUNT)
    plain = cars_finetune.make_batches(
        config, dataclasses.replace(splits, validation=splits.train), 8
    )
    pictures = np.concatenate([x for x, _ in plain.validation.as_numpy_iterator()])
    np.testing.assert_allclose(
        cache.take(np.zeros_like(every), every), trunk.predict(pictures, verbose=0), atol=1e-4
    )
    # Epoch 2 of a training without a cache, put back into the order of the examples.
    labelled = {}
    for images, _ in cars_finetune.make_batches(config, splits, 8).train(range(2, 3), 0):
        for image in images.numpy():
            labelled[image.tobytes()] = image
    shown = np.stack(list(labelled.values()))
    expected = trunk.predict(shown, verbose=0).reshape(COUNT, -1)
    received = cache.take(np.full_like(every, 2), every).reshape(COUNT, -1)
    nearest = np.abs(received[:, None] - expected[None]).max(axis=2)
    assert (nearest.min(axis=1) < 1e-3).all() and len(set(nearest.argmin(axis=1))) == COUNT


@pytest.mark.parametrize(
    "changes", [{"cache": False}, {"mixing": "mixup"}, {"mixing": "cutmix"}], ids=str
)
def test_where_nothing_can_be_stored_the_whole_network_trains(config, changes) -> None:
    assert prepared(dataclasses.replace(config, **changes))[2] is None
    assert not config.cache_dir.exists()


@pytest.mark.parametrize("trainable", [None, 5])
def test_where_all_layers_train_nothing_is_stored(config, trainable) -> None:
    assert prepared(config, 0, (Stage("full", 1, 1e-3, 1.0, trainable),))[2] is None
    assert not config.cache_dir.exists()


def test_a_dry_run_computes_one_batch(config, capsys) -> None:
    config = dataclasses.replace(config, dry_run=True)
    splits = cars_finetune.load_data(config)
    model = cars_finetune.build_model(config, splits.info)
    cars_finetune.compile_model(config, model, TAIL, 1)
    training = cached_stage.tail_training(config, splits, model, RECIPE, 1, 5, lambda: None)
    assert training.batches.steps_per_epoch == 1
    assert "train features: 5 x 1" in capsys.readouterr().out


def test_stopped_and_asked_again_it_goes_on(config, capsys, monkeypatch) -> None:
    calls = []

    def stop() -> None:
        calls.append(1)
        raise Interrupted

    monkeypatch.setattr(feature_store, "_BATCH", 8)
    splits, model, _ = prepared(dataclasses.replace(config, cache=False))
    with pytest.raises(Interrupted):
        cached_stage.tail_training(config, splits, model, RECIPE, 1, COUNT, stop)
    firsts = []
    views = pipeline.view_batches

    def noted(source, batching, seed, view, first, change):
        firsts.append(first)
        return views(source, batching, seed, view, first, change)

    monkeypatch.setattr(pipeline, "view_batches", noted)
    training = cached_stage.tail_training(config, splits, model, RECIPE, 1, COUNT, lambda: None)
    assert firsts == [8, 0]  # training goes on behind its first batch, validation is new
    assert training is not None and calls == [1]


def test_a_solved_head_is_better_than_it_was_and_is_not_moved(config) -> None:
    recipe = cars_finetune.stages(
        dataclasses.replace(config, head_solver="logistic"), prepared(config)[1]
    )
    assert recipe[0].solver is not None and recipe[0].epochs == 1
    _, model, training = prepared(config, 0, recipe)
    solved = [weight.numpy() for weight in model.get_layer("logits").weights]
    history = fit(training.model, training.batches).history
    assert history["accuracy"][0] > 0.8
    for expected, received in zip(solved, model.get_layer("logits").weights, strict=True):
        np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("fault", [OverflowError, FloatingPointError])
def test_features_that_cannot_be_stored_are_one_sentence(config, monkeypatch, fault) -> None:
    def refuse(*arguments):
        raise fault("Features must be other ones.")

    monkeypatch.setattr(feature_store.feature_cache, "compute", refuse)
    with pytest.raises(UserError, match="other ones"):
        prepared(config)
