"""Counts the multiply-adds of networks, and of training them with and without stored features.

Counted are convolutions and dense layers, in which nearly all arithmetic of a convolutional
network lies; bias, normalisation, activation and pooling are not. Networks are channels-last.

The backward pass of a layer that trains costs as much as two forward passes: one product for the
gradient of its weights, one for that of its inputs. A frozen layer that lies below all that train
has no backward pass. (The first layer that trains needs no gradient of its inputs; that saving is
not subtracted.)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

# Forward, and the backward pass as two more.
TRAINING_PASSES = 3


@dataclasses.dataclass(frozen=True)
class NetworkCost:
    """Multiply-adds of one forward pass of one picture through a classifier.

    Attributes:
        stages: of each stage of the backbone, shallow to deep.
        head: of the classifier's dense layer.
    """

    stages: tuple[int, ...]
    head: int

    @property
    def forward(self) -> int:
        """Of the whole network."""
        return sum(self.stages) + self.head

    def trained(self, trainable_stages: int) -> int:
        """Of the head and the last `trainable_stages` stages."""
        return self.forward - self.frozen(trainable_stages)

    def frozen(self, trainable_stages: int) -> int:
        """Of the stages before the last `trainable_stages`."""
        return sum(self.stages[: len(self.stages) - trainable_stages])


def of_classifier(backbone: keras.Model, class_count: int) -> NetworkCost:
    """Of a backbone of `keras_models.backbones` under a pooled dense head of so many classes."""
    from keras_models import transfer

    stages = tuple(of_layers(layers) for layers in transfer.stage_layers(backbone))
    return NetworkCost(stages, backbone.output_shape[-1] * class_count)


def of_layers(layers: Sequence[keras.layers.Layer]) -> int:
    """Multiply-adds of one forward pass of one example through these built layers."""
    return sum(_of_layer(layer) for layer in layers)


def _of_layer(layer: keras.layers.Layer) -> int:
    """Of one layer, or of a model in it; 0 for a layer without a kernel."""
    from keras import Model
    from keras import layers as kinds

    if isinstance(layer, Model):
        return of_layers(layer.layers)
    if isinstance(layer, kinds.SeparableConv2D):
        kernels = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
        return _positions(layer.output) * kernels
    if isinstance(layer, kinds.Conv2DTranspose):
        # Here each position of the input, not of the output, meets the whole kernel.
        return _positions(layer.input) * math.prod(layer.kernel.shape)
    if isinstance(layer, kinds.Conv2D | kinds.DepthwiseConv2D | kinds.Dense):
        # A kernel is (height, width, inputs of a group, outputs): groups are in its shape.
        return _positions(layer.output) * math.prod(layer.kernel.shape)
    return 0


def _positions(tensor: keras.KerasTensor) -> int:
    """Places in the picture at which a kernel is applied; 1 for plain features."""
    return math.prod(tensor.shape[1:-1])


def of_plain_stage(
    cost: NetworkCost, trainable_stages: int, train: int, validation: int, epochs: int
) -> int:
    """Of a stage in which every picture passes the whole network in every epoch.

    Args:
        cost: of the network.
        trainable_stages: stages that train with the head.
        train: pictures to train on; likewise `validation`, which only pass forward.
        epochs: of the stage.
    """
    trained = cost.trained(trainable_stages)
    training = cost.frozen(trainable_stages) + TRAINING_PASSES * trained
    return epochs * (train * training + validation * cost.forward)


def of_stored_stage(
    cost: NetworkCost, trainable_stages: int, train: int, validation: int, epochs: int
) -> int:
    """Of a stage that trains on stored features: what is frozen is not computed again."""
    trained = cost.trained(trainable_stages)
    return epochs * trained * (train * TRAINING_PASSES + validation)
