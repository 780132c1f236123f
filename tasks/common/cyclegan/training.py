"""What learning without pairs does: the networks, what they are fed, their two optimizers."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from datasets import core, dense_augment, dense_batches, pipeline, unpaired_batches
from datasets.depth_range import DEPTH
from keras_models import cyclegan
from keras_models.schedules import ConstantThenLinear
from tasks.common.cyclegan import panels
from tasks.common.cyclegan.config import CycleGanConfig
from tasks.common.cyclegan.networks import COMPANIONS
from tasks.common.cyclegan.trainer import (
    DISCRIMINATOR_TERMS,
    CycleGan,
    Networks,
    Objective,
    generator_terms,
)
from tasks.common.dense.training import batching_of
from tasks.common.task import Batches, Stage, Training

DEPTH_GENERATOR, PICTURE_GENERATOR = "depth_generator", "picture_generator"
# A random cut of an enlarged picture, as the paper has it, shows the same things at the same depth.
# Divided by a zoom that always enlarges, all training depth would be nearer than that of the test.
_CUT_DEPTH = dataclasses.replace(DEPTH, zoom_exponent=0.0)
# Instances are normalised each for itself, so that more at a time only saves time.
EVALUATION_BATCH = 16
_SHOWN = 4
_EXAMPLES = 8


def build_picture_to_depth(config: CycleGanConfig) -> keras.Model:
    """The model that is selected, saved and exported: from uint8 pictures to metres."""
    generator = cyclegan.build_generator(
        3,
        1,
        tuple(config.image_size),
        config.generator_width,
        config.residual_blocks,
        DEPTH_GENERATOR,
    )
    return cyclegan.build_picture_to_depth(
        generator, config.depth_scale, config.nearest_depth, config.largest_depth
    )


def make_batches(config: CycleGanConfig, splits: core.Splits, size: int) -> Batches:
    """Unpaired, augmented training batches; pairs in order for validation."""
    batching = batching_of(config, size, (_CUT_DEPTH,))
    change = dense_augment.paired_changes(
        config.augment, batching.image_size, (_CUT_DEPTH,), config.zoom, config.turn
    )

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        return unpaired_batches.training_batches(
            splits.train, batching, config.seed, epochs, first_step, change
        )

    return Batches(
        train=train,
        validation=dense_batches.evaluation_batches(
            splits.validation, batching_of(config, EVALUATION_BATCH, (DEPTH,))
        ),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, size),
    )


def joint_training(
    config: CycleGanConfig, picture_to_depth: keras.Model, stage: Stage, batches: Batches
) -> Training:
    """The four networks together, compiled; the other three are saved beside the model."""
    networks = _networks(config, picture_to_depth)
    depth_to_picture = cyclegan.build_depth_to_picture(
        networks.picture_generator, config.depth_scale, config.nearest_depth, config.largest_depth
    )
    trainer = CycleGan(picture_to_depth, depth_to_picture, networks, objective(config))
    trainer.compile(
        optimizer=_optimizers(config, networks, stage, batches.steps_per_epoch),
        jit_compile=config.xla,
    )
    others = (depth_to_picture, networks.depth_discriminator, networks.picture_discriminator)
    companions = dict(zip(COMPANIONS, others, strict=True))
    counts = {name: network.count_params() for name, network in companions.items()}
    counts = {"picture_to_depth": picture_to_depth.count_params(), **counts}
    print("weights that train: " + ", ".join(f"{name} {n:,}" for name, n in counts.items()))
    return Training(trainer, batches, companions)


def objective(config: CycleGanConfig) -> Objective:
    """What the options say the networks are trained for."""
    return Objective(
        cycle_weight=config.cycle_weight,
        identity_share=config.identity_share,
        pool_size=config.pool_size,
        seed=config.seed,
        kind=config.depth_scale,
        nearest=config.nearest_depth,
        largest=config.largest_depth,
    )


def _networks(config: CycleGanConfig, picture_to_depth: keras.Model) -> Networks:
    """The generator of depth, which there is already, and the three others."""
    size = tuple(config.image_size)
    return Networks(
        depth_generator=picture_to_depth.get_layer(DEPTH_GENERATOR),
        picture_generator=cyclegan.build_generator(
            1, 3, size, config.generator_width, config.residual_blocks, PICTURE_GENERATOR
        ),
        depth_discriminator=cyclegan.build_discriminator(
            1, size, config.discriminator_width, "depth_discriminator"
        ),
        picture_discriminator=cyclegan.build_discriminator(
            3, size, config.discriminator_width, "picture_discriminator"
        ),
    )


def _optimizers(
    config: CycleGanConfig, networks: Networks, stage: Stage, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Adam for the generators and Adam for the discriminators; beta1 as in section 7.1."""
    rate = stage.learning_rate
    if config.schedule == "constant_then_linear":
        total = stage.epochs * steps_per_epoch
        constant = int(config.constant_share * total)
        rate = ConstantThenLinear(rate, constant, total - constant)
    of_variable: dict[int, keras.optimizers.Optimizer] = {}
    for name, variables in (
        ("generators", networks.generator_variables),
        ("discriminators", networks.discriminator_variables),
    ):
        optimizer = keras.optimizers.Adam(
            rate,
            beta_1=0.5,
            weight_decay=config.weight_decay or None,
            clipnorm=config.clip_norm,
            name=name,
        )
        # By identity: two generators have layers of the same names.
        of_variable |= {id(variable): optimizer for variable in variables}
    return keras.optimizers.MultiOptimizer(lambda variable: of_variable[id(variable)])


def watch(config: CycleGanConfig, splits: core.Splits, epoch: int) -> dict[str, Any]:
    """What TensorBoard and terminal show of the stage that starts at `epoch`.

    Returns:
        Arguments of `callbacks.standard.Monitoring`.
    """
    batches = make_batches(config, splits, _EXAMPLES)
    images, _ = next(iter(batches.train(range(epoch, epoch + 1), 0)))
    pictures, metres = some_pairs(config, splits.validation)

    def sheet(trainer: CycleGan) -> Any:
        translated = panels.both_ways(
            trainer.picture_to_depth, trainer.depth_to_picture, pictures, metres
        )
        return panels.sheet(translated, panels.scale_of(trainer.picture_to_depth))

    return {
        "example_batch": images.numpy(),
        "example_captions": None,
        "draw_predictions": sheet,
        "also_shown": (*generator_terms(objective(config)), *DISCRIMINATOR_TERMS),
    }


def some_pairs(
    config: CycleGanConfig, source: core.LabelledSource, count: int = _SHOWN
) -> tuple[Any, Any]:
    """Some pictures, spread over a source, and their depth.

    Returns:
        uint8 (n, height, width, 3); metres, float32 (n, height, width, 1).
    """
    last = len(source) - 1
    chosen = sorted({round(k * last / max(count - 1, 1)) for k in range(count)})
    batching = batching_of(config, len(chosen), (DEPTH,))
    pictures, metres = next(
        iter(dense_batches.evaluation_batches(core.Subset(source, chosen), batching))
    )
    return pictures.numpy(), metres.numpy()
