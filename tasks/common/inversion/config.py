"""The options of the study of inverted features, its cells and its presets. Light to import."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Literal

from tasks.common.config import StudyConfig, TrainConfig
from tasks.common.data_choice import check_data_dir, check_drawn_count
from tasks.common.option_checks import (
    check_split_fractions,
    check_study,
    check_training,
    refuse,
    require_at_least,
)
from tasks.common.study import Cell

NAME = "invert_features"


@dataclasses.dataclass(frozen=True)
class InversionRecipe:
    """What the study and each of its networks have in common."""

    data: Literal["rendered", "folder"] = "rendered"
    """Drawn cars, or any folder of pictures."""
    data_dir: Path | None = None
    """The folder of pictures; `--data folder` needs it."""
    rendered_count: tuple[int, int, int] = (500, 60, 80)
    """Drawn pictures for training, validation and test."""
    validation_fraction: float = 0.15
    """Share of a folder's pictures that chooses the best epoch."""
    test_fraction: float = 0.2
    """Share of a folder's pictures kept for the test."""
    limit: int | None = None
    """At most this many pictures a split."""
    skip_bad_images: bool = False
    """Leave out pictures that cannot be read, and list them, instead of stopping."""
    cache_megabytes: int = 1024
    """Decoded pictures are kept in memory up to this size, in MB of 10^6 bytes."""

    encoder: str = "AlexNet"
    """The network whose features are inverted: AlexNet, or any network of `keras.applications`."""
    weights: str = "auto"
    """Of the encoder: `imagenet`, `none` (random), a weight file, or `auto`: ImageNet if it can be
    had, which of AlexNet it cannot. A file for AlexNet is a whole network (`.keras`), such as a
    model of `tasks.digits_lenet`; weights alone (`.weights.h5`) do not tell how to prepare
    pixels."""
    encoder_width: float = 0.25
    """Multiple of AlexNet's maps and units; of no other network."""
    image_size: tuple[int, int] = (147, 147)
    """Height and width of the pictures the encoder sees, in pixels; others are stretched to it."""
    target_size: tuple[int, int] | None = (64, 64)
    """Height and width of the rebuilt pictures; None is, for each layer, what doubling its maps
    reaches within the picture, as in the paper: sizes differ then, and errors compare roughly."""

    decoder_width: int = 128
    """Maps of the widest layers of a decoder; 256 in the paper."""
    dense_units: int = 1024
    """Units of the first two dense layers of a decoder for vectors; 4,096 in the paper."""

    augment: tuple[Literal["flip", "crop", "affine", "colour"], ...] = ("flip",)
    """Random changes of each training picture, made in this order; `--augment` alone for none."""
    cache: bool = True
    """Compute each picture's features once and learn from these, instead of once an epoch."""
    cache_dir: Path = Path("cache")
    """Folder of stored features and pictures; it may be deleted at any time."""
    cached_views: int = 2
    """Stored versions of a training picture: the plain one and changed ones, used in turn."""
    cache_precision: Literal["float16", "float32"] = "float16"
    """How features are stored."""

    epochs: int = 20
    """Passes over the training pictures."""
    learning_rate: float = 1e-3
    """At its highest."""
    batch_size: int | Literal["auto"] = 16
    """Pictures a step; `auto` starts at 128 and halves while the memory does not suffice."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """`sgd` has momentum 0.9 (Nesterov)."""
    schedule: Literal["constant", "warmup_cosine", "one_cycle", "step"] = "warmup_cosine"
    """How the learning rate moves; `step` multiplies it by 0.1 every 5 epochs."""
    workers: int = 2
    """Threads that read and decode pictures."""

    @property
    def resizing(self) -> str:
        """How a picture gets the encoder's size: what is rebuilt can be stretched back."""
        return "squash"


@dataclasses.dataclass(frozen=True)
class InvertFeaturesConfig(InversionRecipe, StudyConfig):
    """Rebuild pictures from the features that a network has of them, layer by layer.

    With no option at all it draws its own pictures and takes a few minutes. Presets: `quick`;
    `seed`, AlexNet's conv2, conv5, fc6 and fc8 with the earlier report's recipe; `paper`, all of
    AlexNet's layers as Dosovitskiy & Brox have it; `mobilenet`, five depths of MobileNetV2, for a
    few hundred photographs. All but the first want --data-dir.

    The commands on finished runs open the layer of least error on validation, the shallowest as a
    rule; name another as RUN/cells/NAME.
    """

    layers: tuple[str, ...] = ("conv2", "conv5", "fc6", "fc8")
    """Layers to invert, from shallow to deep, a cell each: of AlexNet conv1 to conv5 and fc6 to
    fc8, of other networks any that gives feature maps, as `summary()` names it."""
    repetitions: int = 1
    """Seeds, counted from `--seed`, each with its own split, encoder (if random) and decoders."""


@dataclasses.dataclass(frozen=True)
class InversionCellConfig(InversionRecipe, TrainConfig):
    """One decoder: one layer, one seed."""

    weights: str = "none"
    """Of the encoder: `imagenet`, `none` (random) or a weight file; the study has settled it."""
    layer: str = "conv2"
    """The layer whose features are inverted."""


_ALEXNET = InvertFeaturesConfig(
    data="folder",
    encoder_width=1.0,
    image_size=(227, 227),
    target_size=None,
    decoder_width=256,
    dense_units=4096,
    batch_size=64,
    augment=("flip", "crop"),
    cached_views=4,
)

PRESETS = {
    "quick": InvertFeaturesConfig(),
    # The earlier report: these four layers, Adam at 1e-3, a tenth of it after every five epochs.
    # Its number of epochs is not known.
    "seed": dataclasses.replace(_ALEXNET, preset="seed", schedule="step", epochs=20),
    # Dosovitskiy & Brox 2016, section 3.3: Adam, batches of 64, a rate of 1e-3 that falls towards
    # the end, 15 epochs for shallow layers to 60 for deep ones on ImageNet.
    "paper": dataclasses.replace(
        _ALEXNET,
        preset="paper",
        layers=("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"),
        epochs=60,
    ),
    # Few photographs: many views of each, and small batches for many steps.
    "mobilenet": InvertFeaturesConfig(
        preset="mobilenet",
        data="folder",
        encoder="MobileNetV2",
        # The ends of its stages: maps a half, a quarter, ... a 32nd of the picture's side.
        layers=(
            "expanded_conv_project_BN",
            "block_2_add",
            "block_5_add",
            "block_12_add",
            "out_relu",
        ),
        image_size=(128, 128),
        target_size=(128, 128),
        augment=("flip", "crop"),
        cached_views=20,
        epochs=80,
        batch_size=8,
    ),
}


def check_recipe(config: InvertFeaturesConfig) -> None:
    """Finds options of the study that are out of range; the encoder is not looked at.

    Raises:
        UserError: the first one found.
    """
    check_study(config)
    check_split_fractions(config)
    require_at_least(config, ("cache_megabytes",), 0)
    require_at_least(config, ("cached_views", "epochs", "decoder_width", "dense_units"), 1)
    if not config.learning_rate > 0:
        refuse("learning_rate", "above 0", config.learning_rate)
    if not config.encoder_width > 0:
        refuse("encoder_width", "above 0", config.encoder_width)
    for name in ("image_size", "target_size"):
        size = getattr(config, name)
        if size is not None and min(size) < 1:
            refuse(name, "positive", size)
    if not config.layers or len(set(config.layers)) < len(config.layers):
        refuse("layers", "at least one, each once", " ".join(config.layers) or "nothing")
    _check_data(config)
    for cell in cells(config):
        check_training(cell.config)


def _check_data(config: InvertFeaturesConfig) -> None:
    check_data_dir(config)
    if config.data == "rendered":
        # A class each, and two pictures to have a distance.
        check_drawn_count(config, 2, "two pictures")


def cells(config: InvertFeaturesConfig) -> list[Cell]:
    """A cell for each layer, shallow to deep, and each seed."""
    names = [field.name for field in dataclasses.fields(InversionRecipe)]
    shared = {name: getattr(config, name) for name in (*names, "preset", "dry_run")}
    return [
        Cell(_cell_name(config, layer, seed), InversionCellConfig(**shared, layer=layer, seed=seed))
        for seed in range(config.seed, config.seed + config.repetitions)
        for layer in config.layers
    ]


def _cell_name(config: InvertFeaturesConfig, layer: str, seed: int) -> str:
    """The layer's name as a folder may be called, numbered, so that folders lie from shallow on."""
    plain = re.sub(r"[^\w.+-]", "_", layer)
    name = f"{config.layers.index(layer) + 1}_{plain}"
    return name if config.repetitions == 1 else f"{name}_seed_{seed}"
