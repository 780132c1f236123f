"""From a source of vectors to batches: order -> gather -> batch -> prefetch.

As in `datasets.pipeline`, the order is a function of (seed, epoch, index), so that a run repeats
itself and can go on from any step of any epoch. A batch is a pair: `features`, float32,
(batch, d); `target`, float32 one-hot, (batch, classes).
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from datasets import pipeline, vectors
from datasets.core import LabelledSource


def one_hot(labels: np.ndarray, class_count: int) -> np.ndarray:
    """Targets for class ids, float32 (n, classes)."""
    return np.eye(class_count, dtype=np.float32)[np.asarray(labels)]


def training_batches(
    source: LabelledSource,
    class_count: int,
    batch_size: int,
    seed: int,
    epochs: range,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Shuffled batches of the given epochs, from `first_step` of the first one.

    Args:
        source: the training examples.
        class_count: length of the one-hot targets.
        batch_size: examples a batch; the last one of an epoch may hold fewer.
        seed: with the epoch it decides the order.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
    """
    count = len(source)
    features = tf.constant(vectors.matrix(source))
    targets = tf.constant(one_hot(source.labels, class_count))

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        first = tf.where(epoch == epochs.start, tf.constant(first_step, tf.int64), 0)
        begins = tf.data.Dataset.range(first * batch_size, count, batch_size)
        return begins.map(lambda begin: batch(begin, epoch))

    def batch(begin: tf.Tensor, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        positions = tf.range(begin, tf.minimum(begin + batch_size, count))
        indices = pipeline.shuffled_index(positions, seed, epoch, count)
        return tf.gather(features, indices), tf.gather(targets, indices)

    return pipeline.ready(tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(epoch_batches))


def evaluation_batches(
    source: LabelledSource, class_count: int, batch_size: int
) -> tf.data.Dataset:
    """Every example once, in order, with its target."""
    parts = (vectors.matrix(source), one_hot(source.labels, class_count))
    return pipeline.ready(tf.data.Dataset.from_tensor_slices(parts).batch(batch_size))
