"""Find the landmarks of a face: a network regresses where each point lies.

Paper: S. Milborrow, J. Morkel, F. Nicolls, "The MUCT Landmarked Face Database", PRASA 2010, for the
data; the network is that of an earlier student report: ResNet50, average pooling, a sigmoid layer,
and a Euclidean loss that leaves missing points out.
Data: drawn faces with 76 points (no download); MUCT (276 persons, 3,755 pictures, 76 points); any
table of points with its pictures, such as faces with the 68 points of iBUG 300-W.
Expected: on 68-point faces the earlier report's own convolutional network has a normalised mean
error (inter-ocular) of 0.097; `--preset faces68` has 0.065 on 120 of 600 photographs, held out by
person. On the drawn faces 0.05, where the mean face has 0.30.
Command: `python -m tasks.landmarks`, see `--help`.

A point that is covered is marked (0, 0) in MUCT. No loss here counts it: a plain one would teach
the network that covered eyes lie in the corner of the picture. A flip of a face makes its left eye
the right one, so mirrored points change their numbers in pairs; a network that is flipped without
it learns to put both eyes into the middle. And a network that averages its last maps over all
places (`--head pooled`, the earlier report) has to tell where from what; `flattened` may look.

Nothing is computed once here, unlike in `cars_finetune`: turning, scaling and shifting a face moves
its points, so that stored features of a few views would hold a few places of each face, and just
the variety of places is what a regression learns from.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_task
from tasks.common.data_choice import check_data_dir, check_drawn_count, check_drawn_size
from tasks.common.errors import UserError
from tasks.common.landmarks.config import LandmarkConfig, check_landmarks
from tasks.common.option_checks import refuse
from tasks.common.task import Batches, Run, Stage, Task

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits


@dataclasses.dataclass(frozen=True)
class LandmarksConfig(LandmarkConfig):
    """Find the landmarks of a face: a network regresses where each point lies.

    With no option at all it draws its own faces and takes a few minutes. Presets: `quick`; `seed`
    and `paper`, a pooled ResNet50 with the masked Euclidean loss, as the earlier report has it,
    on MUCT from random and from ImageNet weights; `faces68`, for a few hundred 68-point faces.
    All but the first want --data-dir.
    """

    data: Literal["rendered", "muct", "csv"] = "rendered"
    """Drawn faces, a copy of MUCT, or any table of points with its pictures."""
    data_dir: Path | None = None
    """Folder of the pictures and the table, or the table itself; `muct` and `csv` need it."""
    rendered_count: tuple[int, int, int] = (3000, 300, 400)
    """Drawn pictures for training, validation and test."""

    backbone: str = "SmallResNet"
    """Any network of `keras.applications`, or SmallResNet, which learns from random weights."""
    weights: str = "auto"
    """`imagenet`, `none` (from scratch), a weight file, or `auto`: ImageNet if it can be had."""
    omitted_stages: int = 0
    """Stages of the backbone left out at its end; each doubles the maps that the head sees."""

    head_epochs: int = 3
    """First stage: the new head on the frozen backbone."""
    head_learning_rate: float = 1e-3
    """Of the head in the first stage, at its highest."""
    tail_epochs: int = 0
    """Second stage: the head and the last stages of the backbone; 0 leaves it out."""
    tail_learning_rate: float = 1e-3
    """Of the head in the second stage, at its highest."""
    tail_stages: int = 2
    """How many of the backbone's stages the second stage trains, counted from its output."""
    full_epochs: int = 15
    """Third stage: everything; 0 leaves it out."""
    full_learning_rate: float = 1e-3
    """Of the head in the third stage, at its highest."""
    depth_factor: float = 0.8
    """Each stage of the backbone learns at this multiple of the one nearer the output."""
    scratch_epochs: int = 25
    """Epochs in which everything trains from random weights, instead of the three stages."""
    scratch_learning_rate: float = 2e-3
    """At its highest, when everything trains from random weights."""


_REPORT = LandmarksConfig(
    data="muct",
    image_size=(224, 224),
    backbone="ResNet50",
    head="pooled",
    dropout=0.0,
    augment=("flip",),
)

PRESETS = {
    "quick": LandmarksConfig(),
    # The earlier student report that this task grew from: ResNet50, average pooling, sigmoid.
    "seed": dataclasses.replace(_REPORT, preset="seed", weights="none", scratch_epochs=50),
    # The same from ImageNet weights, in stages and with faces turned and moved. MUCT's own paper
    # fits active shape models, which are no networks.
    "paper": dataclasses.replace(
        _REPORT,
        preset="paper",
        weights="imagenet",
        augment=("flip", "affine", "colour"),
        tail_epochs=10,
        full_epochs=50,
    ),
    # Few photographs: small batches, for many steps in an epoch, and many epochs of changed ones;
    # chosen by validation beside 390 training faces: 0.058 at 140 epochs, 0.066 at 66, 0.071 at 96
    # pixels and half the rate.
    "faces68": LandmarksConfig(
        preset="faces68",
        data="csv",
        image_size=(128, 128),
        backbone="MobileNetV2",
        omitted_stages=1,
        batch_size=16,
        clip_norm=1.0,
        head_epochs=4,
        full_epochs=140,
        full_learning_rate=2e-3,
    ),
}


def check(config: LandmarksConfig) -> LandmarksConfig:
    """The options with `--weights auto` settled; what does not fit is found before any work."""
    check_landmarks(config)
    check_data_dir(config)
    if config.data == "rendered":
        check_drawn_size(config, datasets.rendered.faces, "faces")
        check_drawn_count(config)
    _check_recipe(config)
    weights = common.pretrained.choose_existing_weights(
        config.weights, config.backbone, config.image_size
    )
    return dataclasses.replace(config, weights=weights)


def _check_recipe(config: LandmarksConfig) -> None:
    common.staged_recipe.check_recipe(config)
    count = common.staged_recipe.count_stages(config.backbone)
    if not 0 <= config.omitted_stages < count:
        most = f"from 0 to {count - 1} for {config.backbone}"
        refuse("omitted_stages", most, config.omitted_stages)
    common.staged_recipe.check_tail_stages(config, config.omitted_stages)
    common.staged_recipe.check_image_size(config)


def load_data(config: LandmarksConfig) -> Splits:
    """The pictures with their points in three splits, each looked at."""
    if config.data == "rendered":
        splits = datasets.rendered.faces.load(
            *config.rendered_count, config.image_size, config.seed
        )
    else:
        splits = datasets.landmark_files.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            config.person_pattern,
            config.skip_bad_images,
        )
    _check_points(config, splits.info)
    return common.sound_pictures.checked(splits, config)


def _check_points(config: LandmarksConfig, info: DatasetInfo) -> None:
    count = len(info.scheme.point_names)
    if config.data == "muct" and count != len(datasets.landmark_schemes.MUCT76.point_names):
        raise UserError(f"--data muct needs 76 points, received {count} in {info.origin}.")
    if "flip" in config.augment and info.scheme.mirror is None:
        raise UserError(
            f"--augment flip needs to know which of {count} points are left and right partners, "
            "which is known of 68 and 76 points: choose --augment affine colour."
        )


def build_model(config: LandmarksConfig, info: DatasetInfo) -> keras.Model:
    """The network; pretrained BatchNormalization keeps its statistics."""
    weights = None if config.weights == "none" else config.weights
    try:
        return keras_models.landmark_regressor.build_landmark_regressor(
            config.backbone,
            config.image_size,
            info.scheme.point_names,
            info.scheme.mirror,
            weights,
            config.head,
            config.dropout,
            config.omitted_stages,
            batch_norm_inference=weights is not None,
        )
    except ValueError as error:
        raise UserError(str(error)) from None


def make_batches(config: LandmarksConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and points."""
    return common.landmarks.training.make_batches(config, splits, batch_size)


def stages(config: LandmarksConfig, model: keras.Model) -> list[Stage]:
    """Head, then last stages, then everything; from scratch everything at once."""
    head = Stage("head", config.head_epochs, config.head_learning_rate, 1.0, 0)
    return common.staged_recipe.recipe(config, head)


def compile_model(
    config: LandmarksConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metric of one stage."""
    common.landmarks.training.compile_model(config, model, stage, steps_per_epoch)


def watch(config: LandmarksConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard: augmented faces with their points, and predictions."""
    return common.landmarks.training.watch(config, splits, model, epoch)


def report(run: Run) -> None:
    """Test once, beside baselines, and write the report."""
    common.landmarks.report.report(TASK, run)


TASK = Task(
    name="landmarks",
    summary="find the points of a face, some of them missing, on pictures",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=watch,
    report=report,
    verbs=lambda: common.landmarks.verbs.VERBS,
    monitor="val_normalised_mean_error",
    mode="min",
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
