"""What every task for dense prediction does: batches, what to watch, predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from datasets import core, dense_augment, dense_batches, pipeline
from datasets.dense_batches import DenseBatching
from datasets.dense_maps import MapKind
from tasks.common.dense import panels
from tasks.common.dense.config import DenseConfig
from tasks.common.task import Batches

_SHOWN = 4
_EXAMPLES = 8

Draw = Callable[[np.ndarray, np.ndarray, np.ndarray], Sequence[np.ndarray]]
"""(picture uint8 (height, width, 3), truth float32 (target height, target width, maps), output
float32 (target height, target width, channels)) -> pictures of one size, uint8, to be shown side
by side: usually input, truth, prediction and error."""


def batching_of(
    config: DenseConfig,
    size: int,
    maps: Sequence[MapKind],
    target_size: tuple[int, int] | None = None,
) -> DenseBatching:
    """How this configuration turns examples into batches of `size`."""
    return DenseBatching(size, tuple(config.image_size), tuple(maps), target_size, config.workers)


def make_batches(
    config: DenseConfig,
    splits: core.Splits,
    size: int,
    maps: Sequence[MapKind],
    target_size: tuple[int, int] | None = None,
) -> Batches:
    """Augmented training batches and plain validation batches.

    Args:
        config: with sizes and augmentation.
        splits: the examples.
        size: examples a batch.
        maps: which maps of an example make the target.
        target_size: height and width of the target; None is those of the pictures.
    """
    batching = batching_of(config, size, maps, target_size)
    change = dense_augment.paired_changes(
        config.augment, batching.image_size, maps, config.zoom, config.turn
    )

    def train(epochs: range, first_step: int) -> tf.data.Dataset:
        return dense_batches.training_batches(
            splits.train, batching, config.seed, epochs, first_step, change
        )

    return Batches(
        train=train,
        validation=dense_batches.evaluation_batches(splits.validation, batching),
        steps_per_epoch=pipeline.steps_per_epoch(splits.train, size),
    )


def watch(
    config: DenseConfig,
    splits: core.Splits,
    model: keras.Model,
    epoch: int,
    maps: Sequence[MapKind],
    draw: Draw,
    headings: Sequence[str] = ("input", "truth", "prediction", "error"),
    target_size: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """The pictures that TensorBoard shows of the stage that starts at `epoch`.

    Args:
        config: of the run.
        splits: its examples.
        model: the network that trains.
        epoch: the first of the stage.
        maps: which maps of an example make the target.
        draw: see `Draw`.
        headings: one per panel that `draw` gives.
        target_size: height and width of the target; None is those of the pictures.

    Returns:
        Arguments of `callbacks.standard.Monitoring`.
    """
    batches = make_batches(config, splits, _EXAMPLES, maps, target_size)
    images, _ = next(iter(batches.train(range(epoch, epoch + 1), 0)))
    chosen = np.unique(np.linspace(0, len(splits.validation) - 1, _SHOWN).astype(int))
    batching = batching_of(config, len(chosen), maps, target_size)
    shown = core.Subset(splits.validation, chosen)
    pictures, truth = next(iter(dense_batches.evaluation_batches(shown, batching)))

    def sheet(_: keras.Model) -> np.ndarray:
        outputs = keras.ops.convert_to_numpy(model(pictures, training=False))
        return panels.below(
            [
                panels.beside(draw(*one), headings if number == 0 else ())
                for number, one in enumerate(
                    zip(pictures.numpy(), truth.numpy(), outputs, strict=True)
                )
            ]
        )

    return {
        "example_batch": images.numpy(),
        "example_captions": None,
        "draw_predictions": sheet,
    }


def predictions(
    model: keras.Model, source: core.LabelledSource, batching: DenseBatching
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batch after batch of a source, in order: pictures, truth and what the model says.

    Yields:
        uint8 (n, height, width, 3); float32 (n, target height, target width, maps); float32
        (n, target height, target width, channels).
    """
    for images, targets in dense_batches.evaluation_batches(source, batching):
        yield images.numpy(), targets.numpy(), model.predict_on_batch(images)


def examples(
    model: keras.Model, source: core.LabelledSource, batching: DenseBatching, indices: Sequence[int]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Picture, truth and output of the examples at `indices`, in that order, each for itself."""
    chosen = core.Subset(source, np.asarray(indices, dtype=np.int64))
    batches = predictions(model, chosen, batching)
    return [one for batch in batches for one in zip(*batch, strict=True)]
