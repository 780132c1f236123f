"""What a network, and what the baselines, say of every picture of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from datasets import class_masks, core, dense_batches
from datasets.dense_batches import DenseBatching
from tasks.common.dense import training
from tasks.common.segmentation import baselines, measures
from tasks.common.segmentation.measures import PictureCounts


def batching_of(model: keras.Model, size: int, workers: int) -> DenseBatching:
    """Pictures and masks at the size of the network, `size` a batch."""
    kind = class_masks.mask_kind(model.output_shape[-1])
    return DenseBatching(size, tuple(model.input_shape[1:3]), (kind,), None, workers)


def of_model(
    model: keras.Model, source: core.LabelledSource, batching: DenseBatching
) -> PictureCounts:
    """Confusion matrices of a network's most probable classes."""

    def maps() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _, truth, output in training.predictions(model, source, batching):
            yield from zip(truth[..., 0], output.argmax(axis=-1), strict=True)

    return measures.count(maps(), model.output_shape[-1], _identifiers(source))


def fit_baselines(
    source: core.LabelledSource, batching: DenseBatching
) -> Mapping[str, baselines.Baseline]:
    """The baselines as they learn from a training source."""
    return baselines.fit(
        _pictures_and_ids(source, batching), batching.image_size, int(batching.maps[0].fill)
    )


def of_baseline(
    baseline: baselines.Baseline, source: core.LabelledSource, batching: DenseBatching
) -> PictureCounts:
    """Confusion matrices of what a baseline says."""

    def maps() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for pictures, truth in _pictures_and_ids(source, batching):
            yield from zip(truth, baseline(pictures), strict=True)

    return measures.count(maps(), int(batching.maps[0].fill), _identifiers(source))


def _pictures_and_ids(
    source: core.LabelledSource, batching: DenseBatching
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for pictures, targets in dense_batches.evaluation_batches(source, batching).as_numpy_iterator():
        yield pictures, targets[..., 0]


def _identifiers(source: core.LabelledSource) -> tuple[str, ...]:
    return tuple(source.identifier(index) for index in range(len(source)))
