"""From a source to batches: order -> load -> resize -> augment -> batch -> mix -> prefetch.

Order and augmentation of an example are functions of (seed, epoch, index), never a state, so a
run repeats itself and can go on from any step of any epoch. A batch is a pair: `image`, uint8
or float32, (batch, height, width, 3), range [0, 255]; `target`, float32 one-hot, (batch, classes).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from datasets.core import LabelledSource

Augment = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Mix = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Resizing = Literal["squash", "crop", "pad"]

# Batches made ahead of the training step: enough to ride out one slow picture, few enough that
# memory stays flat.
_PREFETCH = 2


@dataclasses.dataclass(frozen=True)
class Batching:
    """How examples become batches.

    Attributes:
        batch_size: examples a batch; the last one of an epoch may hold fewer.
        image_size: height and width of the pictures handed out, in pixels.
        class_count: length of the one-hot targets.
        resizing: `squash` changes the aspect ratio, `crop` cuts the longer side, `pad` adds black.
        workers: threads that load and augment.
    """

    batch_size: int
    image_size: tuple[int, int]
    class_count: int
    resizing: Resizing = "squash"
    workers: int = 4


def steps_per_epoch(source: LabelledSource, batch_size: int) -> int:
    """Number of batches in which every example is seen once."""
    return -(-len(source) // batch_size)


def resize(image: tf.Tensor, image_size: tuple[int, int], resizing: Resizing) -> tf.Tensor:
    """One picture, uint8 (height, width, 3), at `image_size`, uint8: bilinear with antialiasing.

    Training, evaluation, prediction and the exported models all resize by this function.
    """
    image = keras.ops.image.resize(
        tf.cast(image, tf.float32),
        image_size,
        interpolation="bilinear",
        antialias=True,
        crop_to_aspect_ratio=resizing == "crop",
        pad_to_aspect_ratio=resizing == "pad",
    )
    return tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)


def training_batches(
    source: LabelledSource,
    batching: Batching,
    seed: int,
    epochs: range,
    first_step: int = 0,
    augment: Augment | None = None,
    mix: Mix | None = None,
) -> tf.data.Dataset:
    """Shuffled, augmented batches of the given epochs, from `first_step` of the first one.

    Args:
        source: the training examples.
        batching: sizes and threads.
        seed: with epoch and index it decides order and augmentation.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
        augment: (uint8 picture, int32 seed of shape (2,)) -> picture, float or uint8.
        mix: (batch of pictures, batch of targets, seed) -> the same, blended between examples.
    """
    count = len(source)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        first = tf.where(epoch == epochs.start, tf.constant(first_step, tf.int64), 0)
        positions = tf.data.Dataset.range(first * batching.batch_size, count)
        examples = positions.map(lambda position: _load_shuffled(position, epoch))
        batches = examples.map(
            example, num_parallel_calls=batching.workers, deterministic=True
        ).batch(batching.batch_size)
        if mix is None:
            return batches
        return batches.enumerate(first).map(
            lambda step, batch: mix(*batch, _fold(seed, epoch, step + count))
        )

    def _load_shuffled(position: tf.Tensor, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        order = tf.stack([tf.constant(seed, tf.int64), epoch])
        index = tf.random.experimental.index_shuffle(position, order, count - 1)
        return index, _fold(seed, epoch, index)

    def example(index: tf.Tensor, example_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, target = _load(source, batching, index)
        if augment is not None:
            image = tf.ensure_shape(augment(image, example_seed), image.shape)
        return image, target

    dataset = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(epoch_batches)
    return _ready(dataset)


def evaluation_batches(source: LabelledSource, batching: Batching) -> tf.data.Dataset:
    """Every example once, in order, unaugmented, with its target."""
    dataset = (
        tf.data.Dataset.range(len(source))
        .map(
            lambda index: _load(source, batching, index),
            num_parallel_calls=batching.workers,
            deterministic=True,
        )
        .batch(batching.batch_size)
    )
    return _ready(dataset)


def _ready(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset, preparing its next batches while the present one is used.

    There is nothing to tune, all sizes being given. Off, because the tuner's thread sleeps longer
    and longer, and an iterator that is closed waits for it: up to a minute at the end of a run.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(_PREFETCH).with_options(options)


def _load(
    source: LabelledSource, batching: Batching, index: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """One example, decoded by Python, resized by TensorFlow."""

    def decode(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        example = source.example(int(index))
        return example["image"], np.int64(example["label"])

    image, label = tf.numpy_function(decode, [index], (tf.uint8, tf.int64), stateful=False)
    image = resize(tf.ensure_shape(image, (None, None, 3)), batching.image_size, batching.resizing)
    image = tf.ensure_shape(image, (*batching.image_size, 3))
    return image, tf.one_hot(tf.ensure_shape(label, ()), batching.class_count)


def _fold(seed: int, epoch: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """A seed for TensorFlow's stateless random functions, int32 of shape (2,)."""
    base = tf.random.experimental.stateless_fold_in([seed, 0], tf.cast(epoch, tf.int32))
    return tf.random.experimental.stateless_fold_in(base, tf.cast(number, tf.int32))
