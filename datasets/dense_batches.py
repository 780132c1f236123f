"""From pictures with maps to batches: order -> load -> resize -> augment together -> batch.

Order and augmentation of an example are functions of (seed, epoch, index), as in
`datasets.pipeline`. A batch is a pair: `image`, uint8 or float32, (batch, height, width, 3), range
[0, 255]; `target`, float32 (batch, target height, target width, maps), the maps of the example in
the order of `DenseBatching.maps`, such as class ids or metres. Pictures and maps are stretched to
the size, so that what a network says of its picture can be stretched back.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from datasets import pipeline
from datasets.core import DataError, LabelledSource
from datasets.dense_augment import DenseChange
from datasets.dense_maps import MapKind


@dataclasses.dataclass(frozen=True)
class DenseBatching:
    """How examples become batches.

    Attributes:
        batch_size: examples a batch; the last one of an epoch may hold fewer.
        image_size: height and width of the pictures handed out, in pixels.
        maps: which maps of an example make the target.
        target_size: height and width of the target; None is those of the pictures.
        workers: threads that load and augment.
    """

    batch_size: int
    image_size: tuple[int, int]
    maps: tuple[MapKind, ...]
    target_size: tuple[int, int] | None = None
    workers: int = 4


def training_batches(
    source: LabelledSource,
    batching: DenseBatching,
    seed: int,
    epochs: range,
    first_step: int = 0,
    change: DenseChange | None = None,
) -> tf.data.Dataset:
    """Shuffled, augmented batches of the given epochs, from `first_step` of the first one.

    Args:
        source: the training examples.
        batching: sizes, maps and threads.
        seed: with epoch and index it decides order and augmentation.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
        change: of `dense_augment.paired_changes`; None leaves the examples plain.
    """

    def example(index: tf.Tensor, example_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, maps = _load(source, batching, index)
        if change is not None:
            image, maps = change(image, maps, example_seed)
        return _shaped(image, maps, batching)

    return pipeline.shuffled_batches(
        len(source), batching.batch_size, batching.workers, example, seed, epochs, first_step
    )


def evaluation_batches(source: LabelledSource, batching: DenseBatching) -> tf.data.Dataset:
    """Every example once, in order, unaugmented."""
    return pipeline.ordered_batches(
        len(source),
        batching.batch_size,
        batching.workers,
        lambda index: _shaped(*_load(source, batching, index), batching),
    )


def stacked_maps(example: dict[str, np.ndarray], maps: tuple[MapKind, ...]) -> np.ndarray:
    """The maps of an example along the last axis, float32 (height, width, maps).

    Raises:
        DataError: a map has another size than the picture.
    """
    height, width = example["image"].shape[:2]
    for kind in maps:
        received = example[kind.name].shape
        if received != (height, width):
            raise DataError(
                f"The {kind.name} of a picture must have the picture's size, {width} x {height} "
                f"pixels, received an array of shape {received}: make them fit."
            )
    return np.stack([example[kind.name] for kind in maps], axis=-1).astype(np.float32)


def resize_maps(maps: tf.Tensor, kinds: tuple[MapKind, ...], size: tuple[int, int]) -> tf.Tensor:
    """Maps at another size, each by its own interpolation.

    Args:
        maps: float32 (height, width, maps).
        kinds: of the maps, in their order.
        size: height and width of the result.
    """
    if tuple(maps.shape[:2]) == tuple(size):
        return maps
    ways = {"nearest": _resize_ids, "known": _resize_known, "bilinear": _resize_smooth}
    parts = [ways[kind.interpolation](maps[..., k : k + 1], size) for k, kind in enumerate(kinds)]
    return tf.concat(parts, axis=-1)


def _resize_ids(values: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return tf.image.resize(values, size, method="nearest")


def _resize_smooth(values: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return tf.image.resize(values, size, method="bilinear", antialias=True)


def _resize_known(values: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Means of what is known, weighted as `bilinear` does; 0 where most of it is unknown.

    The nearest value of a map of half the size would lie half a pixel beside the middle.
    """
    known = tf.cast(values > 0, values.dtype)
    sums, shares = _resize_smooth(values * known, size), _resize_smooth(known, size)
    # Shares of a half are rounded to either side of it.
    return tf.where(shares > 0.499, tf.math.divide_no_nan(sums, shares), 0.0)


def _load(
    source: LabelledSource, batching: DenseBatching, index: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """One example, decoded by Python, resized by TensorFlow to the size of the pictures."""

    def decode(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        example = source.example(int(index))
        return example["image"], stacked_maps(example, batching.maps)

    image, maps = tf.numpy_function(decode, [index], (tf.uint8, tf.float32), stateful=False)
    image = pipeline.resize(tf.ensure_shape(image, (None, None, 3)), batching.image_size, "squash")
    maps = tf.ensure_shape(maps, (None, None, len(batching.maps)))
    return image, resize_maps(maps, batching.maps, batching.image_size)


def _shaped(
    image: tf.Tensor, maps: tf.Tensor, batching: DenseBatching
) -> tuple[tf.Tensor, tf.Tensor]:
    maps = tf.ensure_shape(maps, (*batching.image_size, len(batching.maps)))
    target = resize_maps(maps, batching.maps, batching.target_size or batching.image_size)
    return tf.ensure_shape(image, (*batching.image_size, 3)), target
