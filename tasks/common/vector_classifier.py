"""What every task that classifies rows of numbers does alike: batches, loss, predictions.

Tensor contract: the network takes `features`, float32 (batch, d), raw as the data set has them,
and gives probabilities, float32 (batch, classes).
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from datasets import core, pipeline, vector_batches, vectors
from keras_models import transfer
from tasks.common.classification import Predictions
from tasks.common.optimizers import build_optimizer
from tasks.common.task import Batches, Stage
from tasks.common.vector_classifier_config import VectorClassifierConfig

_BATCH = 256


def limited(splits: core.Splits, config: VectorClassifierConfig) -> core.Splits:
    """The splits as `--limit` leaves them, each class in nearly its own share."""
    if config.limit is None:
        return splits
    parts = {
        name: core.limit(getattr(splits, name), config.limit, config.seed)
        for name in ("train", "validation", "test")
    }
    return core.Splits(**parts, info=splits.info)


def make_batches(config: VectorClassifierConfig, splits: core.Splits, size: int) -> Batches:
    """Shuffled training batches and validation batches in order, of rows and one-hot labels."""
    class_count = len(splits.info.class_names)

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        return vector_batches.training_batches(
            splits.train, class_count, size, config.seed, epochs, first_step
        )

    return Batches(
        train=train,
        validation=vector_batches.evaluation_batches(splits.validation, class_count, size),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, size),
    )


def compile_model(
    config: VectorClassifierConfig,
    model: keras.Model,
    stage: Stage,
    steps_per_epoch: int,
    loss: keras.losses.Loss | None = None,
) -> None:
    """Sets optimizer, loss and metrics; everything trains, at one learning rate.

    Args:
        config: the run's options.
        model: from rows to probabilities.
        stage: learning rate and epochs.
        steps_per_epoch: batches in an epoch; the schedule spans the stage.
        loss: of one-hot targets; cross-entropy with `--label-smoothing` when not given.
    """
    group = transfer.ParameterGroup("all", tuple(model.trainable_variables))
    smoothing = config.label_smoothing
    model.compile(
        optimizer=build_optimizer(config, stage, (group,), steps_per_epoch),
        loss=loss or keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=config.xla,
    )


def predict(model: keras.Model, source: core.LabelledSource, batch_size: int) -> np.ndarray:
    """Probabilities for every example of a source, float32 (n, classes)."""
    return model.predict(vectors.matrix(source), batch_size=batch_size, verbose=0)


def predictions(
    model: keras.Model, source: core.LabelledSource, info: core.DatasetInfo
) -> Predictions:
    """What the model says about every example of a source, beside the truth."""
    return Predictions(
        probabilities=predict(model, source, _BATCH),
        labels=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        class_names=info.class_names,
    )


def no_pictures(
    config: VectorClassifierConfig, splits: core.Splits, network: keras.Model, epoch: int
) -> dict:
    """The field `watch` of a task: rows of numbers are no pictures for TensorBoard to show."""
    return {}
