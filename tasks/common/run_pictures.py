"""The pictures of a run, in the form its model takes them."""

from __future__ import annotations

import numpy as np

from datasets import core, pipeline
from tasks.common.saved_run import SavedRun


def batching_of(saved: SavedRun, batch_size: int) -> pipeline.Batching:
    """How examples become batches of the size and shape that the run's model takes."""
    return pipeline.Batching(
        batch_size=batch_size,
        image_size=tuple(saved.model.input_shape[1:3]),
        class_count=saved.model.output_shape[-1],
        resizing=saved.config.resizing,
        workers=saved.config.workers,
    )


def picture_sample(saved: SavedRun, source: core.LabelledSource, count: int) -> np.ndarray:
    """At most `count` pictures of a source, each class in its share, resized for the model.

    Returns:
        uint8, shape (n, height, width, 3), RGB, range [0, 255].
    """
    chosen = core.limit(source, count, saved.config.seed)
    batches = pipeline.evaluation_batches(chosen, batching_of(saved, 32))
    return np.concatenate([images.numpy() for images, _ in batches])
