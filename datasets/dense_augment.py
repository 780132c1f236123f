"""Stateless random changes to a picture and its maps together.

As in `datasets.augment`, the same seed always gives the same change. A picture is float32
(height, width, 3), RGB, range [0, 255]; maps are float32 (height, width, maps), of the same size.
What comes in from outside is black in the picture and `MapKind.fill` in a map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import keras
import tensorflow as tf

from datasets import augment
from datasets.dense_maps import MapKind

Pair = tuple[tf.Tensor, tf.Tensor]
DenseChange = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Pair]
DenseAugmentation = Literal["flip", "zoom", "turn", "colour", "channels", "erase"]

_NAMES = ("flip", "zoom", "turn", "colour", "channels", "erase")
# Between two depths, or a depth and an unknown one, an edge would stand where nothing is.
_METHODS = {"nearest": "nearest", "known": "nearest", "bilinear": "bilinear"}
# Share of the pictures with swapped channels (Alhashim & Wonka 2018, section 3.3).
_SWAPPED = 0.25


def paired_changes(
    names: Sequence[DenseAugmentation],
    image_size: tuple[int, int],
    maps: Sequence[MapKind],
    zoom: tuple[float, float] = (1.0, 1.5),
    turn: float = 0.1,
) -> DenseChange | None:
    """The named changes together: (picture, maps, seed) -> both; None for none.

    Turn and zoom are one look-up, so that a picture is interpolated once. They come before the
    others, whatever the order of the names.

    Args:
        names: which changes. `flip` mirrors half of the pictures. `zoom` enlarges or reduces the
            picture's content, as often so as so on a logarithmic axis, and shows it at a random
            place: a part of what is larger than the frame, the whole of what is smaller. `turn`
            turns it around its middle. `channels` puts red, green and blue of a quarter of the
            pictures into another order. `colour` and `erase` are those of `datasets.augment`; what
            is erased keeps its maps.
        image_size: height and width of the pictures.
        maps: the kinds of the maps, in their order.
        zoom: smallest and largest factor.
        turn: largest angle to either side, in radians.

    Raises:
        ValueError: a name is unknown or a number out of its range.
    """
    unknown = set(names) - set(_NAMES)
    if unknown or not 0 < zoom[0] <= zoom[1] or turn < 0:
        raise ValueError(
            f"Changes must be among {', '.join(_NAMES)}, zoom positive and in order, turn at least "
            f"0. Received: {list(names)}, {zoom=}, {turn=}"
        )
    return augment.in_turn(_steps(names, image_size, tuple(maps), zoom, turn))


def flipped(image: tf.Tensor, maps: tf.Tensor) -> Pair:
    """The mirrored picture and maps: left is right."""
    return tf.reverse(image, [-2]), tf.reverse(maps, [-2])


def moved(
    image: tf.Tensor,
    maps: tf.Tensor,
    kinds: Sequence[MapKind],
    zoom: tf.Tensor,
    turn: tf.Tensor,
    shift: tf.Tensor,
) -> Pair:
    """Picture and maps zoomed and turned around their middle, then shifted.

    Args:
        image: (height, width, 3).
        maps: (height, width, maps).
        kinds: of the maps, in their order.
        zoom: factor of the content's size.
        turn: clockwise, radians.
        shift: (2,), to the right and down, in pixels.
    """
    height, width = image.shape[:2]
    middle = tf.constant([width - 1, height - 1], tf.float32) / 2
    # The transformation tells for each pixel of the result where it is looked up.
    backward = tf.stack([[tf.cos(turn), tf.sin(turn)], [-tf.sin(turn), tf.cos(turn)]]) / zoom
    offset = middle - tf.linalg.matvec(backward, middle + shift)
    transform = tf.concat([backward[0], offset[:1], backward[1], offset[1:], [0.0, 0.0]], axis=0)
    looked_up = [
        _looked_up(maps[..., k : k + 1], transform, _METHODS[kind.interpolation], kind.fill)
        * zoom**kind.zoom_exponent
        for k, kind in enumerate(kinds)
    ]
    return _looked_up(image, transform, "bilinear", 0.0), tf.concat(looked_up, axis=-1)


def _looked_up(
    image: tf.Tensor, transform: tf.Tensor, interpolation: str, fill: float
) -> tf.Tensor:
    return keras.ops.image.affine_transform(
        image,
        transform,
        interpolation=interpolation,
        fill_mode="constant",
        fill_value=fill,
        data_format="channels_last",
    )


def _steps(
    names: Sequence[DenseAugmentation],
    image_size: tuple[int, int],
    maps: tuple[MapKind, ...],
    zoom: tuple[float, float],
    turn: float,
) -> list[DenseChange]:
    steps: list[DenseChange] = []
    if "zoom" in names or "turn" in names:
        factors = zoom if "zoom" in names else (1.0, 1.0)
        steps.append(_movement(image_size, maps, factors, turn if "turn" in names else 0.0))
    of_pair = {"flip": _flip, "channels": _swap_channels}
    steps += [
        of_pair[name] if name in of_pair else _of_picture(name, image_size)
        for name in names
        if name not in ("zoom", "turn")
    ]
    return steps


def _movement(
    image_size: tuple[int, int], maps: tuple[MapKind, ...], zoom: tuple[float, float], turn: float
) -> DenseChange:
    size = tf.constant(image_size[::-1], tf.float32)

    def change(image: tf.Tensor, values: tf.Tensor, seed: tf.Tensor) -> Pair:
        samples = tf.random.stateless_uniform((4,), seed, -1.0, 1.0)
        low, high = tf.math.log(zoom[0]), tf.math.log(zoom[1])
        factor = tf.exp(low + (samples[0] + 1) / 2 * (high - low))
        # So far that the frame stays inside of what is larger, and what is smaller inside of it.
        shift = samples[2:] * tf.abs(factor - 1) * size / 2
        image = tf.ensure_shape(image, (*image_size, 3))
        return moved(image, values, maps, factor, turn * samples[1], shift)

    return change


def _flip(image: tf.Tensor, maps: tf.Tensor, seed: tf.Tensor) -> Pair:
    turned = tf.random.stateless_uniform((), seed) < 0.5
    return tf.cond(turned, lambda: flipped(image, maps), lambda: (image, maps))


def _swap_channels(image: tf.Tensor, maps: tf.Tensor, seed: tf.Tensor) -> Pair:
    samples = tf.random.stateless_uniform((4,), seed)
    order = tf.where(samples[0] < _SWAPPED, tf.argsort(samples[1:]), tf.range(3))
    return tf.gather(image, order, axis=-1), maps


def _of_picture(name: augment.Augmentation, image_size: tuple[int, int]) -> DenseChange:
    """A change of `datasets.augment` that moves nothing."""
    of_picture = augment.picture_changes((name,), image_size)
    return lambda image, maps, seed: (of_picture(image, seed), maps)
