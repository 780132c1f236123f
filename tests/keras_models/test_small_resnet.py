"""The small network as a backbone like any other, and heads on its early stages."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models import backbones, early_head, small_resnet, transfer

SIZE = (32, 48)
NAMES = ("a", "b", "c")


def images(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (2, *SIZE, 3)).astype("uint8")


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return transfer.build_classifier("SmallResNet", SIZE, NAMES, batch_norm_inference=True)


def test_weights_and_shape_counted_by_hand() -> None:
    network = backbones.build_backbone("smallresnet", SIZE)
    # 3x3 convolutions and the 1x1 shortcut of each block, and four numbers a channel of each
    # BatchNormalization.
    stem = 27 * 16 + 4 * 16
    blocks = [
        9 * before * after + 9 * after * after + before * after + 3 * 4 * after
        for before, after in ((16, 32), (32, 64), (64, 128))
    ]
    assert network.count_params() == stem + sum(blocks) == 304_240
    assert network.output_shape == (None, 2, 3, 128)
    assert backbones.build_backbone("SmallResNet", (33, 47)).output_shape == (None, 3, 3, 128)


def test_every_weight_learns() -> None:
    network = transfer.build_classifier("SmallResNet", SIZE, NAMES, batch_norm_inference=False)
    network.compile("sgd", "categorical_crossentropy")
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in network.trainable_variables]
    network.train_on_batch(images(), np.eye(3, dtype="float32")[:2])
    for weight, old in zip(network.trainable_variables, before, strict=True):
        assert not np.array_equal(keras.ops.convert_to_numpy(weight), old), weight.path


def test_stages_are_cut_like_those_of_any_backbone(model: keras.Model) -> None:
    assert transfer.stage_count(model) == 4
    shapes = [output.shape[1:] for output in transfer.stage_outputs(transfer.backbone_of(model))]
    assert shapes == [(16, 24, 16), (8, 12, 32), (4, 6, 64), (2, 3, 128)]
    layers = [
        layer for stage in transfer.stage_layers(transfer.backbone_of(model)) for layer in stage
    ]
    assert sorted(map(id, layers)) == sorted(map(id, transfer.backbone_of(model).layers))
    trunk, tail = transfer.split(model, 1)
    expected = model.predict(images(), verbose=0)
    received = tail.predict(trunk.predict(images(), verbose=0), verbose=0)
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_a_saved_classifier_hands_its_backbone_on(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model.save(path)
    network = backbones.build_backbone("SmallResNet", (40, 40), path)
    saved = transfer.backbone_of(model).get_weights()
    for received, expected in zip(network.get_weights(), saved, strict=True):
        np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("arguments", [(True, None), (False, "imagenet")])
def test_what_nobody_published_is_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="no classifier and no published weights"):
        small_resnet.build(*arguments, (32, 32, 3))
    assert not backbones.imagenet_weights_exist("SmallResNet")
    assert not backbones.imagenet_weights_cached("SmallResNet")
    assert backbones.imagenet_weights_exist("ResNet50")


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_a_head_on_a_stage_classifies_its_mean_features(
    model: keras.Model, stage: int, tmp_path: Path
) -> None:
    early = early_head.head_at_stage(model, stage)
    assert transfer.stage_count(early) == stage
    assert transfer.class_names(early) == NAMES
    backbone = transfer.backbone_of(model)
    maps = keras.Model(backbone.input, transfer.stage_outputs(backbone)[stage - 1])
    pooled = maps.predict(images().astype("float32") / 127.5 - 1, verbose=0).mean(axis=(1, 2))
    kernel, bias = early.get_layer("logits").get_weights()
    logits = pooled @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    received = early.predict(images(), verbose=0)
    np.testing.assert_allclose(received, expected, atol=1e-5)
    early.save(tmp_path / "early.keras")
    again = keras.saving.load_model(tmp_path / "early.keras")
    np.testing.assert_allclose(again.predict(images(), verbose=0), received, atol=1e-6)


@pytest.mark.parametrize("stage", [0, 5])
def test_a_stage_that_is_not_there(model: keras.Model, stage: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 4 for SmallResNet.*stage={stage}"):
        early_head.head_at_stage(model, stage)


def test_a_frozen_early_trunk_keeps_its_weights(model: keras.Model) -> None:
    early = early_head.head_at_stage(model, 2)
    transfer.freeze(early, 0)
    assert {variable.path.split("/")[0] for variable in early.trainable_variables} == {"logits"}
