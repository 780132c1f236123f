"""Translate pictures into depth maps and back, learned without a single pair (CycleGAN).

Paper: J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks", ICCV 2017; five residual blocks and depth as the other kind
of picture are those of an earlier student report.
Data: drawn streets (no download); NYU Depth V2 or any folder with `rgb` and `depth`.
Expected: root mean squared error of depth on [0, 1]. On the drawn streets 0.123, where the mean
depth map has 0.143, a constant 0.330, a grey picture taken for depth 0.269 and the depth of another
scene 0.206. On 450 pictures of NYU Depth V2 at 64 x 64 (`--preset nyu`) 0.133, where the earlier
report has 0.3 and a grey picture 0.322; but the mean depth map has 0.117 and a constant 0.131:
without pairs, nothing there tells which depth belongs to which room.
Command: `python -m tasks.depth_cyclegan`, see `--help`.

Two generators make depth of pictures and pictures of depth; two discriminators judge whether what
is made looks real; and what was translated there and back has to be what it was. In each epoch
every picture and every depth map comes once, each kind in an order of its own, and no loss sees a
picture together with its depth; only validation, to choose the epoch, and test look at pairs. Depth
is seen on a scale of [0, 1], logarithmic for streets, where the sky stands at its far end.

The model of a run takes a picture and gives metres. The other three networks lie beside it, in
`networks/` of the run folder, as they were when it was at its best.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_task
from tasks.common.cyclegan.config import CycleGanConfig, check_cyclegan
from tasks.common.data_choice import check_drawn_size
from tasks.common.option_checks import refuse
from tasks.common.task import Batches, Run, Stage, Task, Training

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits

# As the copies of NYU Depth V2 are stored: 10 m is the end of the scale.
_NYU = CycleGanConfig(data="nyu", depth_scale="linear", largest_depth=10.0)
_FULL_SIZE = dataclasses.replace(
    _NYU, image_size=(256, 256), generator_width=64, discriminator_width=64
)

PRESETS = {
    "quick": CycleGanConfig(),
    # Few pictures of rooms, at a size and width that train on one core in less than half an hour.
    "nyu": dataclasses.replace(_NYU, preset="nyu", generator_width=16, epochs=30),
    # The earlier student report that this task grew from: five residual blocks, 20 epochs.
    "seed": dataclasses.replace(_FULL_SIZE, preset="seed", epochs=20, constant_share=0.0),
    # Section 7: nine residual blocks at 256 x 256, a hundred epochs and a hundred of decay.
    "paper": dataclasses.replace(_FULL_SIZE, preset="paper", residual_blocks=9, epochs=200),
}


def check(config: CycleGanConfig) -> CycleGanConfig:
    """What does not fit is found before any work."""
    check_cyclegan(config)
    multiple, least = keras_models.cyclegan.SIDE_MULTIPLE, keras_models.cyclegan.SMALLEST_SIDE
    if any(side % multiple or side < least for side in config.image_size):
        refuse("image_size", f"multiples of {multiple}, at least {least}", config.image_size)
    if config.data == "rendered":
        check_drawn_size(config, datasets.rendered.street.source, "streets")
    return config


def load_data(config: CycleGanConfig) -> Splits:
    """Pictures with their depth in three splits, each looked at; training tears the pairs apart."""
    if config.data == "rendered":
        streets = datasets.rendered.street.source.load(
            *config.rendered_count, tuple(config.image_size), config.seed
        )
        far = config.largest_depth
        splits = datasets.core.view_splits(
            streets, lambda source: datasets.depth_range.depth_with_sky(source, far)
        )
    else:
        splits = datasets.nyu_depth.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            config.metres_per_unit,
        )
    return common.sound_pictures.checked(splits, config)


def build_model(config: CycleGanConfig, info: DatasetInfo) -> keras.Model:
    """The model that is selected and saved: from a picture to depth in metres."""
    return common.cyclegan.training.build_picture_to_depth(config)


def make_batches(config: CycleGanConfig, splits: Splits, batch_size: int) -> Batches:
    """Pictures and depth maps in two orders for training, pairs for validation."""
    return common.cyclegan.training.make_batches(config, splits, batch_size)


def stages(config: CycleGanConfig, model: keras.Model) -> list[Stage]:
    """One: everything learns all the time."""
    return [Stage("adversarial", config.epochs, config.learning_rate)]


def compile_model(
    config: CycleGanConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Nothing: the model does not train alone, see `joint_training`."""


def joint_training(
    config: CycleGanConfig, model: keras.Model, stage: Stage, batches: Batches
) -> Training:
    """The model with the other generator and both discriminators, two optimizers for the four."""
    return common.cyclegan.training.joint_training(config, model, stage, batches)


def watch(config: CycleGanConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Panels for TensorBoard: input, truth, prediction, error, both cycles; the losses' names."""
    return common.cyclegan.training.watch(config, splits, epoch)


def report(run: Run) -> None:
    """Test once, beside baselines, and write the report."""
    common.cyclegan.report.report(TASK, run)


TASK = Task(
    name="depth_cyclegan",
    summary="translate pictures and depth maps into each other without pairs",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    joint_training=joint_training,
    watch=watch,
    report=report,
    verbs=lambda: common.cyclegan.verbs.VERBS,
    monitor="val_depth_rms",
    mode="min",
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
