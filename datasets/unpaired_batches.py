"""Batches of pictures and of maps that do not belong together, for learning without pairs.

In each epoch every picture and every map comes once, each kind in an order of its own; order and
augmentation are functions of (seed, epoch, index), as in `datasets.pipeline`. A batch is a pair as
of `datasets.dense_batches`, but picture and target of one position are of different examples, but
for chance.
"""

from __future__ import annotations

import tensorflow as tf

from datasets import dense_batches, pipeline
from datasets.core import LabelledSource
from datasets.dense_augment import DenseChange
from datasets.dense_batches import DenseBatching


def training_batches(
    source: LabelledSource,
    batching: DenseBatching,
    seed: int,
    epochs: range,
    first_step: int = 0,
    change: DenseChange | None = None,
) -> tf.data.Dataset:
    """Pictures in one order beside maps in another, of the given epochs.

    Args:
        source: the training examples.
        batching: sizes, maps and threads.
        seed: with epoch and index it decides both orders and every augmentation.
        epochs: the epochs to run through, numbered from the start of the run.
        first_step: batches of the first epoch to leave out, because a killed run did them.
        change: of `dense_augment.paired_changes`; None leaves the examples plain.
    """
    # Any other seed in the range of seeds.
    pictures, maps = (
        dense_batches.training_batches(source, batching, one, epochs, first_step, change)
        for one in (seed, seed ^ 1)
    )
    both = tf.data.Dataset.zip(pictures, maps).map(lambda one, other: (one[0], other[1]))
    return pipeline.ready(both)
