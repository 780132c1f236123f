"""The options that every image classification task adds to the common ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal, NoReturn

from tasks.common.config import TrainConfig
from tasks.common.errors import UserError


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

    augment: tuple[Literal["flip", "crop", "colour", "rand_augment", "erase"], ...] = ("flip",)
    """Random changes of each training picture, made in this order; `--augment` alone for none."""
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
    for name in ("limit", "patience", "accumulate_steps", "workers", "cached_views"):
        value = getattr(config, name)
        if value is not None and value < 1:
            refuse(name, "at least 1", value)
    if not 0 <= config.seed < 2**31:
        refuse("seed", "at least 0 and below 2^31", config.seed)
    if config.batch_size != "auto" and config.batch_size < 1:
        refuse("batch_size", "at least 1, or `auto`", config.batch_size)
    if min(config.image_size) < 1:
        refuse("image_size", "positive", config.image_size)
    for name in ("validation_fraction", "test_fraction"):
        if not 0 < getattr(config, name) < 1:
            refuse(name, "between 0 and 1", getattr(config, name))
    if config.validation_fraction + config.test_fraction >= 1:
        refuse(
            "validation_fraction",
            "below 1 together with --test-fraction",
            config.validation_fraction,
        )
    for name in ("dropout", "label_smoothing", "warmup_fraction"):
        if not 0 <= getattr(config, name) < 1:
            refuse(name, "at least 0 and below 1", getattr(config, name))
    for name in ("weight_decay", "decay", "cache_megabytes", "checkpoint_seconds"):
        if getattr(config, name) < 0:
            refuse(name, "at least 0", getattr(config, name))
    if config.ema_momentum is not None and not 0 < config.ema_momentum < 1:
        refuse("ema_momentum", "between 0 and 1", config.ema_momentum)
    if config.clip_norm is not None and config.clip_norm <= 0:
        refuse("clip_norm", "above 0", config.clip_norm)
    if config.mixing_alpha <= 0 or (config.mixing == "cutmix" and config.mixing_alpha > 1):
        refuse("mixing_alpha", "above 0, and for cutmix at most 1", config.mixing_alpha)
    if config.xla and config.deterministic:
        raise UserError(
            "--xla needs --no-deterministic: Keras leaves XLA off where operations have to be "
            "deterministic. Add it, or leave out --xla."
        )
    if config.class_weights and config.mixing != "none":
        raise UserError(
            "--class-weights cannot be used with --mixing: a blended label has no one class. "
            "Leave out one of them."
        )


def refuse(name: str, allowed: str, received: object) -> NoReturn:
    """Ends the command because the option of the field `name` is not what is allowed.

    Raises:
        UserError: always.
    """
    option = name.replace("_", "-")
    raise UserError(f"--{option} must be {allowed}. Received: {received}.")
