"""A network trained to classify, read out for where people look.

M. Kuemmerer, T. Wallis, M. Bethge, "DeepGaze II: Reading fixations from deep features trained on
object recognition", 2016: features of several depths, a small network of 1x1 convolutions upon
them, a centre bias added to its logits, a density over the places of the picture.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
`maps` (batch, ceil(height / 4), ceil(width / 4), 1), float32, in [0, 1]: saliency relative to the
most salient place of the picture. Preprocessing is a layer inside the model.
"""

from __future__ import annotations

from pathlib import Path

import keras

from keras_models.backbones import build_backbone, image_shape, lookup
from keras_models.map_output import MapOutput
from keras_models.preprocessing import ImagePreprocessing
from keras_models.saliency_layers import CentreBias, RelativeDensity
from keras_models.transfer import InferenceModel, skip_outputs, start_residual_blocks_as_identity

MAP_STRIDE = 4
"""Pixels of the picture under one place of the map: a third of a degree where a picture of 320
pixels spans 29 degrees, which shows all that maps blurred by one degree have to show."""

DEPTHS = 3
"""How many of the backbone's skip connections are read, counted from its end."""

CHANNELS = 32
"""Maps that are kept of each depth, and of all depths together."""


def map_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the map of a picture of (height, width)."""
    return -(-image_size[0] // MAP_STRIDE), -(-image_size[1] // MAP_STRIDE)


def build_saliency_encoder(
    backbone_name: str,
    image_size: int | tuple[int, int],
    weights: str | Path | None = None,
    dropout: float = 0.2,
    centre_bias: bool = True,
    *,
    batch_norm_inference: bool,
) -> keras.Model:
    """Preprocessing -> backbone -> read-out of its last depths -> centre bias -> density.

    Args:
        backbone_name: see `backbones.names`.
        image_size: side, or (height, width), in pixels.
        weights: of the backbone: None (random), "imagenet" or a file.
        dropout: share of the read maps dropped while training, in [0, 1).
        centre_bias: whether a learned Gaussian over the picture is added to the logits.
        batch_norm_inference: True for pretrained weights (see `transfer.InferenceModel`), False
            to train from scratch.

    Returns:
        A functional model with the backbone nested under its own name, so that `transfer.freeze`
        and `transfer.parameter_groups` work on it. It begins as the centre bias alone.

    Raises:
        ValueError: an argument is not possible; see `backbones.build_backbone`.
    """
    entry = lookup(backbone_name)
    backbone = build_backbone(entry.name, image_size, weights)
    if weights is None:
        start_residual_blocks_as_identity(backbone)
    depths = list(skip_outputs(backbone)[-DEPTHS:])
    kind = InferenceModel if batch_norm_inference else keras.Model
    shape = image_shape(image_size)
    image = keras.Input(shape, dtype="uint8", name="image")
    pixels = ImagePreprocessing(entry.preprocessing, name="preprocessing")(image)
    features = kind(backbone.input, depths, name=entry.name)(pixels)
    x = _read_out(features, dropout)
    x = keras.layers.Resizing(*map_size(shape[:2]), name="enlarged_logits")(x)
    if centre_bias:
        x = CentreBias(name="centre_bias")(x)
    x = RelativeDensity(name="density")(x)
    return keras.Model(
        image, MapOutput(("saliency",), "share of the highest")(x), name="saliency_encoder"
    )


def _read_out(features: list[keras.KerasTensor], dropout: float) -> keras.KerasTensor:
    """Logits at the resolution of the shallowest of the depths, (batch, h, w, 1)."""
    height, width = features[0].shape[1:3]
    read = []
    for number, maps in enumerate(features, start=1):
        # Depths and backbones have maps of any scale.
        x = keras.layers.LayerNormalization(name=f"read{number}_normalisation")(maps)
        x = keras.layers.Conv2D(CHANNELS, 1, name=f"read{number}")(x)
        if tuple(x.shape[1:3]) != (height, width):
            x = keras.layers.Resizing(height, width, name=f"enlarged{number}")(x)
        read.append(x)
    x = keras.layers.Concatenate(name="all_depths")(read)
    x = keras.layers.Dropout(dropout, name="dropout")(keras.layers.ReLU(name="read_relu")(x))
    x = keras.layers.Conv2D(CHANNELS, 3, padding="same", activation="relu", name="mixed")(x)
    # Of zeros: the network begins as its centre bias, and leaves it where that helps.
    return keras.layers.Conv2D(1, 1, kernel_initializer="zeros", name="logits")(x)
