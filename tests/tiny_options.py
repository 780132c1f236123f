"""How each task is run in a few seconds, so that the shared tests run every one of them.

A new task adds one line to `TINY_RUNS`, a new study one to `TINY_STUDIES`; the tests fail with
this place's name until it does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_models.depth_scale import metres_to_shares
from tasks.common.task import Task
from tests.tasks.processes import TINY

Measure = Callable[[Task, Any, keras.Model], float]


@dataclasses.dataclass(frozen=True)
class TinyStudy:
    """One study, made small.

    Attributes:
        options: words for the command line: the smallest cells, as few as still make a report.
        cells: how many cells that makes.
    """

    options: tuple[str, ...]
    cells: int


@dataclasses.dataclass(frozen=True)
class TinyRun:
    """One task, made small.

    Attributes:
        options: words for the command line: the smallest network, a few examples, few epochs.
        metric: the number of `report/metrics.json` that is computed again from the saved model.
        measure: computes it on the test split: (task, config of the run, loaded model) -> value.
    """

    options: tuple[str, ...]
    metric: str
    measure: Measure


def accuracy(task: Task, config: Any, model: keras.Model) -> float:
    """Share of the test examples whose most probable class is the true one.

    Taken over the batches that the task itself makes of a split in order.
    """
    splits = task.load_data(config)
    swapped = dataclasses.replace(splits, validation=splits.test)
    batches = task.make_batches(config, swapped, 8).validation
    right = [
        np.argmax(model.predict_on_batch(images), axis=1) == np.argmax(targets, axis=1)
        for images, targets in batches.as_numpy_iterator()
    ]
    return float(np.concatenate(right).mean())


TINY_SVM = (
    *("--backbone", "MobileNet", "--layer", "conv_pw_3_relu", "--pooling", "average", "--pca", "0"),
    *("--image-size", "32", "32", "--weights", "none", "--rendered-count", "40", "16", "16"),
    *("--batch-size", "8", "--folds", "2", "--costs", "0.001", "0.1", "--cache-precision"),
    *("float32", "--rbf-costs", "1", "10", "--rbf-gammas", "0.3", "1"),
)


def normalised_mean_error(task: Task, config: Any, model: keras.Model) -> float:
    """Mean distance of the visible points in distances of the outer eye corners, in NumPy."""
    splits = task.load_data(config)
    swapped = dataclasses.replace(splits, validation=splits.test)
    left, right = splits.info.scheme.eye_corners
    pixels = np.array(config.image_size[::-1])
    errors = []
    for images, targets in task.make_batches(config, swapped, 8).validation.as_numpy_iterator():
        shape = (len(images), -1, 2)
        truth = targets.reshape(shape) * pixels
        found = model.predict_on_batch(images).reshape(shape) * pixels
        distances = np.linalg.norm(found - truth, axis=2)
        visible = truth.any(axis=2)
        for k in np.flatnonzero(visible[:, left] & visible[:, right]):
            size = np.linalg.norm(truth[k, left] - truth[k, right])
            errors.append(distances[k][visible[k]].mean() / size)
    return float(np.mean(errors))


def map_correlation(task: Task, config: Any, model: keras.Model) -> float:
    """Mean over pictures of the correlation of truth and prediction, in NumPy."""
    splits = task.load_data(config)
    swapped = dataclasses.replace(splits, validation=splits.test)
    batches = task.make_batches(config, swapped, 8).validation.as_numpy_iterator()
    values = [
        np.corrcoef(truth.ravel(), found.ravel())[0, 1]
        for images, targets in batches
        for truth, found in zip(targets, model.predict_on_batch(images), strict=True)
    ]
    return float(np.mean(values))


def delta1(task: Task, config: Any, model: keras.Model) -> float:
    """Share of the known test pixels within a factor of 1.25, in NumPy."""
    splits = task.load_data(config)
    swapped = dataclasses.replace(splits, validation=splits.test)
    right = []
    for images, truth in task.make_batches(config, swapped, 8).validation.as_numpy_iterator():
        known = truth > 0
        ratio = model.predict_on_batch(images)[known] / truth[known]
        right.append(np.maximum(ratio, 1 / ratio) < 1.25)
    return float(np.concatenate(right).mean())


def mean_iou(task: Task, config: Any, model: keras.Model) -> float:
    """Mean over the classes that occur of intersection over union, in NumPy."""
    splits = task.load_data(config)
    swapped = dataclasses.replace(splits, validation=splits.test)
    batches = list(task.make_batches(config, swapped, 8).validation.as_numpy_iterator())
    truth = np.concatenate([targets[..., 0] for _, targets in batches])
    found = np.concatenate([model.predict_on_batch(images).argmax(-1) for images, _ in batches])
    valid = truth < len(splits.info.class_names)
    values = []
    for number in range(len(splits.info.class_names)):
        true, said = (truth == number) & valid, (found == number) & valid
        if (true | said).any():
            values.append((true & said).sum() / (true | said).sum())
    return float(np.mean(values))


def depth_rms(task: Task, config: Any, model: keras.Model) -> float:
    """Root of the mean squared error of depth on the scale of the model; sky is far."""
    splits = task.load_data(config)
    swapped = dataclasses.replace(splits, validation=splits.test)
    scale = next(layer for layer in model.layers if layer.__class__.__name__ == "SharesToMetres")
    errors = [
        metres_to_shares(model.predict_on_batch(images), scale.kind, scale.nearest, scale.largest)
        - metres_to_shares(metres, scale.kind, scale.nearest, scale.largest)
        for images, metres in task.make_batches(config, swapped, 8).validation.as_numpy_iterator()
    ]
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


TINY_RUNS: Mapping[str, TinyRun] = {
    "cars_finetune": TinyRun(TINY, "accuracy", accuracy),
    "cars_svm": TinyRun(TINY_SVM, "accuracy", accuracy),
    "depth_dense": TinyRun(
        (
            *("--image-size", "32", "48", "--rendered-count", "24", "8", "8"),
            *("--batch-size", "8", "--scratch-epochs", "2", "--decoder-filters", "16"),
        ),
        "delta1",
        delta1,
    ),
    "depth_cyclegan": TinyRun(
        (
            *("--image-size", "32", "32", "--generator-width", "2", "--residual-blocks", "1"),
            *("--discriminator-width", "2", "--rendered-count", "8", "4", "4", "--epochs", "2"),
            *("--pool-size", "3"),
        ),
        "depth_rms",
        depth_rms,
    ),
    "digits_lenet": TinyRun(
        ("--rendered-count", "120", "40", "40", "--epochs", "2", "--batch-size", "20"),
        "accuracy",
        accuracy,
    ),
    "landmarks": TinyRun(
        (
            *("--image-size", "32", "48", "--batch-size", "8", "--scratch-epochs", "2"),
            *("--rendered-count", "40", "16", "16"),
        ),
        "normalised_mean_error",
        normalised_mean_error,
    ),
    "saliency": TinyRun(
        (
            *("--image-size", "32", "48", "--batch-size", "8", "--scratch-epochs", "2"),
            *("--rendered-count", "24", "8", "8"),
        ),
        "cc",
        map_correlation,
    ),
    "segment_fast_scnn": TinyRun(
        (
            *("--image-size", "32", "48", "--batch-size", "4", "--epochs", "2"),
            *("--rendered-count", "12", "6", "6"),
        ),
        "mean_iou",
        mean_iou,
    ),
}


TINY_STUDIES: Mapping[str, TinyStudy] = {
    "initialization_study": TinyStudy(
        (
            *("--schemes", "zeros", "xavier", "--activations", "tanh", "--repetitions", "1"),
            *("--rendered-count", "60", "20", "20", "--depth", "2", "--width", "8"),
            *("--epochs", "2", "--batch-size", "20"),
        ),
        2,
    ),
    "backbones": TinyStudy(("--backbones", "MobileNet", "MobileNetV3Small", "--dry-run"), 2),
    "transfer_study": TinyStudy(
        (
            *("--targets", "different", "--amounts", "few", "--methods", "linear"),
            *("--no-head-depths", "--repetitions", "2", "--source-examples", "2", "--few", "2"),
            *("--rendered-evaluation", "16", "16", "--source-epochs", "1"),
        ),
        3,
    ),
    "invert_features": TinyStudy(
        (
            *("--layers", "conv2", "fc6", "--image-size", "67", "67", "--target-size", "16", "16"),
            *("--encoder-width", "0.05", "--decoder-width", "16", "--dense-units", "8"),
            *("--rendered-count", "12", "6", "6", "--epochs", "2", "--batch-size", "6"),
        ),
        2,
    ),
    "phone_price": TinyStudy(
        (
            *("--repetitions", "2", "--scaling", "global", "--epochs", "2", "--hidden", "8"),
            *("--generated-count", "200"),
        ),
        2,
    ),
    "reuters_losses": TinyStudy(
        (
            *("--repetitions", "1", "--epochs", "3", "--early-epochs", "1", "--hidden", "8"),
            *("--generated-texts", "300", "--words", "100", "--batch-size", "64"),
            *("--configurations", "softmax_cce", "softmax_mse", "--optimizers", "sgd"),
        ),
        2,
    ),
}


def tiny_run(task_name: str) -> TinyRun:
    """The entry of a task.

    Raises:
        LookupError: it has none; the message says where to add it.
    """
    if task_name not in TINY_RUNS:
        raise LookupError(
            f"The task {task_name!r} has no entry in TINY_RUNS of tests/tiny_options.py: add the "
            "options with which it runs in a few seconds."
        )
    return TINY_RUNS[task_name]
