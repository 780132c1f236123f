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
    image = tf.convert_to_tensor(image)

    def resized() -> tf.Tensor:
        # TensorFlow computes in float32 whatever it is given, and given uint8 it spares a copy of
        # the whole picture in four times the bytes.
        floating = keras.ops.image.resize(
            image,
            image_size,
            interpolation="bilinear",
            antialias=True,
            crop_to_aspect_ratio=resizing == "crop",
            pad_to_aspect_ratio=resizing == "pad",
            fill_value=0,
        )
        return tf.cast(tf.clip_by_value(tf.round(floating), 0, 255), tf.uint8)

    # A picture that has the size already, drawn or cached, would come out the same, ten times
    # later.
    right_size = tf.reduce_all(tf.shape(image)[:2] == image_size)
    return tf.ensure_shape(tf.cond(right_size, lambda: image, resized), (*image_size, 3))


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

    def example(index: tf.Tensor, example_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _load_changed(source, batching, augment, index, example_seed)

    return shuffled_batches(
        len(source), batching.batch_size, batching.workers, example, seed, epochs, first_step, mix
    )


def shuffled_batches(
    count: int,
    batch_size: int,
    workers: int,
    example: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    seed: int,
    epochs: range,
    first_step: int = 0,
    mix: Mix | None = None,
) -> tf.data.Dataset:
    """Batches of whatever `example` gives, shuffled anew in each epoch.

    Args:
        count: number of examples.
        batch_size: examples a batch; the last one of an epoch may hold fewer.
        workers: threads that call `example`.
        example: (index, int32 seed of shape (2,)) -> input and target of one example.
        seed: with epoch and index it decides the order and the seed that `example` gets.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
        mix: (batch of inputs, batch of targets, seed) -> the same, blended between examples.
    """

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        first = tf.where(epoch == epochs.start, tf.constant(first_step, tf.int64), 0)
        positions = tf.data.Dataset.range(first * batch_size, count)
        examples = positions.map(lambda position: _shuffled(position, epoch))
        batches = examples.map(example, num_parallel_calls=workers, deterministic=True).batch(
            batch_size
        )
        if mix is None:
            return batches
        return batches.enumerate(first).map(
            lambda step, batch: mix(*batch, _fold(seed, epoch, step + count))
        )

    def _shuffled(position: tf.Tensor, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        index = shuffled_index(position, seed, epoch, count)
        return index, _fold(seed, epoch, index)

    return ready(tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(epoch_batches), workers)


def shuffled_index(position: tf.Tensor, seed: int, epoch: tf.Tensor, count: int) -> tf.Tensor:
    """Which example comes at a position of the order of an epoch, int64, of any shape.

    Args:
        position: from 0 to `count` - 1.
        seed: with `epoch` it decides the order.
        epoch: int64.
        count: number of examples.
    """
    # For some pairs of small numbers, of any seed and epoch 12 for one, `index_shuffle` leaves runs
    # of neighbours together; for pairs without a pattern it does not.
    order = tf.stack([tf.constant(seed, tf.int64), epoch])
    mixed = tf.random.stateless_uniform((2,), order, None, None, tf.int64)
    return tf.random.experimental.index_shuffle(position, mixed, count - 1)


def view_batches(
    source: LabelledSource,
    batching: Batching,
    seed: int,
    view: int,
    first: int = 0,
    augment: Augment | None = None,
) -> tf.data.Dataset:
    """Every picture from index `first` on, in order, changed as in epoch `view` of a training.

    Example i comes out exactly as `training_batches` with the same seed shows it in epoch `view`,
    without the order and the mixing. Batches of pictures only: uint8, or what `augment` gives,
    (batch, height, width, 3), range [0, 255].

    Args:
        source: the examples.
        batching: sizes and threads.
        seed: with `view` and index it decides the augmentation.
        view: the number of the epoch.
        first: examples to leave out, because an interrupted pass did them.
        augment: (uint8 picture, int32 seed of shape (2,)) -> picture; None leaves it plain.
    """

    def picture(index: tf.Tensor) -> tf.Tensor:
        example_seed = _fold(seed, tf.constant(view, tf.int64), index)
        return _load_changed(source, batching, augment, index, example_seed)[0]

    dataset = (
        tf.data.Dataset.range(first, len(source))
        .map(picture, num_parallel_calls=batching.workers, deterministic=True)
        .batch(batching.batch_size)
    )
    return ready(dataset, batching.workers)


def evaluation_batches(source: LabelledSource, batching: Batching) -> tf.data.Dataset:
    """Every example once, in order, unaugmented, with its target."""
    return ordered_batches(
        len(source),
        batching.batch_size,
        batching.workers,
        lambda index: _load(source, batching, index),
    )


def ordered_batches(
    count: int,
    batch_size: int,
    workers: int,
    example: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
) -> tf.data.Dataset:
    """Batches of whatever `example` gives of each index below `count`, in order."""
    examples = tf.data.Dataset.range(count).map(
        example, num_parallel_calls=workers, deterministic=True
    )
    return ready(examples.batch(batch_size), workers)


def ready(dataset: tf.data.Dataset, workers: int | None = None) -> tf.data.Dataset:
    """The dataset, preparing its next batches while the present one is used.

    There is nothing to tune, all sizes being given. Off, because the tuner's thread sleeps longer
    and longer, and an iterator that is closed waits for it: up to a minute at the end of a run.

    Loading and putting together batches stay apart: fused by TensorFlow's optimizer, they would
    keep up to 16 batches in memory whenever the training step had to wait for one.

    With `workers` it has so many threads of its own. Without, they are TensorFlow's, one a core,
    which the training step needs too: a source that waits for a disk would keep both waiting.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.map_and_batch_fusion = False
    if workers is not None:
        options.threading.private_threadpool_size = workers
    return dataset.prefetch(_PREFETCH).with_options(options)


def _load_changed(
    source: LabelledSource,
    batching: Batching,
    augment: Augment | None,
    index: tf.Tensor,
    example_seed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One example, resized, then augmented by its own seed."""
    image, target = _load(source, batching, index)
    if augment is not None:
        image = tf.ensure_shape(augment(image, example_seed), image.shape)
    return image, target


def _load(
    source: LabelledSource, batching: Batching, index: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """One example, decoded by Python, resized by TensorFlow."""

    def decode(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        example = source.example(int(index))
        return example["image"], np.int64(example["label"])

    image, label = tf.numpy_function(decode, [index], (tf.uint8, tf.int64), stateful=False)
    image = resize(tf.ensure_shape(image, (None, None, 3)), batching.image_size, batching.resizing)
    return image, tf.one_hot(tf.ensure_shape(label, ()), batching.class_count)


def _fold(seed: int, epoch: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """A seed for TensorFlow's stateless random functions, int32 of shape (2,)."""
    base = tf.random.experimental.stateless_fold_in([seed, 0], tf.cast(epoch, tf.int32))
    return tf.random.experimental.stateless_fold_in(base, tf.cast(number, tf.int32))
