"""Learn the depth of every pixel from single pictures: an encoder, skips and a plain decoder.

Paper: I. Alhashim, P. Wonka, "High Quality Monocular Depth Estimation via Transfer Learning", arXiv
1812.11941, 2018: DenseNet169 from ImageNet, bilinear up-sampling, a loss of three terms.
Data: drawn streets with exact depth (no download); pairs of picture and depth in two folders, as
copies of NYU Depth V2 have them.
Expected: published on all of NYU Depth V2 (50,000 pictures to train): delta < 1.25 of 0.846, AbsRel
0.123, RMSE 0.465 m. Measured with `--preset nyu`, a MobileNetV2 and 315 pictures to train: 0.697,
0.221, 0.690 m on 90, where the mean depth map has 0.398; 43 minutes of one core beside other work.
Command: `python -m tasks.depth_dense`, see `--help`.

One picture does not say how large its world is; the network learns what rooms, or streets, tend to
look like. A wall twice as far that is twice as large gives the same picture: so errors are measured
as ratios, and the logarithm of depth (`--quantity log`) makes every per cent count alike, near and
far. The paper learns inverse depth, in which what is near counts most.

Three terms, because each sees what the others do not: L1 the level, the image gradients the edges,
SSIM the shapes. Pixels whose depth is unknown, such as the sky, have no part in any of them, nor in
the metrics.

The earlier report's rounding accuracy compares depth that was scaled to [0, 1] and rounded: to 0 or
1. It tells the farther half of the range from the nearer one, and where most of a room lies within
5 of 10 m, a constant scores 93 %. The report here says what constants score, and shows finer steps.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_task
from tasks.common.data_choice import (
    check_data_dir,
    check_drawn_count,
    check_drawn_size,
    check_metres_per_unit,
)
from tasks.common.depth.config import DepthConfig, check_depth
from tasks.common.errors import UserError
from tasks.common.option_checks import refuse
from tasks.common.task import Batches, Run, Stage, Task

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, LabelledSource, Splits


@dataclasses.dataclass(frozen=True)
class DepthDenseConfig(DepthConfig):
    """Learn the depth of every pixel from single pictures.

    With no option at all it draws streets and takes a few minutes. Presets: `quick`; `seed`, the
    earlier report: the paper's network for three epochs; `paper`, the paper's network and training;
    `nyu`, a MobileNetV2 for a few hundred pictures of rooms on a CPU. All but the first want
    --data-dir.
    """

    data: Literal["rendered", "nyu"] = "rendered"
    """Drawn streets, or folders `rgb` and `depth` with pairs of files of one name."""
    rendered_count: tuple[int, int, int] = (1200, 120, 120)
    """Drawn streets for training, validation and test."""
    metres_per_unit: float | None = None
    """Metres of one unit of the stored depth; when not given, 10 / 255 for files of 8 bits and
    0.001 for files of 16 bits."""
    batch_size: int | Literal["auto"] = 16
    """Examples a step; `auto` starts at 128 and halves while the memory does not suffice."""


_SPLITS = ("train", "validation", "test")

_PAPER = DepthDenseConfig(
    data="nyu",
    image_size=(480, 640),
    backbone="DenseNet169",
    weights="imagenet",
    quantity="inverse",
    depth_range=(0.1, 10.0),
    term_weights=(0.1, 1.0, 1.0),
    batch_size=8,
    schedule="constant",
    augment=("flip", "channels"),
    head_epochs=0,
    full_epochs=20,
    full_learning_rate=1e-4,
    depth_factor=1.0,
)

PRESETS = {
    "quick": DepthDenseConfig(),
    # The earlier student report: three epochs of the paper's recipe.
    "seed": dataclasses.replace(_PAPER, preset="seed", full_epochs=3),
    # Sections 3 and 4.2: Adam 1e-4, batch 8, 20 epochs of 50,000 pictures: 125,000 steps.
    "paper": dataclasses.replace(_PAPER, preset="paper"),
    # A few hundred pictures of rooms, one core: a light encoder, ratios, and all that keeps a
    # network from learning the pictures by heart.
    "nyu": DepthDenseConfig(
        preset="nyu",
        data="nyu",
        image_size=(240, 320),
        backbone="MobileNetV2",
        decoder_filters=128,
        dropout=0.3,
        depth_range=(0.5, 10.0),
        validation_fraction=0.1,
        augment=("flip", "zoom", "turn", "colour", "channels", "erase"),
        zoom=(1.0, 1.4),
        turn=0.05,
        batch_size=4,
        ema_momentum=0.995,
        head_epochs=0,
        full_epochs=40,
        full_learning_rate=2e-4,
        depth_factor=0.7,
    ),
}


def check(config: DepthDenseConfig) -> DepthDenseConfig:
    """The options with `--weights auto` settled; what does not fit is found before any work."""
    check_depth(config)
    check_data_dir(config)
    if config.data == "rendered":
        check_drawn_size(config, datasets.rendered.street.source, "streets")
        check_drawn_count(config)
    _check_network(config)
    check_metres_per_unit(config)
    weights = common.pretrained.choose_existing_weights(
        config.weights, config.backbone, config.image_size
    )
    return dataclasses.replace(config, weights=weights)


def _check_network(config: DepthDenseConfig) -> None:
    common.staged_recipe.check_recipe(config)
    common.staged_recipe.check_tail_stages(config)
    common.staged_recipe.check_image_size(config)
    least = keras_models.dense_depth.least_decoder_filters(config.backbone)
    if config.decoder_filters is not None and config.decoder_filters < least:
        allowed = f"at least {least}, which is halved at each step up, for {config.backbone}"
        refuse("decoder_filters", allowed, config.decoder_filters)


def load_data(config: DepthDenseConfig) -> Splits:
    """Pictures with depth in three splits, each looked at, depth between the two bounds."""
    if config.data == "rendered":
        splits = datasets.rendered.street.source.load(
            *config.rendered_count, config.image_size, config.seed
        )
    else:
        splits = datasets.nyu_depth.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            config.metres_per_unit,
        )
    bounds = config.depth_range
    splits = datasets.core.view_splits(
        splits, lambda source: datasets.depth_range.depth_within(source, *bounds)
    )
    splits = common.sound_pictures.checked(splits, config)
    for name in _SPLITS:
        _require_known_depth(getattr(splits, name), name, config)
    return splits


def _require_known_depth(source: LabelledSource, name: str, config: DepthDenseConfig) -> None:
    """Refuses a range of depth in which nothing of a split lies."""
    if not any((source.example(index)["depth"] > 0).any() for index in range(len(source))):
        allowed = f"metres between which something in the {name} pictures lies"
        refuse("depth_range", allowed, config.depth_range)


def build_model(config: DepthDenseConfig, info: DatasetInfo) -> keras.Model:
    """The network; pretrained BatchNormalization keeps its statistics."""
    weights = None if config.weights == "none" else config.weights
    try:
        return keras_models.dense_depth.build_dense_depth(
            config.backbone,
            config.image_size,
            weights,
            config.decoder_filters,
            config.quantity,
            config.depth_range,
            config.dropout,
            batch_norm_inference=weights is not None,
        )
    except ValueError as error:
        raise UserError(str(error)) from None


def make_batches(config: DepthDenseConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and depth."""
    return common.depth.training.make_batches(config, splits, batch_size)


def stages(config: DepthDenseConfig, model: keras.Model) -> list[Stage]:
    """Decoder, then last stages, then everything; from scratch everything at once."""
    head = Stage("head", config.head_epochs, config.head_learning_rate, 1.0, 0)
    return common.staged_recipe.recipe(config, head)


def compile_model(
    config: DepthDenseConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics of one stage."""
    common.depth.training.compile_model(config, model, stage, steps_per_epoch)


def watch(config: DepthDenseConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard: input, truth, prediction and error."""
    return common.depth.training.watch(config, splits, model, epoch)


def report(run: Run) -> None:
    """Test once, beside baselines, and write the report."""
    common.depth.report.report(TASK, run)


TASK = Task(
    name="depth_dense",
    summary="depth of every pixel of a picture, learnt from pictures with depth",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=watch,
    report=report,
    verbs=lambda: common.depth.verbs.VERBS,
    monitor="val_delta1",
    mode="max",
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
