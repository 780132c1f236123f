"""Fine-tune a pretrained network on pictures of cars, in stages.

Paper: S. Kornblith, J. Shlens, Q. V. Le, "Do Better ImageNet Models Transfer Better?", CVPR 2019.
Data: drawn cars (no download); Stanford Cars (Krause et al. 2013, 196 models, 8,144 / 8,041
pictures); any folder of class folders.
Expected: ResNet-50 on Stanford Cars, test top-1 from the paper: linear probe 66.7, fine-tuned
92.1 at 224 px, from scratch 91.4. On the drawn cars: at least 0.90 in five minutes on two cores.
Command: `python -m tasks.cars_finetune`, see `--help`.
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
from tasks.common.task import Batches, Run, Stage, Task, Training

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from tasks.common.verbs import Verbs


@dataclasses.dataclass(frozen=True)
class CarsFinetuneConfig(CarPicturesConfig):
    """Fine-tune a pretrained network on pictures of cars, in stages.

    With no option at all it draws its own cars and takes a few minutes. Presets: `quick`; `seed`,
    from scratch with Adam for 50 epochs; `paper`, Kornblith et al. 2019. The last two want
    --data-dir with a copy of Stanford Cars.
    """

    backbone: str = "ResNet50"
    """Any network of `keras.applications`."""
    weights: str = "auto"
    """`imagenet`, `none` (from scratch), a weight file, or `auto`: ImageNet if it can be had."""

    head_epochs: int = 5
    """First stage: the new head on the frozen backbone."""
    head_learning_rate: float = 1e-3
    """Of the head in the first stage, at its highest."""
    head_solver: Literal["gradient", "logistic"] = "gradient"
    """`logistic` puts the head at its optimum at once, instead of `--head-epochs` of descent."""
    tail_epochs: int = 10
    """Second stage: the head and the last stages of the backbone."""
    tail_learning_rate: float = 3e-4
    """Of the head in the second stage, at its highest."""
    tail_stages: int = 1
    """How many of the backbone's stages the second stage trains, counted from its output."""
    full_epochs: int = 0
    """Third stage: everything; 0 leaves it out."""
    full_learning_rate: float = 1e-4
    """Of the head in the third stage, at its highest."""
    depth_factor: float = 0.3
    """Each stage of the backbone learns at this multiple of the one nearer the output."""
    scratch_epochs: int = 5
    """Epochs in which everything trains from random weights, instead of the three stages."""
    scratch_learning_rate: float = 1e-3
    """At its highest, when everything trains from random weights."""


PRESETS = {
    "quick": CarsFinetuneConfig(),
    # The earlier student report that this task grew from: from scratch with plain Adam.
    "seed": CarsFinetuneConfig(
        preset="seed",
        data="stanford_cars",
        image_size=(224, 224),
        weights="none",
        scratch_epochs=50,
        scratch_learning_rate=1e-3,
        schedule="inverse_time",
        decay=1e-5,
        clip_norm=1e-3,
    ),
    # Kornblith et al. 2019, appendix A.5: SGD with Nesterov momentum 0.9 and a cosine schedule,
    # batches of 256, 20,000 steps (629 epochs of 8,144 pictures), all layers at once; learning
    # rate and weight decay are a point of the paper's grids, which it searches per data set.
    "paper": CarsFinetuneConfig(
        preset="paper",
        data="stanford_cars",
        image_size=(224, 224),
        weights="imagenet",
        optimizer="sgd",
        batch_size=256,
        warmup_fraction=0.0,
        augment=("crop", "flip"),
        dropout=0.0,
        head_epochs=0,
        tail_epochs=0,
        full_epochs=629,
        full_learning_rate=0.01,
        depth_factor=1.0,
        weight_decay=1e-4,
    ),
}


def check(config: CarsFinetuneConfig) -> CarsFinetuneConfig:
    """The options with `--weights auto` settled; what does not fit is found before any work."""
    check_image_classifier(config)
    check_car_pictures(config)
    _check_recipe(config)
    weights = common.pretrained.choose_weights(config.weights, config.backbone, config.image_size)
    return dataclasses.replace(config, weights=weights)


def _check_recipe(config: CarsFinetuneConfig) -> None:
    common.staged_recipe.check_recipe(config)
    if config.head_solver == "logistic":
        _check_solver(config)
    common.staged_recipe.check_tail_stages(config)
    common.staged_recipe.check_image_size(config)


def _check_solver(config: CarsFinetuneConfig) -> None:
    """Logistic regression is solved on stored features with one class a picture."""
    if not config.cache or config.mixing != "none":
        raise UserError(
            "--head-solver logistic needs stored features: leave out --no-cache and --mixing, or "
            "choose --head-solver gradient."
        )


def load_data(config: CarsFinetuneConfig) -> Splits:
    """The pictures in three splits, each readable."""
    return common.car_pictures.load(config)


def build_model(config: CarsFinetuneConfig, info: DatasetInfo) -> keras.Model:
    """A classifier on the backbone; pretrained BatchNormalization keeps its statistics."""
    weights = None if config.weights == "none" else config.weights
    try:
        return keras_models.transfer.build_classifier(
            config.backbone,
            config.image_size,
            info.class_names,
            weights,
            config.dropout,
            batch_norm_inference=weights is not None,
        )
    except ValueError as error:
        raise UserError(str(error)) from None


def make_batches(config: CarsFinetuneConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and one-hot labels."""
    return common.image_classifier.make_batches(config, splits, batch_size)


def stages(config: CarsFinetuneConfig, model: keras.Model) -> list[Stage]:
    """Head, then last stages, then everything; from scratch everything at once."""
    return common.staged_recipe.recipe(config, _head_stage(config))


def _head_stage(config: CarsFinetuneConfig) -> Stage:
    if config.head_solver == "gradient":
        return Stage("head", config.head_epochs, config.head_learning_rate, 1.0, 0)
    # One epoch that moves nothing measures the solution as every other epoch is measured.
    balance = "balanced" if config.class_weights else None
    solver = functools.partial(common.linear_head.solve, balance)
    return Stage("head", min(1, config.head_epochs), 0.0, 1.0, 0, solver)


def compile_model(
    config: CarsFinetuneConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics of one stage."""
    common.image_classifier.compile_model(config, model, stage, steps_per_epoch)


def tail_training(
    config: CarsFinetuneConfig,
    splits: Splits,
    model: keras.Model,
    stages: Sequence[Stage],
    number: int,
    batch_size: int,
    working: Callable[[], None],
) -> Training | None:
    """The tail and the stored features it learns from, where a part of the network is frozen."""
    return common.cached_stage.tail_training(
        config, splits, model, stages, number, batch_size, working
    )


def watch(config: CarsFinetuneConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard."""
    return common.image_classifier.watch(config, splits, model, epoch)


def report(run: Run) -> None:
    """Test once, beside baselines, and write the report."""
    common.image_classifier_report.report(TASK, run)


def verbs() -> Verbs:
    """What the commands on finished runs do with a run of an image classifier."""
    return common.image_classifier_verbs.VERBS


TASK = Task(
    name="cars_finetune",
    summary="fine-tune ResNet50, or any backbone, on cars in stages",
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
