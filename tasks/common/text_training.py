"""How classifiers of texts are compiled: any of four losses, plain SGD or one of Adam's kind."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from keras_models import transfer
from tasks.common import optimizers
from tasks.common.task import Stage
from tasks.common.vector_classifier_config import VectorClassifierConfig


def compile_model(
    config: VectorClassifierConfig,
    model: keras.Model,
    stage: Stage,
    steps_per_epoch: int,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> None:
    """Sets optimizer, loss and metrics; everything trains, at one learning rate.

    Args:
        config: the run's options; its field `loss` names the loss.
        model: from word counts to scores of the classes.
        stage: learning rate and epochs.
        steps_per_epoch: batches in an epoch; the schedule spans the stage.
        metrics: beside the accuracy.
    """
    model.compile(
        optimizer=_optimizer(config, model, stage, steps_per_epoch),
        loss=build_loss(config.loss, config.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy"), *metrics],
        jit_compile=config.xla,
    )


def build_loss(name: str, label_smoothing: float = 0.0) -> keras.losses.Loss:
    """A loss of scores against one-hot targets, a number an example, averaged over a batch.

    Binary cross-entropy, squared error and squared hinge are means over the outputs, categorical
    cross-entropy is a sum over them: with 46 classes the others are, at the same mistake, 46 times
    smaller. That is Keras's definition, and half of what a comparison of them is about.

    Raises:
        ValueError: there is no such loss.
    """
    if name == "mean_squared_error":
        return keras.losses.MeanSquaredError()
    if name == "binary_crossentropy":
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)
    if name == "squared_hinge":
        return keras.losses.SquaredHinge()
    if name == "categorical_crossentropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    raise ValueError(f"`name` must be a loss of this module. Received: {name=}")


def _optimizer(
    config: VectorClassifierConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    if config.optimizer == "sgd":
        # Without momentum, which the suite's other tasks have: it would be ten times the step.
        rate = optimizers.learning_rate(config, stage.learning_rate, stage.epochs, steps_per_epoch)
        return keras.optimizers.SGD(rate)
    group = transfer.ParameterGroup("all", tuple(model.trainable_variables))
    return optimizers.build_optimizer(config, stage, (group,), steps_per_epoch)
