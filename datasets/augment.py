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
PairedChange = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Augmentation = Literal["flip", "crop", "affine", "colour", "rand_augment", "erase"]
Mixing = Literal["mixup", "cutmix"]

# Inception's random resized crop (Szegedy et al. 2015, section 6: area 8 % to 100 %, aspect 3/4
# to 4/3), with a larger smallest area: a fine-grained class hangs on details a small crop loses.
_CROP_AREA = (0.5, 1.0)
_CROP_ASPECT = (3 / 4, 4 / 3)
# Small enough that a written character stays the one it is: 12 degrees, and shares of the side.
_TURN, _SLANT, _SCALE, _SHIFT = 0.21, 0.15, 0.1, 0.07


class _GivenSeed(keras.random.SeedGenerator):
    """A seed generator without a variable: samples follow, in order, from the seed last given.

    It is made part of a layer once, before the layer is built, because Keras then takes no other;
    each call of the layer starts it anew.
    """

    def __init__(self) -> None:
        self._seed: tf.Tensor | None = None
        self._count = 0

    def start(self, seed: tf.Tensor) -> None:
        """From now on sample from `seed`, int32 of shape (2,)."""
        self._seed = seed
        self._count = 0

    def next(self, ordered: bool = True) -> tf.Tensor:
        """The next seed, int32 of shape (2,)."""
        self._count += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._count)


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


def in_turn(changes: Sequence[PairedChange]) -> PairedChange | None:
    """Changes of a picture and of what follows it, such as points, as one; None for none."""
    if not changes:
        return None

    def change(
        image: tf.Tensor, follower: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.cast(image, tf.float32)
        for number, step in enumerate(changes):
            image, follower = step(
                image, follower, tf.random.experimental.stateless_fold_in(seed, number)
            )
        return tf.clip_by_value(image, 0.0, 255.0), follower

    return change


def batch_mixing(name: Mixing | None, alpha: float) -> BatchChange | None:
    """MixUp (Zhang et al. 2018) or CutMix (Yun et al. 2019) of (images, targets, seed).

    Args:
        name: which of them; None for neither.
        alpha: parameter of the Beta(alpha, alpha) distribution that the blend is sampled from;
            above 0, and for CutMix at most 1.

    Raises:
        ValueError: the name is unknown.
    """
    # CutMix samples its alpha from a range; a range of one point makes it the paper's.
    makers = {
        "mixup": lambda: keras.layers.MixUp(alpha, dtype="float32"),
        "cutmix": lambda: keras.layers.CutMix((alpha, alpha), dtype="float32"),
    }
    if name is None:
        return None
    if name not in makers:
        raise ValueError(f"Mixing must be one of {sorted(makers)}. Received: {name!r}")
    layer, generator = _seeded(makers[name]())

    def mix(images: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        generator.start(seed)
        mixed = layer({"images": tf.cast(images, tf.float32), "labels": targets}, training=True)
        return mixed["images"], mixed["labels"]

    return mix


def _seeded(layer: keras.layers.Layer) -> tuple[keras.layers.Layer, _GivenSeed]:
    """A layer that is not built yet, and the generator that it draws from now on."""
    generator = _GivenSeed()
    layer.generator = generator
    return layer, generator


def _by_layers(*layers: keras.layers.Layer) -> Change:
    """Keras augmentation layers one after another, as a function of (picture, seed)."""
    seeded = [_seeded(layer) for layer in layers]

    def change(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shape = image.shape
        for number, (layer, generator) in enumerate(seeded):
            generator.start(tf.random.experimental.stateless_fold_in(seed, number))
            image = layer(image, training=True)
        return tf.ensure_shape(image, shape)

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


def _affine(image_size: tuple[int, int]) -> Change:
    height, width = image_size
    middle = tf.constant([(width - 1) / 2, (height - 1) / 2])

    def change(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        draws = tf.random.stateless_uniform((6,), seed, -1.0, 1.0)
        matrix = _turned_slanted_scaled(_TURN * draws[0], _SLANT * draws[1], _SCALE * draws[2:4])
        # Pixel p of the result is taken from matrix (p - middle - shift) + middle.
        shift = _SHIFT * draws[4:] * (width, height)
        offset = middle - tf.linalg.matvec(matrix, middle + shift)
        transform = tf.concat([matrix[0], offset[:1], matrix[1], offset[1:], [0.0, 0.0]], axis=0)
        return keras.ops.image.affine_transform(
            image, transform, fill_mode="nearest", data_format="channels_last"
        )

    return change


def _turned_slanted_scaled(turn: tf.Tensor, slant: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The 2 x 2 matrix of a rotation (radians), a shear and a growth by 1 + scale in x and y."""
    rotation = tf.stack([[tf.cos(turn), -tf.sin(turn)], [tf.sin(turn), tf.cos(turn)]])
    shear = tf.stack([[1.0, slant], [0.0, 1.0]])
    return rotation @ shear / (1.0 + scale)


def _colour(image_size: tuple[int, int]) -> Change:
    # Not RandomColorJitter: it hands no dtype on to its parts, which then compute in bfloat16
    # under mixed precision and are off by whole grey levels.
    shared = {"value_range": (0, 255), "dtype": "float32"}
    return _by_layers(
        keras.layers.RandomBrightness(0.2, **shared),
        keras.layers.RandomContrast(0.2, **shared),
        keras.layers.RandomSaturation((0.3, 0.7), **shared),
        keras.layers.RandomHue(0.05, **shared),
    )


def _rand_augment(image_size: tuple[int, int]) -> Change:
    # Two operations of middling strength: Cubuk et al. 2019, table 2, the setting for ResNet-50.
    return _by_layers(
        keras.layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.45, dtype="float32")
    )


def _erase(image_size: tuple[int, int]) -> Change:
    return _by_layers(
        keras.layers.RandomErasing(
            factor=0.5, scale=(0.02, 0.2), fill_value=127.0, value_range=(0, 255), dtype="float32"
        )
    )


_CHANGES: dict[str, Callable[[tuple[int, int]], Change]] = {
    "flip": _flip,
    "crop": _crop,
    "affine": _affine,
    "colour": _colour,
    "rand_augment": _rand_augment,
    "erase": _erase,
}
