"""What every image classification task does alike: batches, loss, what to watch, the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from callbacks.prediction_pictures import classification_pictures
from datasets import augment, check, core, decoded_cache, memory, pipeline
from keras_models import transfer
from tasks.common import console
from tasks.common.image_classifier_config import ImageClassifierConfig
from tasks.common.optimizers import build_optimizer, say_what_trains
from tasks.common.task import Batches, Stage

# Pictures shown in TensorBoard: a sheet of three rows that fits on a screen.
_SHOWN = 12


def checked(splits: core.Splits, config: ImageClassifierConfig) -> core.Splits:
    """The splits as `--limit` leaves them, each picture seen to be readable, and remembered.

    Raises:
        DataError: pictures cannot be read and `--skip-bad-images` was not given.
    """
    parts = {}
    share = config.cache_megabytes * 1_000_000 // len(("train", "validation", "test"))
    for name in ("train", "validation", "test"):
        source = getattr(splits, name)
        if config.limit is not None:
            source = core.limit(source, config.limit, config.seed)
        source = memory.Remembered(source, share)
        shown = console.progress(f"checked {{done}} of {{total}} {name} pictures", at_end=True)
        bad = check.find_bad_pictures(source, shown, config.workers)
        if bad and config.skip_bad_images:
            for picture in bad:
                print(f"left out {picture.identifier}: {picture.reason}")
            source = check.without(source, bad)
        else:
            check.require_no_bad_pictures(bad)
        if config.decoded_cache:
            source = decoded_cache.DecodedCache(
                source, config.cache_dir, config.image_size, config.resizing, config.workers
            )
        parts[name] = source
    return core.Splits(**parts, info=splits.info)


def batching_of(
    config: ImageClassifierConfig, info: core.DatasetInfo, size: int
) -> pipeline.Batching:
    """How this configuration turns examples into batches of `size`."""
    return pipeline.Batching(
        batch_size=size,
        image_size=config.image_size,
        class_count=len(info.class_names),
        resizing=config.resizing,
        workers=config.workers,
    )


def make_batches(config: ImageClassifierConfig, splits: core.Splits, size: int) -> Batches:
    """Augmented training batches and plain validation batches, weighted if asked."""
    batching = batching_of(config, splits.info, size)
    change = augment.picture_changes(config.augment, config.image_size)
    mix = augment.batch_mixing(
        None if config.mixing == "none" else config.mixing, config.mixing_alpha
    )
    weights = (
        class_weights(splits.train.labels, batching.class_count) if config.class_weights else None
    )

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        batches = pipeline.training_batches(
            splits.train, batching, config.seed, epochs, first_step, change, mix
        )
        if weights is None:
            return batches
        return batches.map(
            lambda images, targets: (images, targets, tf.linalg.matvec(targets, weights))
        )

    return Batches(
        train=train,
        validation=pipeline.evaluation_batches(splits.validation, batching),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, size),
    )


def class_weights(labels: np.ndarray, class_count: int) -> np.ndarray:
    """Weights inverse to the classes' frequencies, float32 (classes,), averaging 1 per example.

    n / (classes present * examples of the class), as scikit-learn's "balanced" (King & Zeng 2001,
    "Logistic regression in rare events data"). A class without examples gets 0.
    """
    counts = np.bincount(labels, minlength=class_count)
    present = np.count_nonzero(counts)
    weights = np.where(counts > 0, len(labels) / (present * np.maximum(counts, 1)), 0.0)
    return weights.astype(np.float32)


def compile_model(
    config: ImageClassifierConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Freezes what the stage leaves frozen, says so, and sets optimizer, loss and metrics."""
    transfer.freeze(model, stage.trainable_stages)
    _compile(config, model, stage, steps_per_epoch, transfer.parameter_groups(model))


def compile_whole(
    config: ImageClassifierConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """The same for a network without a backbone: everything trains, all at one rate."""
    everything = transfer.ParameterGroup("network", tuple(model.trainable_variables))
    _compile(config, model, stage, steps_per_epoch, [everything])


def _compile(
    config: ImageClassifierConfig,
    model: keras.Model,
    stage: Stage,
    steps_per_epoch: int,
    groups: Sequence[transfer.ParameterGroup],
) -> None:
    say_what_trains(stage, model)
    model.compile(
        optimizer=build_optimizer(config, stage, groups, steps_per_epoch),
        **_objective(config, len(transfer.class_names(model))),
    )


def compile_tail(config: ImageClassifierConfig, tail: keras.Model, network: keras.Model) -> None:
    """Compiles a tail as its network was, with the network's optimizer."""
    class_count = len(transfer.class_names(network))
    tail.compile(optimizer=network.optimizer, **_objective(config, class_count))


def _objective(config: ImageClassifierConfig, class_count: int) -> dict[str, Any]:
    """Loss and metrics, and how the step is compiled: arguments of `keras.Model.compile`."""
    metrics = [keras.metrics.CategoricalAccuracy(name="accuracy")]
    if class_count > 5:
        metrics.append(keras.metrics.TopKCategoricalAccuracy(5, name="top5_accuracy"))
    return {
        "loss": keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        "metrics": metrics,
        "jit_compile": config.xla,
    }


def watch(
    config: ImageClassifierConfig, splits: core.Splits, network: keras.Model, epoch: int
) -> dict[str, Any]:
    """The pictures that TensorBoard shows of the stage that starts at `epoch`.

    They are drawn from the raw pictures, whatever the stage learns from.

    Returns:
        Arguments of `callbacks.standard.Monitoring`.
    """
    names = splits.info.class_names
    batches = make_batches(config, splits, _SHOWN)
    first = next(iter(batches.train(range(epoch, epoch + 1), 0)))
    images, targets = first[0].numpy(), first[1].numpy()
    # Spread over the split, so that several classes are seen where examples lie in their order.
    chosen = np.unique(np.linspace(0, len(splits.validation) - 1, _SHOWN).astype(int))
    batching = batching_of(config, splits.info, len(chosen))
    shown = core.Subset(splits.validation, chosen)
    pictures, _ = next(iter(pipeline.evaluation_batches(shown, batching)))
    return {
        "example_batch": images,
        "example_captions": tuple(_caption(target, names) for target in targets),
        "draw_predictions": classification_pictures(
            pictures.numpy(), shown.labels, names, lambda shown: network(shown).numpy()
        ),
    }


def _caption(target: np.ndarray, class_names: tuple[str, ...]) -> str:
    """The class, or for a blended picture its two classes with their shares."""
    order = np.argsort(target)[::-1]
    if target[order[0]] > 0.995 or len(order) == 1:
        return class_names[order[0]]
    return " + ".join(f"{target[i]:.0%} {class_names[i]}" for i in order[:2])


def predict(
    model: keras.Model, source: core.LabelledSource, batching: pipeline.Batching
) -> np.ndarray:
    """Probabilities for every example of a source, float32 (n, classes)."""
    return model.predict(pipeline.evaluation_batches(source, batching), verbose=0)
