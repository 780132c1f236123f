"""Keras's weights in PyTorch: the same features, or nothing."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks import torch_weights
from keras_models import backbones, transfer

needs_torch = pytest.mark.skipif(
    not torch_weights.available(),
    reason="PyTorch is not installed (pip install -r requirements-benchmarks.txt)",
)


def trained_like(name: str, image_size: tuple[int, int]) -> keras.Model:
    """A backbone in which every weight matters: no bias 0, no statistics 0 and 1."""
    backbone = backbones.build_backbone(name, image_size, None)
    rng = np.random.default_rng(0)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.gamma.shape[0]
            gamma, beta = rng.uniform(0.5, 1.2, count), rng.normal(0, 0.3, count)
            mean, variance = rng.normal(0, 0.5, count), rng.uniform(0.5, 2, count)
            layer.set_weights([gamma, beta, mean, variance])
        elif layer.get_weights():
            kernel, *bias = layer.get_weights()
            layer.set_weights([kernel, *(rng.normal(0, 0.3, b.shape) for b in bias)])
    return backbone


# Odd maps lie on the way of 96 x 72: there the padding of strided layers differs.
@needs_torch
@pytest.mark.parametrize(
    ("name", "mode", "image_size"),
    [("MobileNetV2", "tf", (96, 72)), ("ResNet50", "caffe", (64, 96))],
)
def test_features_are_the_same(name: str, mode: str, image_size: tuple[int, int]) -> None:
    backbone = trained_like(name, image_size)
    network = torch_weights.build(name)
    before = torch_weights.largest_difference(backbone, network, mode)
    torch_weights.fill(network, torch_weights.convert(backbone))
    after = torch_weights.largest_difference(backbone, network, mode)
    assert after < 1e-4 < torch_weights.TOLERANCE < before


@needs_torch
def test_a_difference_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_weights, "largest_difference", lambda *arguments: 0.01)
    backbone = trained_like("MobileNetV2", (32, 32))
    backbone.save_weights(tmp_path / "x.weights.h5")
    words = ["--folder", str(tmp_path / "model"), "--weights", str(tmp_path / "x.weights.h5")]
    assert torch_weights.main([*words, "--image-size", "32", "32"]) == 2
    assert "must compute what it computes in Keras" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@needs_torch
def test_a_weight_that_is_missing_or_of_another_shape_is_refused() -> None:
    backbone = backbones.build_backbone("MobileNetV2", 32, None)
    weights = torch_weights.convert(backbone)
    network = torch_weights.build("MobileNetV2")
    name = "layer.3.expand_1x1.convolution.weight"
    with pytest.raises(ValueError, match=r"missing=.*layer\.3\.expand_1x1"):
        torch_weights.fill(network, {k: v for k, v in weights.items() if k != name})
    with pytest.raises(ValueError, match="size mismatch"):
        torch_weights.fill(network, weights | {name: weights[name][:1]})


@pytest.mark.parametrize("name", torch_weights.BACKBONES[:2])
def test_every_weight_has_a_place_of_its_own(name: str) -> None:
    backbone = backbones.build_backbone(name, 32, None)
    weighted = [layer for layer in backbone.layers if layer.weights]
    places = [torch_weights.place_of(layer.name) for layer in weighted]
    assert None not in places
    # A convolution and its normalisation share one.
    assert len(set(places)) * 2 == len(places)


def test_the_last_stage_is_the_same_in_both() -> None:
    last = transfer.stage_layers(backbones.build_backbone("ResNet50", 32, None))[-1]
    modules = torch_weights.modules_of(last)
    assert all(module.startswith("encoder.stages.3.") for module in modules)
    # Three blocks of three convolutions, and one shortcut.
    assert len(modules) == 3 * 3 + 1
    last = transfer.stage_layers(backbones.build_backbone("MobileNetV2", 32, None))[-1]
    modules = torch_weights.modules_of(last)
    assert modules[0] == "layer.12.expand_1x1"
    assert modules[-1] == "conv_1x1"
    assert len(modules) == 4 * 3 + 1


def test_a_layer_without_weights_has_no_place() -> None:
    assert torch_weights.place_of("block_3_add") is None
    assert torch_weights.place_of("conv4_block2_out") is None


def test_an_unknown_network_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert torch_weights.main(["--folder", str(tmp_path), "--backbone", "VGG16"]) == 2
    assert "--backbone must be one of MobileNetV2" in capsys.readouterr().err
