"""The options that every image classification task adds to the common ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from tasks.common.config import TrainConfig
from tasks.common.errors import UserError
from tasks.common.option_checks import (
    check_split_fractions,
    check_training,
    refuse,
    require_at_least,
    require_shares,
)


@dataclasses.dataclass(frozen=True)
class ImageClassifierConfig(TrainConfig):
    """Options of an image classification task."""

    image_size: tuple[int, int] = (64, 96)
    """Height and width of the pictures the network sees, in pixels."""
    resizing: Literal["squash", "crop", "pad"] = "squash"
    """How a picture gets that size: change its aspect ratio, cut its longer side, or add black."""
    validation_fraction: float = 0.15
    """Share of the training pictures kept for validation where the data has no own split."""
    test_fraction: float = 0.15
    """Share kept for the test where the data has no own split."""
    skip_bad_images: bool = False
    """Leave out pictures that cannot be read, and list them, instead of stopping."""
    cache_megabytes: int = 1024
    """Decoded pictures are kept in memory up to this size, in MB of 10^6 bytes."""
    decoded_cache: bool = False
    """Keep decoded, resized pictures in `--cache-dir`: for more pictures than the memory takes."""
    cache: bool = True
    """Compute what frozen layers give once and learn from the stored features; needs no mixing."""
    cache_dir: Path = Path("cache")
    """Folder of stored features and pictures; it may be deleted at any time."""
    cached_views: int = 4
    """Stored versions of a training picture: the plain one and augmented ones, used in turn."""
    cache_precision: Literal["float16", "float32"] = "float16"
    """How features are stored."""

    augment: tuple[Literal["flip", "crop", "affine", "colour", "rand_augment", "erase"], ...] = (
        "flip",
    )
    """Random changes of each training picture, made in this order; `--augment` alone for none.
    `affine` turns, slants, scales and shifts a little."""
    mixing: Literal["none", "mixup", "cutmix"] = "none"
    """Blend pairs of training pictures and their labels."""
    mixing_alpha: float = 0.2
    """Beta(alpha, alpha) of the blend: 0.2 for MixUp on ImageNet, 1.0 for CutMix (the papers)."""
    label_smoothing: float = 0.0
    """This share of a label's weight goes evenly to all classes; 0.1 is Szegedy et al. 2016."""
    class_weights: bool = False
    """Weigh classes inversely to how often they occur in training."""
    dropout: float = 0.2
    """Share of the pooled features dropped while training."""


def check_image_classifier(config: ImageClassifierConfig) -> None:
    """Finds options that are out of range, before any work.

    Raises:
        UserError: the first one found.
    """
    check_training(config)
    check_split_fractions(config)
    require_at_least(config, ("cached_views",), 1)
    require_at_least(config, ("cache_megabytes",), 0)
    require_shares(config, ("dropout", "label_smoothing"))
    if min(config.image_size) < 1:
        refuse("image_size", "positive", config.image_size)
    if config.mixing_alpha <= 0 or (config.mixing == "cutmix" and config.mixing_alpha > 1):
        refuse("mixing_alpha", "above 0, and for cutmix at most 1", config.mixing_alpha)
    if config.class_weights and config.mixing != "none":
        raise UserError(
            "--class-weights cannot be used with --mixing: a blended label has no one class. "
            "Leave out one of them."
        )
