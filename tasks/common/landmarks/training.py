"""What a task that finds points on pictures does: batches, loss, what to watch, predictions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from datasets import core, landmark_augment, landmark_batches, landmark_schemes, pipeline
from datasets.landmark_batches import LandmarkBatching
from datasets.landmark_records import LandmarkInfo, LandmarkSource
from keras_models import landmark_regressor, transfer
from keras_models.losses import regression
from keras_models.metrics.landmarks import NormalisedMeanError
from tasks.common.landmarks import drawing
from tasks.common.landmarks.config import LandmarkConfig
from tasks.common.optimizers import build_optimizer, say_what_trains
from tasks.common.task import Batches, Stage

_SHOWN = 12

LOSSES = {
    "masked_euclidean": regression.MaskedEuclideanLoss,
    "mse": regression.MaskedMeanSquaredLoss,
    "l1": regression.MaskedMeanAbsoluteLoss,
}


def batching_of(config: LandmarkConfig, info: LandmarkInfo, size: int) -> LandmarkBatching:
    """How this configuration turns examples into batches of `size`."""
    count = len(info.scheme.point_names)
    return LandmarkBatching(size, tuple(config.image_size), count, config.workers)


def make_batches(config: LandmarkConfig, splits: core.Splits, size: int) -> Batches:
    """Augmented training batches and plain validation batches."""
    batching = batching_of(config, splits.info, size)
    change = landmark_augment.paired_changes(
        config.augment, config.image_size, splits.info.scheme.mirror
    )

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        return landmark_batches.training_batches(
            splits.train, batching, config.seed, epochs, first_step, change
        )

    return Batches(
        train=train,
        validation=landmark_batches.evaluation_batches(splits.validation, batching),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, size),
    )


def compile_model(
    config: LandmarkConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Freezes what the stage leaves frozen, says so, and sets optimizer, loss and metric."""
    transfer.freeze(model, stage.trainable_stages)
    say_what_trains(stage, model)
    groups = transfer.parameter_groups(model)
    model.compile(
        optimizer=build_optimizer(config, stage, groups, steps_per_epoch),
        loss=LOSSES[config.loss](),
        metrics=[NormalisedMeanError(config.image_size, eye_corners(model))],
        jit_compile=config.xla,
    )


def eye_corners(model: keras.Model) -> tuple[int, int] | None:
    """The outer corners of the eyes among the model's points; None where they are not known."""
    names = landmark_regressor.point_layer(model).point_names
    scheme = landmark_schemes.scheme_of(len(names))
    return scheme.eye_corners if scheme.point_names == names else None


def watch(
    config: LandmarkConfig, splits: core.Splits, network: keras.Model, epoch: int
) -> dict[str, Any]:
    """The pictures that TensorBoard shows of the stage that starts at `epoch`.

    Returns:
        Arguments of `callbacks.standard.Monitoring`.
    """
    lines = splits.info.scheme.lines
    batches = make_batches(config, splits, _SHOWN)
    images, targets = next(iter(batches.train(range(epoch, epoch + 1), 0)))
    chosen = np.unique(np.linspace(0, len(splits.validation) - 1, _SHOWN).astype(int))
    shown = core.Subset(splits.validation, chosen)
    batching = batching_of(config, splits.info, len(chosen))
    pictures, truth = next(iter(landmark_batches.evaluation_batches(shown, batching)))
    return {
        "example_batch": drawing.drawn_batch(images.numpy(), targets.numpy(), lines),
        "example_captions": None,
        "draw_predictions": lambda _: drawing.sheet(
            pictures.numpy(), truth.numpy(), network(pictures, training=False).numpy(), lines
        ),
    }


def predict(
    model: keras.Model, source: LandmarkSource, batching: LandmarkBatching
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and prediction of every example, float32 (n, 2 N) each, in shares of the frame."""
    predicted, truth = [], []
    for images, targets in landmark_batches.evaluation_batches(source, batching):
        predicted.append(model.predict_on_batch(images))
        truth.append(targets.numpy())
    return np.concatenate(truth), np.concatenate(predicted)
