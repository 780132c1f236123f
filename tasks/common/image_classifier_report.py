"""The end of an image classification run: test once, beside baselines; report and TensorBoard."""

from __future__ import annotations

import dataclasses
import time
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from sklearn.decomposition import PCA

from callbacks.tensorboard_confusion import write_confusion_matrix
from callbacks.tensorboard_hparams import write_hparams
from callbacks.tensorboard_pr_curves import write_pr_curves
from callbacks.tensorboard_projector import write_projector
from datasets import core, pipeline
from keras_models import transfer
from tasks.common import (
    baselines,
    cell_report,
    classification,
    classification_report,
    feature_store,
    run_folder,
)
from tasks.common.classification import Predictions
from tasks.common.classification_report import ClassificationReport
from tasks.common.image_classifier import batching_of, predict
from tasks.common.report import Section
from tasks.common.task import Run, Task

# Side of the pictures that the linear baseline without a pretrained network sees, in pixels.
_THUMBNAIL = 24
_BATCH = 64
_SPLITS = ("train", "validation", "test")
# Pictures in TensorBoard's projector; a sprite of more gets too large for a browser.
_PROJECTED = 1000
# Features of a picture in the projector; it reads them as text, tens of megabytes for more.
_PROJECTED_WIDTH = 4096


def report(
    task: Task,
    run: Run,
    further: Callable[[ClassificationReport], Sequence[Section]] = lambda _: (),
    rivals: Mapping[str, Mapping[str, float]] = types.MappingProxyType({}),
) -> ClassificationReport:
    """Predicts validation and test with the best model, writes the report, prints the table.

    Args:
        task: what was run.
        run: the trained run.
        further: gives the task's own sections of the report.
        rivals: test metrics of the task's own baselines, by name: `accuracy` and its interval.

    Returns:
        All that the report tells.
    """
    started = time.monotonic()
    validation = predictions(run.model, run.splits.validation, run.config, run.splits.info)
    test = predictions(run.model, run.splits.test, run.config, run.splits.info)
    evaluated = time.monotonic()
    others = _baselines(task, run, test) | dict(rivals)
    seconds = {
        **run.seconds,
        "evaluation": evaluated - started,
        "baselines": time.monotonic() - evaluated,
    }
    document = ClassificationReport(
        task=task.name,
        info=run.splits.info,
        validation=validation,
        test=test,
        baselines=others,
        history=run.history,
        seconds=seconds,
        parameters=run.model.count_params(),
        environment=run_folder.environment(run.folder),
        picture=lambda index: run.splits.test.example(index)["image"],
    )
    document = dataclasses.replace(document, further=further(document))
    classification_report.write_classification_report(run.folder.report, document)
    _write_tensorboard(run, test)
    print(classification_report.summary_table(document, run.folder.report))
    print(f"TensorBoard: tensorboard --logdir {run.folder.path.parent}")
    return document


def report_cell(task_name: str, run: Run) -> None:
    """The end of one cell of a study: the numbers of validation and test, without figures."""
    cell_report.report(
        task_name,
        run,
        lambda source: predictions(run.model, source, run.config, run.splits.info),
    )


def predictions(
    model: keras.Model, source: core.LabelledSource, config: Any, info: core.DatasetInfo
) -> Predictions:
    """What the model says about every example of a source, beside the truth."""
    return Predictions(
        probabilities=predict(model, source, batching_of(config, info, _BATCH)),
        labels=np.asarray(source.labels),
        identifiers=tuple(source.identifier(index) for index in range(len(source))),
        class_names=info.class_names,
    )


def _baselines(task: Task, run: Run, test: Predictions) -> dict[str, dict[str, float]]:
    """Test metrics of the most frequent class and of a linear classifier."""
    splits, class_count = run.splits, len(test.class_names)
    labels = {name: np.asarray(getattr(splits, name).labels) for name in ("train", "validation")}
    prior = baselines.most_frequent(labels["train"], len(splits.test), class_count)
    name, features = _features(task, run)
    linear = baselines.linear(features, labels, class_count)
    return {
        "most frequent class": _metrics(prior, test),
        f"linear classifier on {name}": _metrics(linear, test),
    }


def _metrics(probabilities: np.ndarray, truth: Predictions) -> dict[str, float]:
    return classification.metrics(dataclasses.replace(truth, probabilities=probabilities))


def _features(task: Task, run: Run) -> tuple[str, dict[str, np.ndarray]]:
    """What the linear baseline sees: the backbone's first weights if there are any, else pixels."""
    config = run.config
    # A task without that option trains its network from random weights.
    if getattr(config, "weights", "none") == "none":
        return f"{_THUMBNAIL}x{_THUMBNAIL} pixels", _thumbnails(run)
    info = run.splits.info
    network = task.build_model(config, info)
    name = f"frozen {config.backbone} features"
    if not config.cache:
        features = transfer.feature_extractor(network)
        return name, _predicted(run, features, batching_of(config, info, _BATCH))
    recipe = task.stages(config, network)
    store = feature_store.pooled_features(config, info, network, recipe)
    return name, {
        split: feature_store.plain(store.features(split, getattr(run.splits, split), 1))
        for split in _SPLITS
    }


def _thumbnails(run: Run) -> dict[str, np.ndarray]:
    """Small pictures as rows of numbers, float32 (n, values), by split; grey ones with one channel.

    The other two of a grey picture would only make the baseline's solution take three times as
    long.
    """
    image = keras.Input((_THUMBNAIL, _THUMBNAIL, 3), dtype="uint8")
    network = keras.Model(image, keras.layers.Flatten(dtype="float32")(image))
    batching = batching_of(run.config, run.splits.info, _BATCH)
    rows = _predicted(
        run, network, dataclasses.replace(batching, image_size=(_THUMBNAIL, _THUMBNAIL))
    )
    channels = [[part[:, first::3] for first in range(3)] for part in rows.values()]
    if all(np.array_equal(red, other) for red, *others in channels for other in others):
        return {split: part[:, ::3] for split, part in rows.items()}
    return rows


def _predicted(
    run: Run, network: keras.Model, batching: pipeline.Batching
) -> dict[str, np.ndarray]:
    return {
        split: network.predict(
            pipeline.evaluation_batches(getattr(run.splits, split), batching), verbose=0
        )
        for split in _SPLITS
    }


def _write_tensorboard(run: Run, test: Predictions) -> None:
    """Confusion matrix, PR curves, table of runs and projector."""
    folder, names = run.folder.tensorboard, test.class_names
    config = dataclasses.asdict(run.config)
    write_confusion_matrix(folder, classification.confusion_counts(test), names)
    write_pr_curves(folder, test.labels, test.probabilities, names)
    results = {f"test_{key}": value for key, value in classification.metrics(test).items()}
    write_hparams(folder, config, results, run.folder.path.name)
    chosen = np.arange(min(_PROJECTED, len(run.splits.test)))
    batching = batching_of(run.config, run.splits.info, _BATCH)
    batches = pipeline.evaluation_batches(core.Subset(run.splits.test, chosen), batching)
    predicted = test.probabilities.argmax(axis=1)
    features = transfer.feature_extractor(run.model).predict(batches, verbose=0)
    write_projector(
        folder,
        _principal_axes(features) if features.shape[1] > _PROJECTED_WIDTH else features,
        np.concatenate([images.numpy() for images, _ in batches]),
        {
            "class": [names[label] for label in test.labels[chosen]],
            "prediction": [names[label] for label in predicted[chosen]],
            "example": [test.identifiers[index] for index in chosen],
        },
    )


def _principal_axes(features: np.ndarray) -> np.ndarray:
    """The same points turned into as few dimensions as they span, float (n, at most n)."""
    return PCA(svd_solver="full").fit_transform(features)
