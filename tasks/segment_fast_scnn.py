"""Name the class of every pixel of a street: Fast-SCNN, small enough to learn without a GPU.

Paper: R. P. K. Poudel, S. Liwicki, R. Cipolla, "Fast-SCNN: Fast Semantic Segmentation Network",
BMVC 2019 (arXiv 1902.04502).
Data: drawn streets (no download); CamVid in the eleven classes of SegNet, 480 x 360 pixels;
Cityscapes.
Expected: an earlier report with this network has a mean IoU of 0.549 on CamVid's validation frames
and 0.398 on its test frames. `--preset camvid` has 0.658 on validation, and 0.585 on the first
tenth of each training drive, which is held out.
Command: `python -m tasks.segment_fast_scnn --preset camvid --data-dir CamVid`, see `--help`.

Two thirds of a street are road, buildings and sky, and a network that names nothing else has a high
pixel accuracy. Mean IoU counts every class alike, so rare classes have to count in the loss as
well: by weights, which a class gets for being rare in the training frames, and by the soft Dice
loss, which like IoU compares what is found with what is there, class by class. Weights alone make
a network call too much a pole; the Dice loss charges it for that.

All validation frames of CamVid are of one drive, which training frames show as well. What is chosen
by them may be right for that drive only. A copy without test frames is therefore tested on the
first frames of every training drive, and `--held-out` keeps whole drives away from training.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_task
from tasks.common.config import Schedule
from tasks.common.data_choice import check_data_dir, check_drawn_count, check_drawn_size
from tasks.common.dense.config import DenseConfig, check_dense
from tasks.common.errors import UserError
from tasks.common.option_checks import refuse, require_at_least, require_shares
from tasks.common.task import Batches, Run, Stage, Task

if TYPE_CHECKING:
    import keras

    from datasets.class_masks import ClassMaskInfo
    from datasets.core import Splits


@dataclasses.dataclass(frozen=True)
class SegmentFastScnnConfig(DenseConfig):
    """Name the class of every pixel of a street: Fast-SCNN, small enough to learn without a GPU.

    With no option at all it draws its own streets and takes a few minutes. Presets: `quick`;
    `camvid`, 367 frames in under two hours on two cores; `seed`, the recipe of the earlier report;
    `paper`, Cityscapes as the paper trains it. All but the first want --data-dir.
    """

    data: Literal["rendered", "camvid", "cityscapes"] = "rendered"
    """Drawn streets, or a copy of CamVid or Cityscapes."""
    image_size: tuple[int, int] = (128, 160)
    """Height and width of the pictures the network sees, in pixels; others are stretched to it."""
    rendered_count: tuple[int, int, int] = (700, 100, 150)
    """Drawn streets for training, validation and test."""
    validation_fraction: float = 0.1
    """Share of Cityscapes' training cities kept for validation; CamVid has its own frames."""
    test_fraction: float = 0.1
    """Share of the training frames, the first of each sequence, that are the test split where a
    copy of CamVid has no test frames."""
    held_out: tuple[str, ...] = ()
    """Sequences of CamVid's training frames that are the test split instead, such as 0006R0."""

    batch_size: int | Literal["auto"] = 8
    """Examples a step; `auto` starts at 128 and halves while the memory does not suffice."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    """`sgd` has momentum 0.9 (Nesterov)."""
    schedule: Schedule = "one_cycle"
    """How the learning rate moves within a stage."""
    weight_decay: float = 0.02
    """Decoupled weight decay per step, times the learning rate (Loshchilov & Hutter 2019)."""
    clip_norm: float | None = 1.0
    """Each gradient is scaled down to this L2 norm."""
    learning_rate: float = 3e-3
    """At its highest."""
    epochs: int = 16
    """Passes through the training pictures."""
    dropout: float = 0.1
    """Share of the features dropped before the last layer while training."""
    augment: tuple[Literal["flip", "zoom", "turn", "colour", "erase"], ...] = (
        "flip",
        "zoom",
        "colour",
    )
    """Random changes of each training picture and its maps together; `--augment` alone for none."""
    zoom: tuple[float, float] = (0.75, 1.75)
    """Smallest and largest factor by which `zoom` changes the size of what is seen."""

    class_weights: Literal["none", "enet", "median_frequency"] = "enet"
    """How pixels of rare classes count more, by their share in training: 1 / ln(c + share), or the
    median of the shares / share."""
    enet_constant: float = 1.1
    """The c of `enet`: 1.02 in its paper makes a pole count 10 times as much as a road, 1.1 makes
    it 3 times; beside the Dice loss, which balances classes by itself, less is needed."""
    cross_entropy: float = 1.0
    """Factor of the cross-entropy in the loss."""
    focal: float = 0.0
    """Factor of the focal loss."""
    dice: float = 1.0
    """Factor of the soft Dice loss."""
    focus: float = 2.0
    """Exponent of the focal loss: how little pixels count that are nearly right."""


_CAMVID = SegmentFastScnnConfig(data="camvid", image_size=(360, 480))

PRESETS = {
    "quick": SegmentFastScnnConfig(),
    # Enlarged by half, since poles and signs are a few pixels wide and the network looks at an
    # eighth of the size; zoom and colour, since there are few frames; averaged weights, since the
    # IoU of single epochs jumps by five points.
    "camvid": dataclasses.replace(
        _CAMVID, preset="camvid", image_size=(540, 720), epochs=80, ema_momentum=0.995
    ),
    # The earlier student report that this task grew from, as far as it is known: class weights,
    # AdamW, one cycle, clipping, early stopping on mean IoU.
    "seed": dataclasses.replace(
        _CAMVID,
        preset="seed",
        learning_rate=1e-3,
        epochs=100,
        patience=15,
        augment=("flip", "colour"),
        enet_constant=1.02,
        dice=0.0,
    ),
    # Section 4.1 of the paper, whose 1,000 epochs on 2,975 pictures want a GPU. Of its recipe the
    # auxiliary losses are left out, and weight decay is decoupled, of all weights: each step, times
    # the learning rate, where the paper adds an L2 loss.
    "paper": SegmentFastScnnConfig(
        preset="paper",
        data="cityscapes",
        image_size=(1024, 2048),
        batch_size=12,
        optimizer="sgd",
        schedule="polynomial",
        learning_rate=0.045,
        weight_decay=4e-5,
        clip_norm=None,
        epochs=1000,
        dropout=0.3,
        zoom=(0.5, 2.0),
        class_weights="none",
        dice=0.0,
    ),
}


def check(config: SegmentFastScnnConfig) -> SegmentFastScnnConfig:
    """The options as they are; what does not fit is found before any work."""
    check_dense(config)
    check_data_dir(config, "the folder of the frames")
    if config.data == "rendered":
        check_drawn_size(config, datasets.rendered.street.source, "streets")
        check_drawn_count(config)
    if config.held_out and config.data != "camvid":
        raise UserError("--held-out names sequences of CamVid: add --data camvid.")
    _check_loss(config)
    require_at_least(config, ("epochs",), 1)
    require_shares(config, ("dropout",))
    if not config.learning_rate > 0:
        refuse("learning_rate", "above 0", config.learning_rate)
    return config


def _check_loss(config: SegmentFastScnnConfig) -> None:
    parts = ("cross_entropy", "focal", "dice")
    require_at_least(config, (*parts, "focus"), 0)
    require_at_least(config, ("enet_constant",), 1)
    if not any(getattr(config, part) for part in parts):
        raise UserError("One of --cross-entropy, --focal and --dice must be above 0.")


def load_data(config: SegmentFastScnnConfig) -> Splits:
    """Pictures with masks in three splits, each looked at, and how common each class is."""
    if config.data == "rendered":
        splits = datasets.street_masks.load(*config.rendered_count, config.image_size, config.seed)
    elif config.data == "cityscapes":
        splits = datasets.cityscapes.load(config.data_dir, config.validation_fraction, config.seed)
    else:
        splits = datasets.camvid.load(config.data_dir, config.held_out, config.test_fraction)
    splits = common.sound_pictures.checked(splits, config)
    count = len(splits.info.class_names)
    shares = datasets.class_masks.class_shares(splits.train, count)
    for name in ("validation", "test"):
        datasets.class_masks.require_some_class(getattr(splits, name), count, name)
    return dataclasses.replace(splits, info=dataclasses.replace(splits.info, class_shares=shares))


def build_model(config: SegmentFastScnnConfig, info: ClassMaskInfo) -> keras.Model:
    """The network, from random weights."""
    return keras_models.fast_scnn.build_fast_scnn(
        tuple(config.image_size),
        info.class_names,
        info.class_colours,
        info.class_shares,
        config.dropout,
    )


def make_batches(config: SegmentFastScnnConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and class ids."""
    maps = (datasets.class_masks.mask_kind(len(splits.info.class_names)),)
    return common.dense.training.make_batches(config, splits, batch_size, maps)


def stages(config: SegmentFastScnnConfig, model: keras.Model) -> list[Stage]:
    """Everything at once."""
    return [Stage("all", config.epochs, config.learning_rate)]


def compile_model(
    config: SegmentFastScnnConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss with the weights of the classes, and mean IoU."""
    shares = keras_models.fast_scnn.share_layer(model).shares
    weights = common.segmentation.class_weights.class_weights(
        shares, config.class_weights, config.enet_constant
    )
    everything = keras_models.transfer.ParameterGroup("all", tuple(model.trainable_variables))
    model.compile(
        optimizer=common.optimizers.build_optimizer(config, stage, (everything,), steps_per_epoch),
        loss=keras_models.losses.segmentation.SegmentationLoss(
            config.cross_entropy, config.focal, config.dice, weights, config.focus
        ),
        metrics=[keras_models.metrics.segmentation.MeanIoU(len(shares))],
        jit_compile=config.xla,
    )


def watch(config: SegmentFastScnnConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard: augmented pictures; input, truth, prediction and error."""
    maps = (datasets.class_masks.mask_kind(len(splits.info.class_names)),)
    draw = common.segmentation.drawing.draw(splits.info.class_colours)
    return common.dense.training.watch(config, splits, model, epoch, maps, draw)


def report(run: Run) -> None:
    """Test once, beside baselines, and write the report."""
    common.segmentation.report.report(TASK, run)


TASK = Task(
    name="segment_fast_scnn",
    summary="name the class of every pixel of a street with Fast-SCNN",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=watch,
    report=report,
    verbs=lambda: common.segmentation.verbs.VERBS,
    monitor="val_mean_iou",
    mode="max",
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
