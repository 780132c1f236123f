"""A network's depth of a split, beside predictors that look at nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from datasets import core, dense_batches
from datasets.dense_batches import DenseBatching
from keras_models import depth_quantity
from tasks.common.dense import training
from tasks.common.dense.report import THIS_MODEL
from tasks.common.depth import measures
from tasks.common.depth.baselines import DepthBaselines
from tasks.common.depth.measures import DepthScores
from tasks.common.depth.training import MAPS

MIRRORED = "mean with the mirrored picture"


def batching_of(
    model: keras.Model, batch_size: int, workers: int, whole: bool = False
) -> DenseBatching:
    """Pictures at the size of the model's input, with the depth of that place.

    Args:
        model: ends in a depth of half its input's size.
        batch_size: pictures at once.
        workers: threads that load.
        whole: depth at the pictures' size, which the network's output is enlarged to, instead of
            at the network's.
    """
    size = None if whole else tuple(model.output_shape[1:3])
    return DenseBatching(batch_size, tuple(model.input_shape[1:3]), MAPS, size, workers)


def truths(source: core.LabelledSource, batching: DenseBatching) -> Iterator[np.ndarray]:
    """The depth of a split, batch after batch, float32 (n, height, width, 1)."""
    for _, truth in dense_batches.evaluation_batches(source, batching):
        yield truth.numpy()


def scores(
    model: keras.Model,
    source: core.LabelledSource,
    batching: DenseBatching,
    rounding: float,
    baselines: DepthBaselines | None = None,
    mirrored: bool = False,
) -> dict[str, DepthScores]:
    """How the model does on a split, under `THIS_MODEL`, and the baselines under their names.

    Args:
        model: ends in a depth of half its input's size.
        source: the examples.
        batching: what `batching_of` made for the model.
        rounding: the step of the rounding accuracy, metres.
        baselines: None for the model alone.
        mirrored: also, under `MIRRORED`, the mean of the depth of each picture and that of its
            mirror picture, turned back: twice the work for a steadier answer, by which Alhashim and
            Wonka 2018 test (section 4).
    """
    maximum = depth_quantity.depth_layer(model).maximum

    def compared() -> Iterator[tuple[np.ndarray, Mapping[str, np.ndarray]]]:
        for pictures, truth, output in training.predictions(model, source, batching):
            size = truth.shape[1:3]
            predicted = {THIS_MODEL: enlarged(output, size)}
            if mirrored:
                other = model.predict_on_batch(pictures[:, :, ::-1])[:, :, ::-1]
                predicted[MIRRORED] = enlarged((output + other) / 2, size)
            if baselines is not None:
                predicted |= baselines.predictions(len(truth))
            yield truth, predicted

    steps = measures.steps_of(rounding, maximum)
    return measures.score(compared(), steps, measures.range_edges(maximum))


def enlarged(output: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Depth (n, h, w, 1) at another size, bilinear, as the paper enlarges its half-size maps."""
    if output.shape[1:3] == tuple(size):
        return output
    resized = keras.ops.image.resize(
        output, size, interpolation="bilinear", data_format="channels_last"
    )
    return keras.ops.convert_to_numpy(resized)
