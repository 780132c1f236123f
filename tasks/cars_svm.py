"""Tell cars apart with a support vector machine on the features of a network that never trains.

Paper: A. Sharif Razavian, H. Azizpour, J. Sullivan, S. Carlsson, "CNN Features off-the-shelf: an
Astounding Baseline for Recognition", CVPR Workshops 2014; K. Simonyan, A. Zisserman, "Very Deep
Convolutional Networks for Large-Scale Image Recognition", ICLR 2015 (VGG16).
Data: drawn cars (no download); Stanford Cars (Krause et al. 2013, 196 models, 8,144 / 8,041
pictures); any folder of class folders.
Expected: no published number for cars. The paper tells 200 kinds of birds apart with 53.3 %, with
augmentation 61.8 %, where the best method made for birds had 65.0 %. On the drawn cars, with
random filters where no ImageNet weights can be had: about 0.75, while a linear classifier on pixels
gets 0.58 and the nearest centroid of the same features 0.35.
Command: `python -m tasks.cars_svm`, see `--help`.

The way of a picture: preprocessing -> frozen backbone up to `--layer` -> `--pooling` -> one dense
layer `decisions` -> softmax. Nothing descends a gradient: the features are computed once and
stored, cross-validation on the training pictures chooses C, LIBLINEAR solves the machine, and its
weights, with the scaling and the PCA before them folded in, become the dense layer. So backbone
and SVM are one Keras model, saved, exported and asked like any other, without a pickle.

Which SVM: one against the rest, n weight vectors for n classes, because these are the n columns of
a dense layer. One against one, as in the paper, needs n (n - 1) / 2 machines and a vote. A machine
with an RBF kernel is searched and reported beside it, but is not exported: it decides by the
distances to its support vectors, often thousands of stored pictures.

Which probabilities: decisions are distances, not probabilities. Their softmax is taken with one
temperature, fitted to decisions about held-out training pictures (Guo et al. 2017), so that the
most probable class is the one the SVM chooses.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import keras_models
from tasks import common
from tasks.common.car_pictures_config import CarPicturesConfig, check_car_pictures
from tasks.common.command_line import run_task
from tasks.common.errors import UserError
from tasks.common.image_classifier_config import check_image_classifier
from tasks.common.option_checks import refuse, require_at_least
from tasks.common.task import Batches, Run, Stage, Task, Training

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from tasks.common.svm.solver import SvmPlan
    from tasks.common.verbs import Verbs

# Of the training by steps that there is none of.
_WITHOUT_EFFECT = (
    *("mixing", "label_smoothing", "dropout", "schedule", "optimizer", "weight_decay"),
    *("clip_norm", "accumulate_steps", "ema_momentum", "patience", "find_learning_rate"),
)
# Features a picture: what VGG16 gives at 224 x 224 behind its fourth block. With more, the search
# on thousands of pictures would need more memory than most machines have.
_MOST_FEATURES = 14 * 14 * 512


@dataclasses.dataclass(frozen=True)
class CarsSvmConfig(CarPicturesConfig):
    """Tell cars apart with a support vector machine on the features of a frozen network.

    With no option at all it draws its own cars and takes a few minutes. Presets: `quick`; `seed`,
    VGG16 at 224x224 on Stanford Cars; `paper`, Sharif Razavian et al. 2014. The last two want
    --data-dir with a copy of Stanford Cars. Options of training by steps have no effect and are
    refused.
    """

    rendered_count: tuple[int, int, int] = (2000, 320, 400)
    """Drawn pictures for training, validation and test."""
    augment: tuple[Literal["flip", "crop", "affine", "colour", "rand_augment", "erase"], ...] = ()
    """Random changes of training pictures: each is then learned in `--cached-views` versions."""

    backbone: str = "VGG16"
    """Any network of `keras.applications`."""
    weights: str = "auto"
    """`imagenet`, `none` (random filters), a weight file, or `auto`: ImageNet if it can be had."""
    layer: str = "block4_pool"
    """Layer of the backbone that gives the features; `output` is its last one."""
    pooling: Literal["average", "max", "flatten"] = "flatten"
    """Mean or largest value of each feature map, or all its values."""
    scaling: Literal["standard", "unit_length"] = "standard"
    """Each feature to mean 0 and deviation 1, or the features of each picture to length 1."""
    pca: int = 256
    """Principal components kept of the scaled features; 0 keeps the features."""

    folds: int = 5
    """Parts of the training pictures that are held out in turn to choose the constants."""
    costs: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    """C of the linear SVM that are tried; small is a strong penalty."""
    loss: Literal["squared_hinge", "hinge"] = "squared_hinge"
    """Of the linear SVM."""
    rbf_costs: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
    """C of the RBF SVM that are tried."""
    rbf_gammas: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)
    """Gamma of the RBF SVM that are tried, times dimensions and variance of the features."""


PRESETS = {
    "quick": CarsSvmConfig(),
    # The earlier student report that this task grew from: pooled features of VGG16, standardised.
    "seed": CarsSvmConfig(
        preset="seed",
        data="stanford_cars",
        image_size=(224, 224),
        weights="imagenet",
        layer="output",
        pooling="average",
        pca=0,
    ),
    # Sharif Razavian et al. 2014, section 3.1: 4,096 features of a fully connected layer, scaled to
    # unit length, a linear SVM with the hinge loss; crops and flips as further examples, 16 of
    # each picture. Their network, OverFeat, is not in keras.applications and VGG16 has no fully
    # connected layers without its top: its last feature maps stand in, whose C has to grow with
    # the squared length that the scaling takes away.
    "paper": CarsSvmConfig(
        preset="paper",
        data="stanford_cars",
        image_size=(224, 224),
        weights="imagenet",
        layer="output",
        pooling="average",
        scaling="unit_length",
        pca=0,
        loss="hinge",
        costs=(0.1, 1.0, 10.0, 100.0),
        augment=("crop", "flip"),
        cached_views=16,
    ),
}


def check(config: CarsSvmConfig) -> CarsSvmConfig:
    """The options with `--weights auto` settled; what does not fit is found before any work."""
    check_image_classifier(config)
    check_car_pictures(config)
    _check_effect(config)
    require_at_least(config, ("pca",), 0)
    require_at_least(config, ("folds",), 2)
    for name in ("costs", "rbf_costs", "rbf_gammas"):
        numbers = getattr(config, name)
        if not numbers or not all(0 < number < float("inf") for number in numbers):
            refuse(name, "one or more finite numbers above 0", numbers)
        if len(set(numbers)) < len(numbers):
            refuse(name, "different numbers", numbers)
    _check_backbone(config)
    weights = common.pretrained.choose_weights(
        config.weights,
        config.backbone,
        config.image_size,
        instead="the features are those of random filters, which a pretrained network beats by far",
    )
    return dataclasses.replace(config, weights=weights)


def _check_backbone(config: CarsSvmConfig) -> None:
    try:
        keras_models.backbones.lookup(config.backbone)
    except ValueError as error:
        raise UserError(f"--backbone: {error}") from None
    common.staged_recipe.check_image_size(config)
    if config.layer == "output":
        return
    # Which layers there are is known to the network alone.
    backbone = keras_models.backbones.build_backbone(config.backbone, config.image_size)
    try:
        keras_models.cut_backbone.cut_backbone(backbone, config.layer)
    except ValueError as error:
        raise UserError(f"--layer: {error}") from None


def _check_effect(config: CarsSvmConfig) -> None:
    """Refuses options that would seem to do something, and the one that everything rests on."""
    if not config.cache:
        raise UserError("The SVM is solved on stored features: leave out --no-cache.")
    for name in _WITHOUT_EFFECT:
        if getattr(config, name) != getattr(PRESETS["quick"], name):
            option = name.replace("_", "-")
            raise UserError(
                f"--{option} is about training by steps, and an SVM is solved at once: leave it "
                f"out. Received: {getattr(config, name)}."
            )


def load_data(config: CarsSvmConfig) -> Splits:
    """The pictures in three splits, each readable."""
    splits = common.car_pictures.load(config)
    held_out = -(-len(splits.train) // config.folds)
    rows = (len(splits.train) - held_out) * (config.cached_views if config.augment else 1)
    if config.pca > rows and not config.dry_run:
        raise UserError(
            f"--pca must be at most {rows}, the training examples that remain of "
            f"{len(splits.train)} when one of --folds {config.folds} is held out. "
            f"Received: {config.pca}."
        )
    return splits


def build_model(config: CarsSvmConfig, info: DatasetInfo) -> keras.Model:
    """The backbone up to the layer, with a dense layer for the decisions."""
    try:
        model = keras_models.svm_classifier.build_svm_classifier(
            config.backbone,
            config.image_size,
            info.class_names,
            None if config.weights == "none" else config.weights,
            None if config.layer == "output" else config.layer,
            config.pooling,
            unit_length=config.scaling == "unit_length",
        )
    except ValueError as error:
        raise UserError(str(error)) from None
    features = model.get_layer("pooling").output.shape[-1]
    if config.pca > features:
        refuse("pca", f"at most {features}, the features of a picture", config.pca)
    if features > _MOST_FEATURES:
        raise UserError(
            f"--layer {config.layer} with --pooling {config.pooling} gives {features:,} features a "
            f"picture, at most {_MOST_FEATURES:,} are allowed: choose --pooling average, a deeper "
            "layer or a smaller --image-size."
        )
    return model


def make_batches(config: CarsSvmConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and one-hot labels."""
    return common.image_classifier.make_batches(config, splits, batch_size)


def plan(config: CarsSvmConfig) -> SvmPlan:
    """The machines that cross-validation chooses from."""
    machines = common.svm.machines
    balance = "balanced" if config.class_weights else None
    # A dry run has no more pictures than one batch.
    components = min(config.pca, 1) if config.dry_run else config.pca
    common_part = {"class_weight": balance, "seed": config.seed}
    return common.svm.solver.SvmPlan(
        machines.Preparation(config.scaling, components, config.seed),
        linear=tuple(
            machines.Machine(cost, loss=config.loss, **common_part) for cost in config.costs
        ),
        rbf=tuple(
            machines.Machine(cost, gamma, **common_part)
            for cost in config.rbf_costs
            for gamma in config.rbf_gammas
        ),
        folds=config.folds,
        seed=config.seed,
        folder=config.cache_dir,
    )


def stages(config: CarsSvmConfig, model: keras.Model) -> list[Stage]:
    """One epoch that moves nothing: it measures the solution as every other epoch is measured."""
    solver = functools.partial(common.svm.solver.solve, plan(config))
    return [Stage("svm", 1, 0.0, 1.0, 0, solver)]


def compile_model(
    config: CarsSvmConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics of one stage."""
    common.image_classifier.compile_model(config, model, stage, steps_per_epoch)


def tail_training(
    config: CarsSvmConfig,
    splits: Splits,
    model: keras.Model,
    stages: Sequence[Stage],
    number: int,
    batch_size: int,
    working: Callable[[], None],
) -> Training | None:
    """The decisions, solved, and the stored features that they are measured on."""
    return common.cached_stage.tail_training(
        config, splits, model, stages, number, batch_size, working
    )


def watch(config: CarsSvmConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard."""
    return common.image_classifier.watch(config, splits, model, epoch)


def report(run: Run) -> None:
    """Test once, beside the rivals on the same features, and write the report."""
    common.svm.report.report(TASK, run, plan(run.config))


def verbs() -> Verbs:
    """What the commands on finished runs do with a run of an image classifier."""
    return common.image_classifier_verbs.VERBS


TASK = Task(
    name="cars_svm",
    summary="a support vector machine on features of frozen VGG16, or any backbone",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    tail_training=tail_training,
    watch=watch,
    report=report,
    verbs=verbs,
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
