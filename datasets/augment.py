"""Stateless random changes to pictures: the same seed always gives the same change.

Pictures are RGB in [0, 255]; a change of one picture takes (height, width, 3) and gives float32
of the same shape; MixUp and CutMix take a batch and its one-hot targets. Keras's own layers do
the work; they are handed a seed instead of keeping one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import keras
import tensorflow as tf

Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
BatchChange = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Augmentation = Literal["flip", "crop", "colour", "rand_augment", "erase"]
Mixing = Literal["mixup", "cutmix"]

# Inception's random resized crop (Szegedy et al. 2015, section 6: area 8 % to 100 %, aspect 3/4
# to 4/3), with a larger smallest area: a fine-grained class hangs on details a small crop loses.
_CROP_AREA = (0.5, 1.0)
_CROP_ASPECT = (3 / 4, 4 / 3)


class _GivenSeed(keras.random.SeedGenerator):
    """A seed generator without a variable: draws follow from one given seed, in order."""

    def __init__(self, seed: tf.Tensor) -> None:
        self._seed = seed
        self._drawn = 0

    def next(self, ordered: bool = True) -> tf.Tensor:
        """The next seed, int32 of shape (2,)."""
        self._drawn += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._drawn)


def picture_changes(names: Sequence[Augmentation], image_size: tuple[int, int]) -> Change | None:
    """The named changes one after another, as one function of (picture, seed); None for none.

    Args:
        names: which changes, in the order in which they are made.
        image_size: height and width of the pictures.

    Raises:
        ValueError: a name is unknown.
    """
    unknown = set(names) - set(_CHANGES)
    if unknown:
        raise ValueError(
            f"Augmentations must be among {sorted(_CHANGES)}. Received: {sorted(unknown)}"
        )
    changes = [_CHANGES[name](image_size) for name in names]
    if not changes:
        return None

    def change(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        image = tf.cast(image, tf.float32)
        for number, step in enumerate(changes):
            image = step(image, tf.random.experimental.stateless_fold_in(seed, number))
        return tf.clip_by_value(image, 0.0, 255.0)

    return change


def batch_mixing(name: Mixing | None, alpha: float) -> BatchChange | None:
    """MixUp (Zhang et al. 2018) or CutMix (Yun et al. 2019) of (images, targets, seed).

    Args:
        name: which of them; None for neither.
        alpha: parameter of the Beta(alpha, alpha) distribution that the blend is drawn from.

    Raises:
        ValueError: the name is unknown.
    """
    if name is None:
        return None
    layers = {"mixup": keras.layers.MixUp, "cutmix": keras.layers.CutMix}
    if name not in layers:
        raise ValueError(f"Mixing must be one of {sorted(layers)}. Received: {name!r}")
    # Made outside the mapped function: a Keras layer makes its own seed variable when built.
    layer = layers[name](alpha, dtype="float32")

    def mix(images: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        layer.generator = _GivenSeed(seed)
        mixed = layer({"images": tf.cast(images, tf.float32), "labels": targets}, training=True)
        return mixed["images"], mixed["labels"]

    return mix


def _by_layer(layer: keras.layers.Layer) -> Change:
    """A Keras augmentation layer as a function of (picture, seed)."""

    def change(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        layer.generator = _GivenSeed(seed)
        return tf.ensure_shape(layer(image, training=True), image.shape)

    return change


def _flip(image_size: tuple[int, int]) -> Change:
    return tf.image.stateless_random_flip_left_right


def _crop(image_size: tuple[int, int]) -> Change:
    # Relative to the picture's own aspect, so that a crop is stretched by at most the stated ratio.
    aspects = tuple(aspect * image_size[1] / image_size[0] for aspect in _CROP_ASPECT)

    def change(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        whole = tf.zeros((1, 0, 4))
        begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
            tf.shape(image),
            whole,
            seed,
            aspect_ratio_range=aspects,
            area_range=_CROP_AREA,
            use_image_if_no_bounding_boxes=True,
        )
        return tf.image.resize(tf.slice(image, begin, size), image_size, antialias=True)

    return change


def _colour(image_size: tuple[int, int]) -> Change:
    return _by_layer(
        keras.layers.RandomColorJitter(
            value_range=(0, 255),
            brightness_factor=0.2,
            contrast_factor=0.2,
            saturation_factor=(0.3, 0.7),
            hue_factor=0.05,
            dtype="float32",
        )
    )


def _rand_augment(image_size: tuple[int, int]) -> Change:
    # Two operations of middling strength: Cubuk et al. 2019, table 2, the setting for ResNet-50.
    return _by_layer(
        keras.layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.45, dtype="float32")
    )


def _erase(image_size: tuple[int, int]) -> Change:
    return _by_layer(
        keras.layers.RandomErasing(
            factor=0.5, scale=(0.02, 0.2), fill_value=127.0, value_range=(0, 255), dtype="float32"
        )
    )


_CHANGES: dict[str, Callable[[tuple[int, int]], Change]] = {
    "flip": _flip,
    "crop": _crop,
    "colour": _colour,
    "rand_augment": _rand_augment,
    "erase": _erase,
}
