"""Four networks so small that a step takes a moment."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tasks.common.cyclegan import training
from tasks.common.cyclegan.config import CycleGanConfig
from tasks.common.cyclegan.trainer import CycleGan
from tasks.common.task import Batches, Stage

SIDE = 24
TINY = CycleGanConfig(
    image_size=(SIDE, SIDE),
    generator_width=2,
    residual_blocks=1,
    discriminator_width=2,
    pool_size=2,
    nearest_depth=1.0,
    largest_depth=50.0,
    epochs=4,
)
STEPS = 5


def new_trainer(seed: int = 0, **changed: object) -> CycleGan:
    """Compiled and with all its variables, as the runner makes it."""
    keras.utils.set_random_seed(seed)
    config = dataclasses.replace(TINY, **changed)
    model = training.build_picture_to_depth(config)
    stage = Stage("adversarial", config.epochs, config.learning_rate)
    trainer = training.joint_training(config, model, stage, Batches(None, None, STEPS)).model
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def batch(number: int, size: int = 1) -> tuple[tf.Tensor, tf.Tensor]:
    """Pictures and metres, other ones for each number; some of the depth is unknown."""
    random = np.random.default_rng(number)
    pictures = random.integers(0, 256, (size, SIDE, SIDE, 3), dtype=np.uint8)
    metres = random.uniform(0.5, 60.0, (size, SIDE, SIDE, 1)).astype(np.float32)
    metres[:, :3] = 0.0
    return tf.constant(pictures), tf.constant(metres)
