"""Predict where people look at a picture: a map that is bright where eyes will rest.

Paper: J. Pan, K. McGuinness, E. Sayrol, N. O'Connor, X. Giro-i-Nieto, "Shallow and Deep
Convolutional Networks for Saliency Prediction", CVPR 2016, for the networks `deep` and `shallow`;
`encoder` reads out a network trained to classify, as M. Kuemmerer, T. Wallis, M. Bethge,
"DeepGaze II", 2016. Measures: Z. Bylinskii et al., "What Do Different Evaluation Metrics Tell Us
About Saliency Models?", IEEE TPAMI 2019.
Data: drawn streets with made-up observers (no download); any folder of pictures with a list of
fixations, `fixations.csv`: image, subject, x, y in pixels, latency_s.
Expected: on 76 of 380 photographs with twelve observers `--preset photographs` has an AUC-Judd of
0.860, an NSS of 1.90 and a CC of 0.746, where the centre bias has 0.802, 1.29 and 0.572. On drawn
streets 0.783, 1.195 and 0.718, where it has 0.768, 1.065 and 0.662. An earlier report with the deep
network has a mean squared error of 0.0384 on maps from 0 to 1, and no measure of the field.
Command: `python -m tasks.saliency`, see `--help`.

People look at the middle of a picture whatever it shows, so that the same blob for every picture
has an AUC-Judd that seems high. Every number stands beside that blob, fitted to the training
fixations, and beside how well one half of the observers predicts the other. The shuffled AUC alone
gives the middle no credit. No two measures rank models alike: CC selects, because of all of them it
is symmetric, needs no scale and treats what is missed and what is false alike (Bylinskii et al.,
section 6).
"""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import TYPE_CHECKING, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_task
from tasks.common.data_choice import check_data_dir, check_drawn_count, check_drawn_size
from tasks.common.dense.config import DenseConfig, check_dense
from tasks.common.errors import UserError
from tasks.common.option_checks import refuse, refuse_unused, require_at_least, require_shares
from tasks.common.task import Batches, Run, Stage, Task

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from datasets.fixation_maps import Blur


@dataclasses.dataclass(frozen=True)
class SaliencyConfig(DenseConfig):
    """Predict where people look at a picture: a map that is bright where eyes will rest.

    With no option at all it draws its own streets and takes a few minutes. Presets: `quick`;
    `photographs`, a pretrained encoder for a few hundred pictures; `seed`, the deep network with
    half of its paper's maps, as the earlier report has it; `paper`, with all of them; `shallow`,
    the small network of the same paper. All but the first want --data-dir.
    """

    data: Literal["rendered", "fixations"] = "rendered"
    """Drawn streets, or pictures with a list of fixations."""
    rendered_count: tuple[int, int, int] = (1400, 150, 200)
    """Drawn streets for training, validation and test."""
    blur_degrees: float = 1.0
    """Standard deviation of the Gaussian that makes a map of fixations, in degrees of visual angle:
    the sharp part of the eye sees about one (Le Meur & Baccino 2013)."""
    pixels_per_degree: float | None = None
    """Pixels of the stored pictures that are one degree; by default their longer side is taken for
    29.3 degrees, that of the pictures of MIT1003 and MIT300 (1024 pixels, 35 a degree)."""
    earliest_seconds: float = 0.1
    """Fixations that began sooner after the picture came up are left out: no eye movement answers a
    picture faster, so they are on what was there before, mostly a cross in the middle."""

    network: Literal["encoder", "deep", "shallow"] = "encoder"
    """A backbone read out at three depths with a learned centre bias, or a network of Pan et al."""
    backbone: str = "SmallResNet"
    """Of the encoder: any network of `keras.applications`, or SmallResNet, which learns from random
    weights."""
    weights: str = "auto"
    """Of the encoder: `imagenet`, `none` (from scratch), a weight file, or `auto`: ImageNet if it
    can be had."""
    width: float = 1.0
    """Multiple of the maps of the deep and the shallow network; 2 is the deep network's paper."""
    output: Literal["density", "linear"] = "density"
    """What the deep and the shallow network end in: a softmax over places, relative to its highest,
    or nothing, as in their paper, for --loss mse."""
    dropout: float = 0.2
    """Share of the encoder's read maps dropped while training."""
    loss: Literal["divergence", "correlation", "mse"] = "divergence"
    """KL divergence of the two maps, 1 - CC, or the mean squared error of their paper."""
    augment: tuple[Literal["flip", "zoom", "turn", "colour", "erase"], ...] = ("flip",)
    """Random changes of each training picture and its maps together; `--augment` alone for none."""

    batch_size: int | Literal["auto"] = 16
    """Examples a step; `auto` starts at 128 and halves while the memory does not suffice."""
    head_epochs: int = 12
    """First stage of a pretrained encoder: the read-out on the frozen backbone."""
    head_learning_rate: float = 2e-3
    """Of the read-out in the first stage, at its highest."""
    tail_epochs: int = 0
    """Second stage: the read-out and the last stages of the backbone; 0 leaves it out."""
    tail_learning_rate: float = 5e-4
    """Of the read-out in the second stage, at its highest."""
    tail_stages: int = 2
    """How many of the backbone's stages the second stage trains, counted from its output."""
    full_epochs: int = 0
    """Third stage: everything; 0 leaves it out."""
    full_learning_rate: float = 5e-4
    """Of the read-out in the third stage, at its highest."""
    depth_factor: float = 0.3
    """Each stage of the backbone learns at this multiple of the one nearer the output."""
    scratch_epochs: int = 8
    """Epochs in which everything trains from random weights, instead of the three stages."""
    scratch_learning_rate: float = 2e-3
    """At its highest, when everything trains from random weights."""


_PAN = SaliencyConfig(
    data="fixations",
    network="deep",
    weights="none",
    image_size=(240, 320),
    output="linear",
    loss="mse",
    optimizer="sgd",
    batch_size=2,
    scratch_epochs=80,
    # With a quarter of the maps 0.02 learns within tens of steps; 0.1 silences all ReLUs at once.
    clip_norm=1.0,
    scratch_learning_rate=0.02,
)

# What the networks of Pan et al. have no use for: parts of a pretrained network and its stages.
_OF_THE_ENCODER = (
    "backbone",
    "dropout",
    "head_epochs",
    "head_learning_rate",
    "tail_epochs",
    "tail_learning_rate",
    "tail_stages",
    "full_epochs",
    "full_learning_rate",
    "depth_factor",
)

PRESETS = {
    "quick": SaliencyConfig(),
    # A few hundred pictures teach no filters: those of ImageNet stay, but for the last ones.
    "photographs": SaliencyConfig(
        preset="photographs",
        data="fixations",
        image_size=(192, 256),
        backbone="MobileNetV2",
        batch_size=8,
        dropout=0.3,
        head_epochs=12,
        tail_epochs=14,
    ),
    # The earlier student report that this task grew from: half of the paper's maps, SGD with
    # momentum 0.9, weights of He et al., squared error.
    "seed": dataclasses.replace(_PAN, preset="seed"),
    # All maps of the paper, which begins with three layers of a classifier; these begin anew.
    "paper": dataclasses.replace(_PAN, preset="paper", width=2.0),
    # Batches, rate and epochs of the authors' `shallow/train.py`; its rate falls on a line.
    "shallow": dataclasses.replace(
        _PAN,
        preset="shallow",
        network="shallow",
        image_size=(96, 96),
        batch_size=128,
        clip_norm=None,
        scratch_epochs=1200,
        scratch_learning_rate=0.05,
    ),
}


def check(config: SaliencyConfig) -> SaliencyConfig:
    """The options with `--weights auto` settled; what does not fit is found before any work."""
    check_dense(config)
    _check_data(config)
    _check_network(config)
    common.staged_recipe.check_recipe(config)
    _refuse_what_has_no_use(config)
    return dataclasses.replace(config, weights=_weights(config))


def _check_data(config: SaliencyConfig) -> None:
    # `x <= 0` is false for NaN; `not 0 < x` is not.
    most = {
        "blur_degrees": datasets.fixation_maps.MOST_DEGREES,
        "pixels_per_degree": datasets.fixation_maps.MOST_PIXELS_PER_DEGREE,
    }
    for name, limit in most.items():
        value = getattr(config, name)
        if value is not None and not 0 < value <= limit:
            refuse(name, f"above 0 and at most {limit:g}", value)
    require_at_least(config, ("earliest_seconds",), 0)
    check_data_dir(config, "the folder of pictures and list")
    if config.data == "rendered":
        check_drawn_size(config, datasets.rendered.street.source, "streets")
        check_drawn_count(config)


def _check_network(config: SaliencyConfig) -> None:
    require_shares(config, ("dropout",))
    if not 0 < config.width < math.inf:
        refuse("width", "above 0", config.width)
    if config.output == "linear" and config.loss == "divergence":
        raise UserError(
            "--output linear may be below 0, where no density is: choose --loss mse or "
            "correlation, or --output density."
        )
    if config.network == "encoder":
        if config.output == "linear":
            raise UserError("--output linear needs --network deep or --network shallow.")
        common.staged_recipe.check_tail_stages(config)
        common.staged_recipe.check_image_size(config)
    salnet = keras_models.salnet
    if config.network == "shallow" and tuple(config.image_size) != salnet.SHALLOW_SIZE:
        height, width = salnet.SHALLOW_SIZE
        refuse("image_size", f"{height} {width} for the shallow network", config.image_size)
    if config.network == "deep" and any(side % salnet.POOLING for side in config.image_size):
        allowed = f"multiples of {salnet.POOLING} for the deep network"
        refuse("image_size", allowed, config.image_size)


def _refuse_what_has_no_use(config: SaliencyConfig) -> None:
    """Options of the networks that were not chosen."""
    preset = PRESETS[config.preset]
    if config.network == "encoder":
        refuse_unused(config, ("width",), "--network deep or --network shallow", preset)
        return
    refuse_unused(config, _OF_THE_ENCODER, "--network encoder", preset)
    if config.weights not in ("auto", "none"):
        refuse("weights", "left out, or be `none`, without --network encoder", config.weights)


def _weights(config: SaliencyConfig) -> str:
    """What `--weights` means here; only an encoder has some."""
    if config.network != "encoder":
        return "none"
    return common.pretrained.choose_existing_weights(
        config.weights, config.backbone, config.image_size
    )


def load_data(config: SaliencyConfig) -> Splits:
    """The pictures with their fixations in three splits, each looked at."""
    blur = _blur(config)
    if config.data == "rendered":
        splits = datasets.fixated_street.load(
            config.rendered_count, tuple(config.image_size), config.seed, blur
        )
    else:
        splits = datasets.saliency.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            blur,
            config.earliest_seconds,
            config.skip_bad_images,
        )
    return common.sound_pictures.checked(splits, config)


def _blur(config: SaliencyConfig) -> Blur:
    return datasets.fixation_maps.Blur(config.blur_degrees, config.pixels_per_degree)


def build_model(config: SaliencyConfig, info: DatasetInfo) -> keras.Model:
    """The network; pretrained BatchNormalization keeps its statistics."""
    weights = None if config.weights == "none" else config.weights
    try:
        if config.network == "deep":
            return keras_models.salnet.build_deep_salnet(
                tuple(config.image_size), config.width, config.output
            )
        if config.network == "shallow":
            return keras_models.salnet.build_shallow_salnet(config.width, config.output)
        return keras_models.saliency_encoder.build_saliency_encoder(
            config.backbone,
            tuple(config.image_size),
            weights,
            config.dropout,
            batch_norm_inference=weights is not None,
        )
    except ValueError as error:
        raise UserError(str(error)) from None


def map_size(config: SaliencyConfig) -> tuple[int, int]:
    """Height and width of the maps that the network of these options gives."""
    if config.network == "shallow":
        return keras_models.salnet.SHALLOW_MAP_SIZE
    if config.network == "deep":
        return tuple(config.image_size)
    return keras_models.saliency_encoder.map_size(tuple(config.image_size))


def make_batches(config: SaliencyConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and maps."""
    return common.dense.training.make_batches(
        config, splits, batch_size, common.saliency.report.MAPS, map_size(config)
    )


def stages(config: SaliencyConfig, model: keras.Model) -> list[Stage]:
    """Read-out, then last stages, then everything; from scratch everything at once."""
    head = Stage("head", config.head_epochs, config.head_learning_rate, 1.0, 0)
    return common.staged_recipe.recipe(config, head)


def compile_model(
    config: SaliencyConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics of one stage."""
    common.saliency.training.compile_model(config, model, stage, steps_per_epoch)


def watch(config: SaliencyConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard: augmented examples, and input, truth, prediction, difference."""
    drawing = common.saliency.drawing
    return common.dense.training.watch(
        config,
        splits,
        model,
        epoch,
        common.saliency.report.MAPS,
        drawing.draw,
        drawing.HEADINGS,
        map_size(config),
    )


def report(run: Run) -> None:
    """Test once, beside the middle, people and chance, and write the report."""
    common.saliency.report.report(TASK, run)


TASK = Task(
    name="saliency",
    summary="predict where people look at a picture, as a map",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=watch,
    report=report,
    verbs=lambda: common.saliency.verbs.VERBS,
    monitor="val_cc",
    mode="max",
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
