"""Depth of every pixel of one picture: an encoder, and a decoder with skip connections.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output depth
(batch, ceil(height / 2), ceil(width / 2), 1), float32, metres along the camera's axis.
"""

from __future__ import annotations

from pathlib import Path

import keras

from keras_models.backbones import build_backbone, image_shape, lookup
from keras_models.depth_quantity import BoundedDepth
from keras_models.map_output import MapOutput
from keras_models.preprocessing import ImagePreprocessing
from keras_models.transfer import (
    InferenceModel,
    skip_outputs,
    start_residual_blocks_as_identity,
)

LEAK = 0.2
"""Slope of the decoder's leaky ReLU below 0 (Alhashim & Wonka 2018, section 3.1)."""


def build_dense_depth(
    backbone_name: str,
    image_size: int | tuple[int, int],
    weights: str | Path | None = None,
    decoder_filters: int | None = None,
    quantity: str = "inverse",
    depth_range: tuple[float, float] = (0.1, 10.0),
    dropout: float = 0.0,
    *,
    batch_norm_inference: bool,
) -> keras.Model:
    """The network of Alhashim & Wonka, on any backbone.

    "High Quality Monocular Depth Estimation via Transfer Learning", arXiv 1812.11941 (2018),
    section 3.1 and the table of the appendix, which is what DenseNet169 at 480 x 640 gives: a 1x1
    convolution of the encoder's output as wide as that, then four times: bilinear up-sampling to
    the size of the next skip, concatenation with it, two 3x3 convolutions with half the filters,
    each with a leaky ReLU; a last 3x3 convolution to one map. No BatchNormalization in the decoder.
    Here that map is a place in a range of depth (`BoundedDepth`), where the paper has it unbounded.

    Backbones pad a size that is no multiple of 32; up-sampling therefore goes to the size of the
    skip, which is twice that of the map where it is. A backbone whose shallowest skip is coarser
    than half the picture (ConvNeXt) has its last map enlarged to half.

    Args:
        backbone_name: see `backbones.names`, or SmallResNet.
        image_size: side, or (height, width), in pixels.
        weights: of the backbone: None (random), "imagenet" or a file.
        decoder_filters: of the first, 1x1 convolution; half at each step up. None, as in the
            paper, takes the channels of the encoder's output.
        quantity: what the network learns inside: `metres`, `inverse` (the paper) or `log`.
        depth_range: smallest and largest depth, metres.
        dropout: share of the maps of the encoder's output that are dropped whole while training,
            in [0, 1); the paper has none, but 50,000 pictures.
        batch_norm_inference: True for pretrained weights (see `InferenceModel`), False to train
            from scratch.

    Returns:
        A functional model; its layers are `image`, `preprocessing`, the backbone under its own
        name, `dropout` where there is any, `conv2`, and for each step k up `upK_upsampling`,
        `upK_concat`, `upK_convA`, `upK_convB`, then `conv3`, `depth`, `maps`.

    Raises:
        ValueError: an argument is not possible; see `backbones.build_backbone`, `BoundedDepth`.
    """
    entry = lookup(backbone_name)
    least = least_decoder_filters(entry.name)
    if decoder_filters is not None and decoder_filters < least:
        raise ValueError(
            f"`decoder_filters` must be at least {least}, so that one is left after the last "
            f"halving. Received: {decoder_filters=}"
        )
    encoder = _encoder(entry.name, image_size, weights, batch_norm_inference)
    height, width, _ = image_shape(image_size)
    image = keras.Input((height, width, 3), dtype="uint8", name="image")
    *skips, x = encoder(ImagePreprocessing(entry.preprocessing, name="preprocessing")(image))
    if dropout:
        x = keras.layers.SpatialDropout2D(dropout, name="dropout")(x)
    x = _decoder(x, skips, decoder_filters or x.shape[-1])
    x = _resized(x, ((height + 1) // 2, (width + 1) // 2), "half")
    x = keras.layers.Conv2D(1, 3, padding="same", name="conv3")(x)
    depth = BoundedDepth(quantity, *depth_range, name="depth")(x)
    return keras.Model(image, MapOutput(("depth",), "m")(depth), name=f"{entry.name}_depth")


def least_decoder_filters(backbone_name: str) -> int:
    """The fewest filters of the decoder: halved at each step up, to every skip, one is left.

    Raises:
        ValueError: there is no such backbone.
    """
    # The deepest of a backbone's skips is its output, where the decoder begins.
    return 2 ** (len(lookup(backbone_name).skip_layers) - 1)


def _encoder(
    name: str, image_size: int | tuple[int, int], weights: str | Path | None, inference: bool
) -> keras.Model:
    """The backbone with all its skips as outputs, shallow to deep."""
    backbone = build_backbone(name, image_size, weights)
    if weights is None:
        start_residual_blocks_as_identity(backbone)
    kind = InferenceModel if inference else keras.Model
    return kind(backbone.input, list(skip_outputs(backbone)), name=backbone.name)


def _decoder(x: keras.KerasTensor, skips: list, filters: int) -> keras.KerasTensor:
    """From the last maps to the size of the first skip, half as many filters at each step."""
    x = keras.layers.Conv2D(filters, 1, name="conv2")(x)
    for step, skip in enumerate(reversed(skips), start=1):
        x = _up(x, skip, filters // 2**step, f"up{step}")
    return x


def _up(x: keras.KerasTensor, skip: keras.KerasTensor, filters: int, name: str):
    """One step of the decoder, to the size of `skip`."""
    x = _resized(x, skip.shape[1:3], f"{name}_upsampling")
    x = keras.layers.Concatenate(name=f"{name}_concat")([x, skip])
    for part in ("A", "B"):
        x = keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            # Without BatchNormalization the width of the signal rests on the first weights.
            kernel_initializer="he_normal",
            name=f"{name}_conv{part}",
        )(x)
        x = keras.layers.LeakyReLU(LEAK, name=f"{name}_relu{part}")(x)
    return x


def _resized(x: keras.KerasTensor, size: tuple[int, int], name: str) -> keras.KerasTensor:
    """Feature maps at another size, bilinear; themselves where they have it."""
    if tuple(x.shape[1:3]) == tuple(size):
        return x
    return keras.layers.Resizing(*size, interpolation="bilinear", name=name)(x)
