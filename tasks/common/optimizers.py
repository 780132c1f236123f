"""From options to a Keras optimizer: schedule, depth of the parameter groups, clipping, EMA."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from keras_models.schedules import OneCycle, warmup_cosine
from keras_models.transfer import ParameterGroup, count_parameters
from tasks.common.config import TrainConfig
from tasks.common.task import Stage

# Of `polynomial`, peak (1 - step / steps)^power: Chen et al., "DeepLab", PAMI 2018, section 4.1.2,
# and what segments pictures since.
_POWER = 0.9


def say_what_trains(stage: Stage, model: keras.Model) -> None:
    """Prints how many of the model's weights the stage leaves trainable."""
    weights = count_parameters(model)
    print(f"{stage.name}: {weights['trainable']:,} of {weights['total']:,} weights train")


def build_optimizer(
    config: TrainConfig, stage: Stage, groups: Sequence[ParameterGroup], steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """The optimizer of one stage, with a learning rate of its own for each parameter group.

    Args:
        config: the run's options.
        stage: learning rate, epochs and depth factor.
        groups: trainable variables from the output to the deepest; group k learns at
            `learning_rate * depth_factor ** k`.
        steps_per_epoch: batches in an epoch; the schedule spans the stage.

    Returns:
        One optimizer, or a `keras.optimizers.MultiOptimizer` with one per group, named as the
        groups, where their rates differ.
    """
    if stage.depth_factor == 1.0 or len(groups) == 1:
        rate = learning_rate(config, stage.learning_rate, stage.epochs, steps_per_epoch)
        return _optimizer(config, rate, name=config.optimizer)
    by_path = {}
    for depth, group in enumerate(groups):
        peak = stage.learning_rate * stage.depth_factor**depth
        rate = learning_rate(config, peak, stage.epochs, steps_per_epoch)
        optimizer = _optimizer(config, rate, name=group.name)
        by_path |= {variable.path: optimizer for variable in group.variables}
    return keras.optimizers.MultiOptimizer(lambda variable: by_path[variable.path])


def learning_rate(
    config: TrainConfig, peak: float, epochs: int, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The schedule that `config.schedule` names, reaching `peak` at its highest.

    `constant` and `plateau` are plain numbers: a callback lowers the latter while it trains. A
    peak of 0 is constant: the weights of the stage are found in another way.
    """
    total_steps = epochs * steps_per_epoch
    if peak == 0:
        return 0.0
    if config.schedule == "warmup_cosine":
        warmup_steps = min(round(config.warmup_fraction * total_steps), total_steps - 1)
        return warmup_cosine(peak, total_steps, warmup_steps)
    # A dry run has one step, which no cycle fits into.
    if config.schedule == "one_cycle" and total_steps > 1:
        return OneCycle(peak, total_steps)
    if config.schedule == "inverse_time":
        return keras.optimizers.schedules.InverseTimeDecay(peak, 1, config.decay)
    if config.schedule == "step":
        return keras.optimizers.schedules.ExponentialDecay(
            peak, config.step_epochs * steps_per_epoch, config.step_factor, staircase=True
        )
    if config.schedule == "polynomial":
        return keras.optimizers.schedules.PolynomialDecay(peak, total_steps, 0.0, _POWER)
    return peak


def _optimizer(
    config: TrainConfig,
    rate: float | keras.optimizers.schedules.LearningRateSchedule,
    name: str,
) -> keras.optimizers.Optimizer:
    shared = {
        "learning_rate": rate,
        "weight_decay": config.weight_decay or None,
        "clipnorm": config.clip_norm,
        "use_ema": config.ema_momentum is not None,
        "ema_momentum": config.ema_momentum or 0.99,
        "gradient_accumulation_steps": (
            config.accumulate_steps if config.accumulate_steps > 1 else None
        ),
        "name": name,
    }
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(momentum=0.9, nesterov=True, **shared)
    if config.optimizer == "adamw":
        return keras.optimizers.AdamW(**{**shared, "weight_decay": config.weight_decay})
    return keras.optimizers.Adam(**shared)
