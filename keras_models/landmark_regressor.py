"""A backbone that tells where N points of a face lie.

Tensor contract: input `image` (batch, height, width, 3), uint8, RGB, range [0, 255]; output
(batch, 2 N), float32, in the order x00, y00, x01, y01, ...: shares of the picture's width and
height in [0, 1], x to the right, y down. Preprocessing, the points' names and the pairing of left
and right points are inside the model.

Backbone, global average pooling and a sigmoid layer are the network of the student report that
this task grew from (`pooled`). Averaging over all places throws away where something is, which
here is the question; `flattened` keeps the places.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import keras
from keras import ops

from keras_models.backbones import Backbone, build_backbone, image_shape, lookup
from keras_models.cut_backbone import cut_backbone
from keras_models.preprocessing import ImagePreprocessing
from keras_models.transfer import InferenceModel, start_residual_blocks_as_identity

Head = Literal["pooled", "flattened"]

REDUCED_CHANNELS = 64
"""Channels that `flattened` keeps of each place: 7 x 7 places of 64 are 3,136 numbers for the last
layer, where all 2,048 channels of a ResNet50 would be 100,352."""

_FIRST_LOGITS = 1e-3


@keras.saving.register_keras_serializable(package="keras_models")
class PointCoordinates(keras.layers.Layer):
    """Sigmoid in float32 over logits; carries what a saved model has to know of its points.

    Args:
        point_names: one name per point.
        mirror: for each point the number of the one that it becomes in a mirrored picture, its
            own for points on the middle line; None where it is not known.

    Raises:
        ValueError: a name twice, no names, a mirror that mirrored again gives other points, or
            (when built) not two logits per point.
    """

    def __init__(
        self,
        point_names: Sequence[str],
        mirror: Sequence[int] | None = None,
        *,
        dtype="float32",
        **kwargs,
    ):
        """Check and keep the names and the pairing."""
        # float32 also under mixed precision: bfloat16 tells apart 256 places along a side.
        super().__init__(dtype=dtype, **kwargs)
        self.point_names = tuple(str(name) for name in point_names)
        self.mirror = None if mirror is None else tuple(int(number) for number in mirror)
        if not self.point_names or len(set(self.point_names)) != len(self.point_names):
            raise ValueError(
                "`point_names` must be distinct and at least one. "
                f"Received: point_names={self.point_names}"
            )
        if self.mirror is not None and not _is_pairing(self.mirror, len(self.point_names)):
            raise ValueError(
                "`mirror` must give each point a partner whose partner it is. "
                f"Received: mirror={self.mirror}"
            )

    def build(self, input_shape):
        """Check that there are two logits per point."""
        if input_shape[-1] != 2 * len(self.point_names):
            raise ValueError(
                "`point_names` must have one name per two logits. "
                f"Received: {len(self.point_names)} names, input_shape={tuple(input_shape)}"
            )

    def call(self, logits):
        """Coordinates in [0, 1], same shape as `logits`."""
        return ops.sigmoid(logits)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "point_names": list(self.point_names),
            "mirror": None if self.mirror is None else list(self.mirror),
        }


def _is_pairing(mirror: Sequence[int], count: int) -> bool:
    """Whether it is an involution of the numbers below `count`."""
    return sorted(mirror) == list(range(count)) and all(
        mirror[partner] == number for number, partner in enumerate(mirror)
    )


def build_landmark_regressor(
    backbone_name: str,
    image_size: int | tuple[int, int],
    point_names: Sequence[str],
    mirror: Sequence[int] | None = None,
    weights: str | Path | None = None,
    head: Head = "flattened",
    dropout: float = 0.2,
    omitted_stages: int = 0,
    *,
    batch_norm_inference: bool,
) -> keras.Model:
    """A regressor from raw pixels: preprocessing -> backbone -> head -> coordinates.

    Args:
        backbone_name: see `backbones.names`.
        image_size: side, or (height, width), in pixels.
        point_names: one name per point.
        mirror: as for `PointCoordinates`.
        weights: of the backbone: None (random), "imagenet" or a file.
        head: `pooled`: global average pooling -> dropout -> dense. `flattened`: 1x1 convolution to
            `REDUCED_CHANNELS` -> layer normalisation -> ReLU -> flatten -> dropout -> dense, which
            sees every place by itself.
        dropout: share of the head's features dropped while training, in [0, 1).
        omitted_stages: stages of the backbone that are cut off at its end; each doubles height
            and width of the maps that the head sees.
        batch_norm_inference: True for pretrained weights (see `transfer.InferenceModel`), False
            to train from scratch.

    Returns:
        A functional model with the backbone nested under its own name, so that `transfer.freeze`
        and `transfer.parameter_groups` work on it.

    Raises:
        ValueError: an argument is not possible; see `backbones.build_backbone`.
    """
    if head not in ("pooled", "flattened"):
        raise ValueError(f'`head` must be "pooled" or "flattened". Received: head={head!r}')
    entry = lookup(backbone_name)
    backbone = _backbone(entry, image_size, weights, omitted_stages)
    image = keras.Input(image_shape(image_size), dtype="uint8", name="image")
    pixels = ImagePreprocessing(entry.preprocessing, name="preprocessing")(image)
    if batch_norm_inference:
        backbone = InferenceModel(backbone.input, backbone.output, name=backbone.name)
    features = _head_features(backbone(pixels), head)
    features = keras.layers.Dropout(dropout, name="dropout")(features)
    # Thousands of features sum up to logits so large that the sigmoid is flat and learns nothing:
    # small weights start all points in the middle of the picture, where it is steep.
    small = keras.initializers.RandomNormal(stddev=_FIRST_LOGITS)
    count = 2 * len(point_names)
    logits = keras.layers.Dense(count, kernel_initializer=small, name="logits")(features)
    points = PointCoordinates(point_names, mirror, name="points")(logits)
    return keras.Model(image, points, name=f"{entry.name}_landmark_regressor")


def _backbone(
    entry: Backbone, image_size: int | tuple[int, int], weights: str | Path | None, omitted: int
) -> keras.Model:
    """The backbone without its last stages."""
    if not 0 <= omitted < len(entry.stages):
        raise ValueError(
            f"`omitted_stages` must be from 0 to {len(entry.stages) - 1} for {entry.name}. "
            f"Received: omitted_stages={omitted}"
        )
    backbone = build_backbone(entry.name, image_size, weights)
    if omitted:
        backbone = cut_backbone(backbone, entry.stages[-1 - omitted])
    if weights is None:
        start_residual_blocks_as_identity(backbone)
    return backbone


def _head_features(maps: keras.KerasTensor, head: Head) -> keras.KerasTensor:
    """What the last layer sees: (batch, h, w, channels) to (batch, features)."""
    if head == "pooled":
        return keras.layers.GlobalAveragePooling2D(name="pooling")(maps)
    maps = keras.layers.Conv2D(REDUCED_CHANNELS, 1, name="reduction")(maps)
    # The maps of some backbones end in no ReLU and no normalisation, and have any scale.
    maps = keras.layers.LayerNormalization(name="normalisation")(maps)
    maps = keras.layers.ReLU(name="reduction_relu")(maps)
    return keras.layers.Flatten(name="flattening")(maps)


def point_layer(model: keras.Model) -> PointCoordinates:
    """The layer that knows the points' names and their pairing, also of a reloaded model.

    Raises:
        ValueError: the model has no such layer.
    """
    for layer in model.layers:
        if isinstance(layer, PointCoordinates):
            return layer
    raise ValueError(
        f"`model` must end in a PointCoordinates layer. Received: model={model.name!r}"
    )
