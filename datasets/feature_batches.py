"""Batches of stored features: what the tail of a network learns from.

As in `datasets.pipeline`, order and view of an example are functions of (seed, epoch, index), so a
run repeats itself and can go on from any step. A batch is a pair: features, float32, (batch,
...); `target`, float32, (batch, ...): what the example is, such as its class one-hot, or what is
seen in the same view, such as the picture itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from datasets.feature_cache import FeatureCache
from datasets.pipeline import ready


def training_batches(
    cache: FeatureCache,
    targets: np.ndarray | FeatureCache,
    batch_size: int,
    seed: int,
    epochs: range,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Shuffled batches of the given epochs, from `first_step` of the first one.

    From one epoch to the next each example shows another of its views, until it has shown all.

    Args:
        cache: features of the training examples.
        targets: (n, ...), in the order of the examples; or of every view its own, as many views as
            the features have.
        batch_size: examples a batch; the last one of an epoch may hold fewer.
        seed: with the epoch it decides the order, by itself which view comes first.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
    """
    first_views = np.random.default_rng(seed).integers(cache.views, size=cache.count)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for epoch in epochs:
            order = np.random.default_rng([seed, epoch]).permutation(cache.count)
            views = (first_views + epoch) % cache.views
            start = first_step * batch_size if epoch == epochs.start else 0
            for begin in range(start, cache.count, batch_size):
                chosen = order[begin : begin + batch_size]
                yield _batch(cache, targets, views[chosen], chosen)

    steps = len(epochs) * -(-cache.count // batch_size) - first_step
    return _dataset(batches, cache, targets, steps)


def evaluation_batches(
    cache: FeatureCache, targets: np.ndarray | FeatureCache, batch_size: int
) -> tf.data.Dataset:
    """Every example once, in order, in its first view, which is the plain one."""

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for begin in range(0, cache.count, batch_size):
            chosen = np.arange(begin, min(begin + batch_size, cache.count))
            yield _batch(cache, targets, np.zeros_like(chosen), chosen)

    return _dataset(batches, cache, targets, -(-cache.count // batch_size))


def _batch(
    cache: FeatureCache,
    targets: np.ndarray | FeatureCache,
    views: np.ndarray,
    indices: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    by_view = isinstance(targets, FeatureCache)
    target = targets.take(views, indices) if by_view else targets[indices]
    return cache.take(views, indices).astype(np.float32), target.astype(np.float32)


def _dataset(
    batches: Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]],
    cache: FeatureCache,
    targets: np.ndarray | FeatureCache,
    count: int,
) -> tf.data.Dataset:
    """A dataset of `count` batches; Keras warns where it has to find out how many there are."""
    target_shape = targets.shape if isinstance(targets, FeatureCache) else targets.shape[1:]
    signature = (
        tf.TensorSpec((None, *cache.shape), tf.float32),
        tf.TensorSpec((None, *target_shape), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return ready(dataset.apply(tf.data.experimental.assert_cardinality(count)), workers=1)
