"""What the depth task trains with: loss, metrics, optimizer, and what TensorBoard shows."""

from __future__ import annotations

from typing import Any

import keras

from datasets.core import Splits
from datasets.depth_range import DEPTH
from keras_models import transfer
from keras_models.losses.depth import DepthLoss
from keras_models.metrics import depth as metrics
from tasks.common.dense import training
from tasks.common.depth import drawing
from tasks.common.depth.config import DepthConfig
from tasks.common.optimizers import build_optimizer, say_what_trains
from tasks.common.task import Batches, Stage

MAPS = (DEPTH,)


def make_batches(config: DepthConfig, splits: Splits, batch_size: int) -> Batches:
    """Pictures with depth at half their size, which is what the network gives."""
    return training.make_batches(config, splits, batch_size, MAPS, config.target_size)


def compile_model(
    config: DepthConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Freezes what the stage leaves frozen, says so, and sets optimizer, loss and metrics."""
    transfer.freeze(model, stage.trainable_stages)
    say_what_trains(stage, model)
    groups = transfer.parameter_groups(model)
    model.compile(
        optimizer=build_optimizer(config, stage, groups, steps_per_epoch),
        loss=DepthLoss(config.quantity, config.depth_range, config.term_weights),
        metrics=[
            metrics.ThresholdAccuracy(1),
            metrics.AbsoluteRelativeError(),
            metrics.DepthRootMeanSquaredError(),
        ],
        jit_compile=config.xla,
    )


def watch(config: DepthConfig, splits: Splits, model: keras.Model, epoch: int) -> dict[str, Any]:
    """Pictures for TensorBoard: input, truth, prediction and error of validation pictures."""
    return training.watch(
        config, splits, model, epoch, MAPS, drawing.draw, drawing.HEADINGS, config.target_size
    )
