"""Stateless random changes to a picture and its points together.

As in `datasets.augment`, the same seed always gives the same change. A picture is float32
(height, width, 3), RGB, range [0, 255]; points are float32 (N, 2), shares of its width and height,
(0, 0) where they are missing. Missing points stay missing; points that leave the picture become so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import keras
import tensorflow as tf

from datasets import augment

Paired = tuple[tf.Tensor, tf.Tensor]
PairedChange = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Paired]
PairedAugmentation = Literal["flip", "affine", "colour", "erase"]

# Faces in photographs lean by some twenty degrees; where a detector or a person cut them out, the
# size varies by a quarter and the place by a tenth.
_TURN, _LEAST_SCALE, _LARGEST_SCALE, _SHIFT = 0.35, 0.8, 1.2, 0.1


def paired_changes(
    names: Sequence[PairedAugmentation],
    image_size: tuple[int, int],
    mirror: Sequence[int] | None,
) -> PairedChange | None:
    """The named changes one after another: (picture, points, seed) -> both; None for none.

    Args:
        names: which changes, in the order in which they are made.
        image_size: height and width of the pictures.
        mirror: the partner of each point in a mirrored picture; `flip` needs it.

    Raises:
        ValueError: a name is unknown, or `flip` has no mirror.
    """
    unknown = set(names) - set(_CHANGES)
    if unknown or ("flip" in names and mirror is None):
        raise ValueError(
            f"Changes must be among {sorted(_CHANGES)}, and `flip` needs a mirror. "
            f"Received: {list(names)}, {mirror=}"
        )
    return augment.in_turn([_CHANGES[name](image_size, mirror) for name in names])


def flipped(image: tf.Tensor, points: tf.Tensor, mirror: Sequence[int]) -> Paired:
    """The mirrored picture, in which each left point has become the right one of its pair.

    Without the exchange a network would be taught that the left eye is now the one on the right.
    """
    moved = tf.gather(points, list(mirror), axis=-2) * [-1.0, 1.0] + [1.0, 0.0]
    return tf.reverse(image, [-2]), _missing_where(_missing(points, mirror), moved)


def transformed(
    image: tf.Tensor, points: tf.Tensor, turn: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor
) -> Paired:
    """The picture turned, scaled and shifted around its middle; what comes in is black.

    Args:
        image: (height, width, 3).
        points: (N, 2).
        turn: clockwise, radians.
        scale: of the picture's content; above 1 is larger.
        shift: (2,), to the right and down, in shares of the sides.
    """
    height, width = image.shape[:2]
    size = tf.constant([width, height], tf.float32)
    rotation = tf.stack([[tf.cos(turn), -tf.sin(turn)], [tf.sin(turn), tf.cos(turn)]])
    forward = scale * rotation
    middle = size / 2
    moved = tf.linalg.matvec(forward, points * size - middle) + middle + shift * size
    # A pixel of the result is looked up in the picture, and the middle of pixel 0 is at 0.5.
    backward = tf.transpose(rotation) / scale
    offset = middle - 0.5 - tf.linalg.matvec(backward, middle - 0.5 + shift * size)
    transform = tf.concat([backward[0], offset[:1], backward[1], offset[1:], [0.0, 0.0]], axis=0)
    image = keras.ops.image.affine_transform(
        image, transform, fill_mode="constant", data_format="channels_last"
    )
    shares = moved / size
    outside = tf.reduce_any((shares < 0) | (shares > 1), axis=-1)
    return image, _missing_where(_missing(points) | outside, shares)


def _missing(points: tf.Tensor, order: Sequence[int] | None = None) -> tf.Tensor:
    missing = tf.reduce_all(points == 0, axis=-1)
    return missing if order is None else tf.gather(missing, list(order), axis=-1)


def _missing_where(missing: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    return tf.where(missing[..., None], 0.0, points)


def _flip(image_size: tuple[int, int], mirror: Sequence[int] | None) -> PairedChange:
    def change(image: tf.Tensor, points: tf.Tensor, seed: tf.Tensor) -> Paired:
        turned = tf.random.stateless_uniform((), seed) < 0.5
        return tf.cond(turned, lambda: flipped(image, points, mirror), lambda: (image, points))

    return change


def _affine(image_size: tuple[int, int], mirror: Sequence[int] | None) -> PairedChange:
    def change(image: tf.Tensor, points: tf.Tensor, seed: tf.Tensor) -> Paired:
        samples = tf.random.stateless_uniform((4,), seed, -1.0, 1.0)
        # As often larger as smaller: the scale is sampled on a logarithmic axis.
        low, high = tf.math.log(_LEAST_SCALE), tf.math.log(_LARGEST_SCALE)
        scale = tf.exp(low + (samples[1] + 1) / 2 * (high - low))
        image = tf.ensure_shape(image, (*image_size, 3))
        return transformed(image, points, _TURN * samples[0], scale, _SHIFT * samples[2:])

    return change


def _of_picture(name: augment.Augmentation) -> Callable[..., PairedChange]:
    """A change of `datasets.augment` that moves nothing."""

    def build(image_size: tuple[int, int], mirror: Sequence[int] | None) -> PairedChange:
        of_picture = augment.picture_changes((name,), image_size)
        return lambda image, points, seed: (of_picture(image, seed), points)

    return build


_CHANGES: dict[str, Callable[..., PairedChange]] = {
    "flip": _flip,
    "affine": _affine,
    "colour": _of_picture("colour"),
    "erase": _of_picture("erase"),
}
