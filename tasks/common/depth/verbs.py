"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs that learn depth."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from datasets import nyu_depth
from datasets.core import DataError, LabelledSource
from datasets.depth_range import depth_within
from tasks.common import sound_pictures
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.verbs import dense_verbs
from tasks.common.depth import drawing, evaluation, measures, point_cloud
from tasks.common.saved_run import SavedRun


def measure(saved: SavedRun, source: LabelledSource, batch_size: int) -> dict[str, float]:
    """The numbers of `measures.report_numbers` on every example of a source."""
    batching = evaluation.batching_of(saved.model, batch_size, saved.config.workers)
    found = evaluation.scores(saved.model, source, batching, saved.config.rounding)
    return measures.report_numbers(found[evaluation.THIS_MODEL])


def outside_examples(saved: SavedRun, place: Path, split: str, skip_bad: bool) -> LabelledSource:
    """All pairs of a folder with `rgb` and `depth`; such a place has no splits of its own.

    Raises:
        DataError: as `nyu_depth.read_pairs`, a pair cannot be read and `skip_bad` is false, or
            no depth lies between the bounds that the model learned.
    """
    config = saved.config
    pairs = nyu_depth.read_pairs(place, config.metres_per_unit)
    bounded = depth_within(pairs, *config.depth_range)
    source = sound_pictures.sound(bounded, skip_bad, config.workers)
    if not any((source.example(index)["depth"] > 0).any() for index in range(len(source))):
        low, high = config.depth_range
        raise DataError(
            f"{place} must hold depth from {low:g} to {high:g} m, which the run learned by its "
            "--depth-range, received none: name other pairs."
        )
    return source


def paint(model: keras.Model, output: np.ndarray) -> np.ndarray:
    """Depth in colours, from the nearest to the farthest of the picture."""
    depth = output[..., 0]
    return drawing.paint_depth(depth, *drawing.colour_range(depth))


def describe(model: keras.Model, output: np.ndarray) -> dict[str, float]:
    """Nearest, median and farthest depth of a picture, metres."""
    depth = output[..., 0]
    return {
        "nearest_m": round(float(depth.min()), 3),
        "median_m": round(float(np.median(depth)), 3),
        "farthest_m": round(float(depth.max()), 3),
    }


def cloud(
    model: keras.Model, picture: np.ndarray, output: np.ndarray, focal: float | None
) -> bytes:
    """A PLY file with a point for each pixel of the picture."""
    return point_cloud.encode(output[..., 0], picture, focal)


KIND = DenseKind(
    measure=measure,
    outside_examples=outside_examples,
    paint=paint,
    describe=describe,
    metric=measures.HEADLINE,
    output="maps",
    point_cloud=cloud,
)

VERBS = dense_verbs(KIND)
