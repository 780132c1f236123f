"""Optimizer, loss and metrics of a network that predicts where people look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_models import transfer
from keras_models.losses.saliency import CorrelationLoss, DivergenceLoss
from keras_models.metrics.saliency import MapCorrelation, MapDivergence, MapSimilarity
from tasks.common.optimizers import build_optimizer, say_what_trains
from tasks.common.task import Stage

LOSSES = {
    "divergence": DivergenceLoss,
    "correlation": CorrelationLoss,
    "mse": keras.losses.MeanSquaredError,
}


def compile_model(config: Any, model: keras.Model, stage: Stage, steps_per_epoch: int) -> None:
    """Freezes what the stage leaves frozen, says so, and sets optimizer, loss and metrics."""
    groups = _groups(config, model, stage)
    say_what_trains(stage, model)
    model.compile(
        optimizer=build_optimizer(config, stage, groups, steps_per_epoch),
        loss=LOSSES[config.loss](),
        metrics=[MapCorrelation(), MapDivergence(), MapSimilarity()],
        jit_compile=config.xla,
    )


def _groups(config: Any, model: keras.Model, stage: Stage) -> Sequence[transfer.ParameterGroup]:
    """The variables that train, by depth; a network without backbone is one group."""
    if config.network == "encoder":
        transfer.freeze(model, stage.trainable_stages)
        return transfer.parameter_groups(model)
    return [transfer.ParameterGroup("all", tuple(model.trainable_variables))]
