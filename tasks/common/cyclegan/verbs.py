"""How `tasks.evaluate`, `tasks.predict` and `tasks.export` treat runs of CycleGAN."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from datasets import core, nyu_depth
from datasets.depth_range import DEPTH
from keras_models import cyclegan
from tasks.common import sound_pictures
from tasks.common.cyclegan import measures, panels, training
from tasks.common.cyclegan.networks import load_companion
from tasks.common.cyclegan.report import with_interval
from tasks.common.cyclegan.trainer import METRIC
from tasks.common.dense.kind import DenseKind
from tasks.common.dense.training import batching_of
from tasks.common.dense.verbs import dense_verbs
from tasks.common.depth import verbs as depth_verbs
from tasks.common.saved_run import SavedRun


def measure(saved: SavedRun, source: core.LabelledSource, batch_size: int) -> dict[str, float]:
    """The report's numbers on every example of a source."""
    found = measures.of_model(saved.model, source, batching_of(saved.config, batch_size, (DEPTH,)))
    return with_interval(found)


def outside_examples(
    saved: SavedRun, place: Path, split: str, skip_bad: bool
) -> core.LabelledSource:
    """All pairs of a folder with `rgb` and `depth`; such a place has no splits of its own.

    Raises:
        DataError: the folder holds no such pairs, or a picture cannot be read and `skip_bad` is
            false.
    """
    source = nyu_depth.read_pairs(place, saved.config.metres_per_unit)
    return sound_pictures.sound(source, skip_bad, saved.config.workers)


def paint(model: keras.Model, output: np.ndarray) -> np.ndarray:
    """Depth in colours on the model's scale: near is light, far is dark."""
    return panels.paint_depth(output, panels.scale_of(model))


def grey_depth_to_picture(saved: SavedRun) -> keras.Model:
    """The other generator for exports, which take pictures: of a depth map in grey.

    Raises:
        UserError: its file is missing or damaged.
    """
    to_picture = load_companion(saved.folder, "depth_to_picture")
    return cyclegan.build_grey_depth_to_picture(to_picture.get_layer(training.PICTURE_GENERATOR))


KIND = DenseKind(
    measure=measure,
    outside_examples=outside_examples,
    paint=paint,
    describe=depth_verbs.describe,
    metric=METRIC,
    output="maps",
    point_cloud=depth_verbs.cloud,
    networks={"depth_to_picture": grey_depth_to_picture},
)

VERBS = dense_verbs(KIND)
