"""From pictures with points to batches: order -> load -> pad and resize -> augment -> batch.

Order and augmentation of an example are functions of (seed, epoch, index), as in
`datasets.pipeline`. A batch is a pair: `image`, uint8 or float32, (batch, height, width, 3), range
[0, 255]; `target`, float32 (batch, 2 N), x00, y00, x01, ..., shares of the frame's width and height
(`datasets.landmark_frames`), (0, 0) where a point is missing.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from datasets import landmark_frames, pipeline
from datasets.landmark_augment import PairedChange
from datasets.landmark_records import LandmarkSource


@dataclasses.dataclass(frozen=True)
class LandmarkBatching:
    """How examples become batches.

    Attributes:
        batch_size: examples a batch; the last one of an epoch may hold fewer.
        image_size: height and width of the pictures handed out, in pixels.
        point_count: points of an example.
        workers: threads that load and augment.
    """

    batch_size: int
    image_size: tuple[int, int]
    point_count: int
    workers: int = 4


def training_batches(
    source: LandmarkSource,
    batching: LandmarkBatching,
    seed: int,
    epochs: range,
    first_step: int = 0,
    change: PairedChange | None = None,
) -> tf.data.Dataset:
    """Shuffled, augmented batches of the given epochs, from `first_step` of the first one.

    Args:
        source: the training examples.
        batching: sizes and threads.
        seed: with epoch and index it decides order and augmentation.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
        change: of `landmark_augment.paired_changes`; None leaves the examples plain.
    """

    def example(index: tf.Tensor, example_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, points = _load(source, batching, index)
        if change is not None:
            image, points = change(image, points, example_seed)
        return _shaped(image, points, batching)

    return pipeline.shuffled_batches(
        len(source), batching.batch_size, batching.workers, example, seed, epochs, first_step
    )


def evaluation_batches(source: LandmarkSource, batching: LandmarkBatching) -> tf.data.Dataset:
    """Every example once, in order, unaugmented."""
    return pipeline.ordered_batches(
        len(source),
        batching.batch_size,
        batching.workers,
        lambda index: _shaped(*_load(source, batching, index), batching),
    )


def _load(
    source: LandmarkSource, batching: LandmarkBatching, index: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """One example, decoded by Python, resized by TensorFlow; points (N, 2) in shares."""

    def decode(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        example = source.example(int(index))
        image = example["image"]
        shares = landmark_frames.to_shares(example["points"], image.shape[:2], batching.image_size)
        return image, shares

    image, points = tf.numpy_function(decode, [index], (tf.uint8, tf.float32), stateful=False)
    image = pipeline.resize(tf.ensure_shape(image, (None, None, 3)), batching.image_size, "pad")
    return image, tf.ensure_shape(points, (batching.point_count, 2))


def _shaped(
    image: tf.Tensor, points: tf.Tensor, batching: LandmarkBatching
) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.ensure_shape(image, (*batching.image_size, 3)), tf.reshape(points, (-1,))
