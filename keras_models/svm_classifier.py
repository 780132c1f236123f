"""A backbone whose pooled features a linear support vector machine decides on.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
probabilities (batch, classes), float32. Preprocessing and class names are inside the model.

What an SVM computes is one affine map of the features, and so is the standardisation before it:
both together are the weights of one dense layer (`tasks.common.svm.dense` computes them).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import keras
from keras import ops

from keras_models.backbones import build_backbone, image_shape, lookup
from keras_models.cut_backbone import cut_backbone
from keras_models.heads import ClassProbabilities
from keras_models.preprocessing import ImagePreprocessing
from keras_models.transfer import InferenceModel

Pooling = Literal["average", "max", "flatten"]
_POOLINGS = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
    "flatten": keras.layers.Flatten,
}


@keras.saving.register_keras_serializable(package="keras_models")
class Temperature(keras.layers.Layer):
    """Divides decisions by one positive number, so that their softmax is calibrated.

    The order of the classes stays (Guo et al., "On Calibration of Modern Neural Networks", ICML
    2017, section 4.2, equation 9). The number is the layer's one weight, 1 until it is set.
    """

    def build(self, input_shape):
        """Make the weight; it is fitted beside the training, so no optimizer moves it."""
        self.temperature = self.add_weight(
            name="temperature", shape=(), initializer="ones", trainable=False
        )

    def call(self, decisions):
        """`decisions` / temperature, same shape."""
        return decisions / ops.cast(self.temperature, decisions.dtype)


def build_svm_classifier(
    backbone_name: str,
    image_size: int | tuple[int, int],
    class_names: Sequence[str],
    weights: str | Path | None = None,
    layer_name: str | None = None,
    pooling: Pooling = "average",
    *,
    unit_length: bool = False,
) -> keras.Model:
    """A classifier from raw pixels: preprocessing -> backbone to a layer -> pooling -> SVM.

    Args:
        backbone_name: see `backbones.names`.
        image_size: side, or (height, width), in pixels.
        class_names: one name per class id.
        weights: of the backbone: None (random), "imagenet" or a file.
        layer_name: the layer of the backbone that gives the features; None for its output.
        pooling: mean or largest value of each feature map, or all values in a row.
        unit_length: divide the features of each picture by their L2 norm.

    Returns:
        A functional model; its layers are `image`, `preprocessing`, the backbone under the
        backbone's own name, `pooling`, `unit_length` if there is one, `decisions` (dense),
        `temperature`, `probabilities`. The decisions are random until their weights are set.

    Raises:
        ValueError: an argument is not possible; see `backbones.build_backbone`.
    """
    if pooling not in _POOLINGS:
        raise ValueError(f"`pooling` must be one of {tuple(_POOLINGS)}. Received: {pooling=}")
    entry = lookup(backbone_name)
    backbone = build_backbone(entry.name, image_size, weights)
    if layer_name is not None:
        backbone = cut_backbone(backbone, layer_name)
    backbone = InferenceModel(backbone.input, backbone.output, name=entry.name)
    image = keras.Input(image_shape(image_size), dtype="uint8", name="image")
    pixels = ImagePreprocessing(entry.preprocessing, name="preprocessing")(image)
    features = _POOLINGS[pooling](name="pooling")(backbone(pixels))
    # float32 also under mixed precision: a scaler that is folded in needs all its digits.
    if unit_length:
        features = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(features)
    decisions = keras.layers.Dense(len(class_names), dtype="float32", name="decisions")(features)
    scaled = Temperature(dtype="float32", name="temperature")(decisions)
    probabilities = ClassProbabilities(class_names, name="probabilities")(scaled)
    return keras.Model(image, probabilities, name=f"{entry.name}_svm")
