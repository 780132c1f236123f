"""Multiply-adds against hand counts and against what the papers state."""

from __future__ import annotations

import keras
import pytest

from benchmarks import multiply_adds
from benchmarks.multiply_adds import NetworkCost
from keras_models import backbones


def built(layer: keras.layers.Layer, shape: tuple[int, ...]) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        # Output 8 x 10; each position: 3 x 3 x 5 inputs x 7 outputs.
        (keras.layers.Conv2D(7, 3, padding="same"), (8, 10, 5), 8 * 10 * 3 * 3 * 5 * 7),
        # Without padding and with stride 2: rows 0, 2, 4 and columns 0, 2, 4, 6.
        (keras.layers.Conv2D(7, 3, strides=2), (8, 10, 5), 3 * 4 * 3 * 3 * 5 * 7),
        # Two groups: each output sees half of the inputs.
        (keras.layers.Conv2D(6, 3, padding="same", groups=2), (8, 8, 4), 64 * 9 * 2 * 6),
        (keras.layers.DepthwiseConv2D(3, padding="same"), (8, 8, 5), 64 * 9 * 5),
        (keras.layers.DepthwiseConv2D(5, 2, padding="same"), (8, 8, 3), 16 * 25 * 3),
        (keras.layers.SeparableConv2D(7, 3, padding="same"), (8, 8, 5), 64 * (9 * 5 + 5 * 7)),
        # 4 x 4 inputs, each spread over a kernel of 3 x 3 for 2 x 6 pairs of channels.
        (keras.layers.Conv2DTranspose(6, 3, strides=2), (4, 4, 2), 16 * 9 * 2 * 6),
        (keras.layers.Dense(11), (13,), 13 * 11),
        # A dense layer on maps, as in ConvNeXt, is a 1 x 1 convolution.
        (keras.layers.Dense(11), (4, 6, 13), 24 * 13 * 11),
        (keras.layers.BatchNormalization(), (8, 8, 5), 0),
        (keras.layers.MaxPooling2D(), (8, 8, 5), 0),
    ],
)
def test_a_layer_counts_what_a_hand_counts(
    layer: keras.layers.Layer, shape: tuple[int, ...], expected: int
) -> None:
    assert multiply_adds.of_layers(built(layer, shape).layers) == expected


def test_a_nested_model_counts_once() -> None:
    inner = built(keras.layers.Conv2D(3, 1), (4, 4, 2))
    inputs = keras.Input((4, 4, 2))
    outer = keras.Model(inputs, keras.layers.Conv2D(5, 1)(inner(inputs)))
    assert multiply_adds.of_layers(outer.layers) == 16 * 2 * 3 + 16 * 3 * 5


@pytest.mark.parametrize(
    ("name", "published"),
    [
        # Sandler et al. 2018, table 4: 300 million; He et al. 2016, table 1: 3.8 billion.
        ("MobileNetV2", 300e6),
        ("ResNet50", 3.8e9),
        # Simonyan & Zisserman 2015 have 15.5 billion, see He et al. 2016: 15.3.
        ("VGG16", 15.4e9),
    ],
)
def test_whole_networks_cost_what_the_papers_say(name: str, published: float) -> None:
    backbone = backbones.build_backbone(name, 224, None)
    cost = multiply_adds.of_classifier(backbone, 1000)
    assert cost.forward == pytest.approx(published, rel=0.02)
    assert cost.head == backbone.output_shape[-1] * 1000


def test_resnet_of_version_1_5_costs_more() -> None:
    """With the stride in the 3 x 3 convolution (version 1.5) it is 4.1 billion."""
    backbone = backbones.build_backbone("ResNet50", 224, None)
    cost = multiply_adds.of_classifier(backbone, 1000)
    moved = 0
    for stage, side, width in ((3, 56, 128), (4, 28, 256), (5, 14, 512)):
        # The first convolution of the stage then sees the maps before their stride: 4 times.
        inputs = {3: 256, 4: 512, 5: 1024}[stage]
        moved += (side**2 - (side // 2) ** 2) * inputs * width
    assert cost.forward == pytest.approx(3.86e9, rel=0.002)
    assert cost.forward + moved == pytest.approx(4.09e9, rel=0.002)


def test_stages_sum_to_the_network() -> None:
    backbone = backbones.build_backbone("MobileNetV2", (64, 96), None)
    cost = multiply_adds.of_classifier(backbone, 7)
    assert sum(cost.stages) == multiply_adds.of_layers(backbone.layers)
    assert len(cost.stages) == 5
    assert min(cost.stages) > 0


COST = NetworkCost(stages=(100, 200, 400), head=10)


def test_a_cost_is_cut_at_the_frozen_stages() -> None:
    assert COST.forward == 710
    assert (COST.frozen(0), COST.trained(0)) == (700, 10)
    assert (COST.frozen(1), COST.trained(1)) == (300, 410)
    assert (COST.frozen(3), COST.trained(3)) == (0, 710)


def test_a_plain_stage_passes_every_picture_through_all_in_every_epoch() -> None:
    # Two epochs; 5 pictures: 300 forward, 410 three times; 2 validation pictures: forward.
    assert multiply_adds.of_plain_stage(COST, 1, 5, 2, 2) == 2 * (5 * (300 + 3 * 410) + 2 * 710)


def test_a_stored_stage_leaves_out_what_is_frozen() -> None:
    assert multiply_adds.of_stored_stage(COST, 1, 5, 2, 2) == 2 * 410 * (5 * 3 + 2)


def test_head_on_stored_features_is_hundreds_of_times_cheaper() -> None:
    """ResNet50 at 224 px, 196 classes: a head epoch falls from 3.9 billion to a million."""
    cost = multiply_adds.of_classifier(backbones.build_backbone("ResNet50", 224, None), 196)
    plain = multiply_adds.of_plain_stage(cost, 0, 1, 0, 1)
    stored = multiply_adds.of_stored_stage(cost, 0, 1, 0, 1)
    assert stored == 3 * 2048 * 196
    assert plain > 3000 * stored
