"""How the decoder of one cell learns: from stored features of the frozen encoder to pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from datasets import augment, core, feature_batches, feature_cache, picture_views, pipeline
from keras_models import feature_inversion, transfer
from keras_models.losses.reconstruction import StandardisedSquaredError
from keras_models.metrics.reconstruction import SquaredError
from tasks.common import cached_stage, feature_store
from tasks.common.dense import panels
from tasks.common.inversion import drawing
from tasks.common.inversion.config import InversionCellConfig
from tasks.common.optimizers import build_optimizer, say_what_trains
from tasks.common.task import Batches, Stage, Training

# Pictures on which the features' size is measured: enough for the mean of every channel.
_MEASURED = 256
_SHOWN, _EXAMPLES = 4, 8


def batching_of(config: InversionCellConfig, size: int) -> pipeline.Batching:
    """How this configuration turns pictures into batches of `size`."""
    return pipeline.Batching(size, tuple(config.image_size), 1, config.resizing, config.workers)


def target_size(model: keras.Model) -> tuple[int, int]:
    """Height and width of the pictures that a network rebuilds."""
    return tuple(model.output_shape[1:3])


def targets(pictures: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """What is to be rebuilt of pictures: themselves at the size of the target, float32.

    Args:
        pictures: (batch, height, width, 3), range [0, 255]; what lies between whole numbers is cut
            off, as the network, whose input is uint8, does.
        size: height and width of the target; reduced with antialiasing.
    """
    pixels = tf.cast(tf.cast(pictures, tf.uint8), tf.float32)
    if tuple(pictures.shape[1:3]) == tuple(size):
        return pixels
    return tf.image.resize(pixels, size, antialias=True)


def make_batches(config: InversionCellConfig, splits: core.Splits, batch_size: int) -> Batches:
    """Pictures with themselves as targets, for the whole network."""
    size = tuple(config.target_size)
    batching = batching_of(config, batch_size)
    change = augment.picture_changes(config.augment, config.image_size)

    def paired(pictures: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return pictures, targets(pictures, size)

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        return pipeline.training_batches(
            splits.train, batching, config.seed, epochs, first_step, change
        ).map(paired)

    return Batches(
        train=train,
        validation=pipeline.evaluation_batches(splits.validation, batching).map(paired),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, batch_size),
    )


def compile_model(
    config: InversionCellConfig,
    model: keras.Model,
    stage: Stage,
    steps_per_epoch: int,
) -> None:
    """Says what trains, and sets optimizer, loss and metric."""
    say_what_trains(stage, model)
    group = transfer.ParameterGroup("decoder", tuple(model.trainable_variables))
    optimizer = build_optimizer(config, stage, (group,), steps_per_epoch)
    model.compile(optimizer=optimizer, **_objective(config, model))


def _objective(config: InversionCellConfig, network: keras.Model) -> dict[str, Any]:
    deviation = network.get_layer("pixels").deviation
    return {
        "loss": StandardisedSquaredError(deviation),
        "metrics": [SquaredError(deviation)],
        "jit_compile": config.xla,
    }


def tail_training(
    config: InversionCellConfig,
    splits: core.Splits,
    network: keras.Model,
    stages: Sequence[Stage],
    number: int,
    batch_size: int,
    working: Callable[[], None],
) -> Training | None:
    """The compiled decoder with stored features and pictures; the whole network without a cache.

    In either case the standardisation of the features is set first, from plain training pictures.

    Args, Raises: as `cached_stage.tail_training`; `stages` and `number` decide nothing, since there
        is one stage and one trunk.
    """
    if config.dry_run:
        splits = cached_stage.first_batch(splits, batch_size)
    trunk, tail = feature_inversion.split(network)
    if not config.cache:
        batching = batching_of(config, min(_MEASURED, len(splits.train)))
        pictures = next(iter(pipeline.view_batches(splits.train, batching, seed=0, view=0)))
        features = trunk.predict(pictures, batch_size=32, verbose=0)
        feature_inversion.standardization(network).learn(features)
        return None
    store = feature_store.Store(config, splits.info, trunk, working)
    views = min(config.cached_views, config.epochs) if config.augment else 1
    train = store.features("train", splits.train, views)
    validation = store.features("validation", splits.validation, 1)
    feature_inversion.standardization(network).learn(train.maps[0][:_MEASURED].astype(np.float32))
    tail.compile(optimizer=network.optimizer, **_objective(config, network))
    stored = {
        "train": (train, pictures_of(config, splits.train, views)),
        "validation": (validation, pictures_of(config, splits.validation, 1)),
    }
    return Training(tail, _stored_batches(config, stored, batch_size, target_size(network)))


def pictures_of(
    config: InversionCellConfig, source: core.LabelledSource, views: int
) -> feature_cache.FeatureCache:
    """The pictures whose features are stored, in the same views, uint8."""
    change = augment.picture_changes(config.augment, config.image_size)
    return picture_views.stored(
        source,
        config.cache_dir,
        batching_of(config, _EXAMPLES),
        views,
        config.seed,
        tuple(config.augment),
        change,
    )


def _stored_batches(
    config: InversionCellConfig,
    stored: dict[str, tuple[feature_cache.FeatureCache, feature_cache.FeatureCache]],
    batch_size: int,
    size: tuple[int, int],
) -> Batches:
    def paired(features: tf.Tensor, pictures: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return features, targets(pictures, size)

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        return feature_batches.training_batches(
            *stored["train"], batch_size, config.seed, epochs, first_step
        ).map(paired)

    validation = feature_batches.evaluation_batches(*stored["validation"], batch_size)
    steps = -(-stored["train"][0].count // batch_size)
    return Batches(train=train, validation=validation.map(paired), steps_per_epoch=steps)


def watch(
    config: InversionCellConfig, splits: core.Splits, network: keras.Model, epoch: int
) -> dict[str, Any]:
    """The pictures that TensorBoard shows: what is seen, what is rebuilt of it, and the error.

    Returns:
        Arguments of `callbacks.standard.Monitoring`.
    """
    size = target_size(network)
    batches = make_batches(config, splits, _EXAMPLES)
    shown, _ = next(iter(batches.train(range(epoch, epoch + 1), 0)))
    chosen = np.unique(np.linspace(0, len(splits.validation) - 1, _SHOWN).astype(int))
    part = core.Subset(splits.validation, chosen)
    pictures, _ = next(iter(pipeline.evaluation_batches(part, batching_of(config, len(chosen)))))
    originals = targets(pictures, size).numpy()

    def sheet(_: keras.Model) -> np.ndarray:
        rebuilt = keras.ops.convert_to_numpy(network(pictures, training=False))
        rows = [drawing.panels(*pair) for pair in zip(originals, rebuilt, strict=True)]
        headings = drawing.HEADINGS
        return panels.below(
            [panels.beside(row, () if number else headings) for number, row in enumerate(rows)]
        )

    return {"example_batch": shown.numpy(), "example_captions": None, "draw_predictions": sheet}
