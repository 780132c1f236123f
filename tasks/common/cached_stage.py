"""Stages that train the tail of a network on stored features of its frozen trunk.

The trunk sees each picture once, and a few augmented versions of it, instead of once an epoch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from datasets import core, feature_batches, feature_cache, pipeline
from keras_models import transfer
from tasks.common import feature_store
from tasks.common.image_classifier import class_weights, compile_tail
from tasks.common.image_classifier_config import ImageClassifierConfig
from tasks.common.labelled_features import LabelledFeatures
from tasks.common.task import Batches, Stage, Training


def tail_training(
    config: ImageClassifierConfig,
    splits: core.Splits,
    network: keras.Model,
    stages: Sequence[Stage],
    number: int,
    batch_size: int,
    working: Callable[[], None],
) -> Training | None:
    """The compiled tail of a stage with its stored features; None where nothing can be stored.

    Nothing can where all layers train, and where pictures are blended with each other, since
    stored features are those of single pictures.

    Args:
        config: the options.
        splits: the pictures; training and validation are read.
        network: compiled for the stage, its frozen layers frozen.
        stages: the recipe.
        number: the stage that begins, counted from 0.
        batch_size: examples a step.
        working: called after every batch of pictures; may raise to stop the work, which goes on
            from there when it is asked for again.

    Raises:
        DataError: the disk has no room for the features.
        UserError: features do not fit `--cache-precision`.
    """
    stage = stages[number]
    if not config.cache or config.mixing != "none" or not feature_store.freezes(network, stage):
        return None
    if config.dry_run:
        splits = first_batch(splits, batch_size)
    cut = stage.trainable_stages
    store = feature_store.cut_features(config, splits.info, network, stages, cut, working)
    views = _views(config, network, stages)
    train = store.features("train", splits.train, views)
    validation = store.features("validation", splits.validation, 1)
    _, tail = transfer.split(network, cut)
    if stage.solver is not None:
        examples = (
            labelled_features(train, splits.train),
            labelled_features(validation, splits.validation),
        )
        stage.solver(tail, *examples, working)
    compile_tail(config, tail, network)
    return Training(tail, _batches(config, splits, train, validation, batch_size))


def first_batch(splits: core.Splits, batch_size: int) -> core.Splits:
    """So few pictures that a dry run has one step."""

    def first(source: core.LabelledSource) -> core.LabelledSource:
        return core.Subset(source, np.arange(min(batch_size, len(source))))

    return dataclasses.replace(
        splits, train=first(splits.train), validation=first(splits.validation)
    )


def _views(config: ImageClassifierConfig, network: keras.Model, stages: Sequence[Stage]) -> int:
    """Versions of each picture that are worth storing, the same for all stages of the recipe."""
    if not config.augment:
        return 1
    stored = [stage for stage in stages if feature_store.freezes(network, stage)]
    if any(stage.solver is not None for stage in stored):
        return config.cached_views
    return min(config.cached_views, max(stage.epochs for stage in stored))


def _batches(
    config: ImageClassifierConfig,
    splits: core.Splits,
    train: feature_cache.FeatureCache,
    validation: feature_cache.FeatureCache,
    batch_size: int,
) -> Batches:
    """Batches of features with one-hot targets, weighted if asked."""
    class_count = len(splits.info.class_names)
    targets = {
        name: np.eye(class_count, dtype=np.float32)[getattr(splits, name).labels]
        for name in ("train", "validation")
    }
    weights = class_weights(splits.train.labels, class_count) if config.class_weights else None

    def train_batches(epochs: range, first_step: int) -> tf.data.Dataset:
        batches = feature_batches.training_batches(
            train, targets["train"], batch_size, config.seed, epochs, first_step
        )
        if weights is None:
            return batches
        return batches.map(lambda x, y: (x, y, tf.linalg.matvec(y, weights)))

    return Batches(
        train=train_batches,
        validation=feature_batches.evaluation_batches(
            validation, targets["validation"], batch_size
        ),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, batch_size),
    )


def labelled_features(
    cache: feature_cache.FeatureCache, source: core.LabelledSource
) -> LabelledFeatures:
    """All views of the stored features, with the labels of their pictures."""
    features = np.concatenate(cache.maps).astype(np.float32)
    return LabelledFeatures(features, np.asarray(source.labels))
