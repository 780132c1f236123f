"""Backbones that end early, and classifiers on them, against the whole network."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models import backbones, transfer
from keras_models.cut_backbone import cut_backbone


@pytest.fixture(scope="module")
def whole() -> keras.Model:
    keras.utils.set_random_seed(0)
    network = backbones.build_backbone("MobileNetV2", 32)
    return transfer.InferenceModel(network.input, network.output, name=network.name)


def test_it_gives_what_the_layer_gives(whole) -> None:
    part = cut_backbone(whole, "block_3_expand_relu")
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    layer = whole.get_layer("block_3_expand_relu")
    expected = keras.Function(whole.input, layer.output)(pixels)
    np.testing.assert_array_equal(part(pixels), expected)
    assert (type(part), part.name) == (type(whole), whole.name)
    assert len(part.layers) < len(whole.layers)


@pytest.mark.parametrize(
    ("layer", "ends"),
    [
        ("block_3_expand_relu", ["expanded_conv_project_BN", "block_2_add", "block_3_expand_relu"]),
        ("block_5_add", ["expanded_conv_project_BN", "block_2_add", "block_5_add"]),
    ],
    ids=["inside a stage", "at its end"],
)
def test_its_stages_end_with_it(whole, layer, ends) -> None:
    part = cut_backbone(whole, layer)
    operations = {operation.name: operation for operation in part.operations}
    outputs = transfer.stage_outputs(part)
    assert all(
        output is operations[name].output for output, name in zip(outputs, ends, strict=True)
    )
    layers = [layer for stage in transfer.stage_layers(part) for layer in stage]
    assert sorted(map(id, layers)) == sorted(map(id, part.layers))


@pytest.mark.parametrize("layer", ["block_3_expand_rel", "input_layer", "nothing like it at all"])
def test_a_layer_that_cannot_be_the_end_is_refused(whole, layer) -> None:
    with pytest.raises(ValueError, match=f"layer of MobileNetV2.*Received: layer_name='{layer}'"):
        cut_backbone(whole, layer)


def test_a_close_name_is_proposed(whole) -> None:
    with pytest.raises(ValueError, match="block_3_expand_relu"):
        cut_backbone(whole, "block3_expand_relu")
