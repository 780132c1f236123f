"""Read digits with LeNet-5, and tell colour pictures apart with AlexNet.

Paper: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86(11), 1998. A. Krizhevsky, I. Sutskever, G. E. Hinton,
"ImageNet Classification with Deep Convolutional Neural Networks", NeurIPS 2012.
Data: drawn digits or drawn cars (no download); MNIST as Keras's `mnist.npz` (60,000 / 10,000
pictures); any folder of class folders.
Expected: test error of LeNet-5 on MNIST from the paper: 0.95 %, with distorted pictures 0.8 %; a
linear classifier 12.0 %. On the drawn digits: at most 4 % in two minutes on two cores.
Command: `python -m tasks.digits_lenet`, see `--help`.

What the two networks teach, 14 years apart: a filter that is used at every place needs few
weights, and a digit that is shifted is still the same digit. `--network lenet5` is the network of
1998 to the letter (`keras_models/lenet.py`): trainable sub-sampling, maps that see a chosen few of
the maps before them, a squashing function with f(1) = 1, and output units that measure the
distance to a fixed picture of each digit. `lenet5_modern` has the same sizes with what came
later: ReLU, max pooling, batch normalisation, dropout, softmax. `alexnet` is the one of 2012.

`--preset paper` follows the recipe of 1998 where it can: 20 passes, no distortions, and the same
loss (equation 9, without its constant). The paper's stochastic diagonal Levenberg-Marquardt gives
each weight a step of its own, from an estimate of the curvature; here Adam does, from the size of
the gradients. Its rate falls along a cosine instead of five steps, a step sees 16 pictures
instead of one, and the best of the passes is chosen on a tenth of the training pictures, which
the paper trains on as well. The first weights are wider than the paper's: from those, without the
curvature, the network stays a linear classifier for many passes (`--initialization paper`).
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
from tasks.common.data_choice import check_data_dir, check_drawn_count
from tasks.common.errors import UserError
from tasks.common.image_classifier_config import ImageClassifierConfig, check_image_classifier
from tasks.common.option_checks import refuse, require_at_least
from tasks.common.task import Batches, Run, Stage, Task

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits


@dataclasses.dataclass(frozen=True)
class DigitsLenetConfig(ImageClassifierConfig):
    """Read digits with LeNet-5, and tell colour pictures apart with AlexNet.

    With no option at all it draws its own digits and takes about two minutes. Presets: `quick`;
    `seed`, the modernised LeNet-5 on MNIST as it is taught; `paper`, LeNet-5 as of 1998 on MNIST;
    `mnist`, wider and with distorted pictures; `cars`, a small AlexNet on drawn cars; `alexnet`,
    the recipe of 2012 on a folder. `seed`, `paper`, `mnist` and `alexnet` want --data-dir.
    """

    data: Literal["rendered", "mnist", "rendered_cars", "folder"] = "rendered"
    """Drawn digits, MNIST, drawn cars (in colour), or any folder of class folders."""
    data_dir: Path | None = None
    """Where `mnist.npz` or the folder of class folders lies; `mnist` and `folder` need it."""
    rendered_count: tuple[int, int, int] = (5000, 1000, 2000)
    """Drawn pictures for training, validation and test."""
    rendered_classes: int = 8
    """Classes of drawn cars."""

    network: Literal["lenet5", "lenet5_modern", "alexnet"] = "lenet5"
    """LeNet-5 of 1998 (ten classes), the same with today's parts, or AlexNet of 2012."""
    image_size: tuple[int, int] = (28, 28)
    """Height and width in pixels: 28 28 for LeNet-5, at least 67 67 for AlexNet (227 in 2012)."""
    augment: tuple[Literal["flip", "crop", "affine", "colour", "rand_augment", "erase"], ...] = (
        "affine",
    )
    """Random changes of each training picture, made in this order; `--augment` alone for none.
    `affine` turns, slants, scales and shifts a little; a mirrored digit would be no digit."""
    width: float = 1.0
    """Multiple of the maps and units of `lenet5_modern` and `alexnet`; 1 is the paper's."""
    dropout: float = 0.2
    """Share of a dense layer's units dropped while training; LeNet-5 of 1998 has none."""
    towers: Literal[1, 2] = 2
    """AlexNet's convolutions 2, 4 and 5 in two halves, as on two GPUs in 2012, or in one."""
    initialization: Literal["paper", "balanced"] = "balanced"
    """First weights of `lenet5` and `alexnet`: as in their papers, or so that signals keep their
    spread from layer to layer (see `python -m tasks.initialization_study`)."""

    epochs: int = 25
    """Passes over the training pictures."""
    learning_rate: float = 1e-3
    """At its highest."""
    batch_size: int | Literal["auto"] = 32
    """Examples a step; `auto` starts at 128 and halves while the memory does not suffice."""


PRESETS = {
    "quick": DigitsLenetConfig(),
    # As the network is taught today: plain Adam at its default rate, nothing else.
    "seed": DigitsLenetConfig(
        preset="seed",
        data="mnist",
        network="lenet5_modern",
        augment=(),
        epochs=10,
        schedule="constant",
        batch_size=128,
    ),
    # LeCun et al. 1998, section III.B: 20 passes without distortions.
    "paper": DigitsLenetConfig(
        preset="paper",
        data="mnist",
        validation_fraction=0.1,
        augment=(),
        epochs=20,
        batch_size=16,
    ),
    # A first guess that met its goal. Compared afterwards on 6,000 pictures, 6 epochs and one seed,
    # validation accuracy with and without distortions: width 1 .980 and .977, width 2 .987 and
    # .982, width 4 .986 and .985. The rate was not varied.
    "mnist": DigitsLenetConfig(
        preset="mnist",
        data="mnist",
        network="lenet5_modern",
        validation_fraction=0.1,
        width=2.0,
        epochs=30,
        learning_rate=3e-3,
        batch_size=64,
    ),
    # AlexNet so small that drawn cars teach it in minutes.
    "cars": DigitsLenetConfig(
        preset="cars",
        data="rendered_cars",
        rendered_count=(4000, 320, 400),
        network="alexnet",
        image_size=(83, 115),
        augment=("flip",),
        width=0.25,
        dropout=0.5,
        epochs=12,
    ),
    # Krizhevsky et al. 2012, section 5: batches of 128, momentum 0.9, weight decay 0.0005, 0.01
    # divided as validation stops improving, about 90 passes. Here the momentum is Nesterov's, the
    # rate is halved instead of divided by 10, crops vary in size, and colours change by Keras's
    # layers instead of along their principal components.
    "alexnet": DigitsLenetConfig(
        preset="alexnet",
        data="folder",
        network="alexnet",
        image_size=(227, 227),
        resizing="crop",
        augment=("crop", "flip", "colour"),
        dropout=0.5,
        initialization="paper",
        epochs=90,
        optimizer="sgd",
        learning_rate=0.01,
        weight_decay=5e-4,
        schedule="plateau",
        batch_size=128,
    ),
}


def check(config: DigitsLenetConfig) -> DigitsLenetConfig:
    """The options unchanged; what does not fit is found before any work."""
    check_image_classifier(config)
    require_at_least(config, ("epochs",), 1)
    for name in ("learning_rate", "width"):
        if not getattr(config, name) > 0:
            refuse(name, "above 0", getattr(config, name))
    _check_data(config)
    _check_size(config)
    return config


def _check_data(config: DigitsLenetConfig) -> None:
    from_files = config.data in ("mnist", "folder")
    check_data_dir(config, "where the pictures lie")
    if config.data == "rendered_cars" and config.network != "alexnet":
        raise UserError(
            f"--data rendered_cars needs --network alexnet. Received: --network {config.network}."
        )
    known = len(datasets.rendered.cars.CLASS_NAMES)
    if not 2 <= config.rendered_classes <= known:
        refuse("rendered_classes", f"from 2 to {known}", config.rendered_classes)
    classes = 10 if config.data == "rendered" else config.rendered_classes
    if not from_files:
        check_drawn_count(config, classes, "one picture a class")


def _check_size(config: DigitsLenetConfig) -> None:
    if config.network != "alexnet":
        size = keras_models.lenet.IMAGE_SIZE
        if config.image_size != size:
            allowed = f"{size[0]} {size[1]} for LeNet-5, which frames them to 32 32"
            refuse("image_size", allowed, config.image_size)
        return
    smallest = keras_models.alexnet.SMALLEST_SIDE
    if min(config.image_size) < smallest:
        allowed = f"at least {smallest} {smallest} for AlexNet (see --preset cars)"
        refuse("image_size", allowed, config.image_size)


def load_data(config: DigitsLenetConfig) -> Splits:
    """The pictures in three splits, each readable."""
    if config.data == "rendered":
        splits = datasets.rendered.digits.load(*config.rendered_count, config.seed)
    elif config.data == "rendered_cars":
        splits = datasets.rendered.cars.load(
            *config.rendered_count, config.image_size, config.seed, config.rendered_classes
        )
    elif config.data == "mnist":
        splits = datasets.digits.load(config.data_dir, config.validation_fraction, config.seed)
    else:
        splits = datasets.folder.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            config.image_size,
        )
    return common.image_classifier.checked(splits, config)


def build_model(config: DigitsLenetConfig, info: DatasetInfo) -> keras.Model:
    """The network that `--network` names.

    Raises:
        UserError: LeNet-5 of 1998 is to tell apart something else than ten digits.
    """
    if config.network == "alexnet":
        return keras_models.alexnet.build_alexnet(
            config.image_size,
            info.class_names,
            config.width,
            config.towers,
            config.dropout,
            config.initialization,
        )
    if config.network == "lenet5_modern":
        return keras_models.lenet.build_modern_lenet5(
            info.class_names, config.width, config.dropout
        )
    if info.class_names != datasets.digits.CLASS_NAMES:
        raise UserError(
            "--network lenet5 reads the digits 0 to 9: its output units are fixed pictures of "
            f"them. Received: {len(info.class_names)} classes, the first of which is "
            f"{info.class_names[0]!r}. Choose --network lenet5_modern or alexnet."
        )
    return keras_models.lenet.build_lenet5(info.class_names, config.initialization)


def make_batches(config: DigitsLenetConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and one-hot labels."""
    return common.image_classifier.make_batches(config, splits, batch_size)


def stages(config: DigitsLenetConfig, model: keras.Model) -> list[Stage]:
    """One stage: everything trains."""
    return [Stage("training", config.epochs, config.learning_rate)]


def compile_model(
    config: DigitsLenetConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics."""
    common.image_classifier.compile_whole(config, model, stage, steps_per_epoch)


def watch(config: DigitsLenetConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard."""
    return common.image_classifier.watch(config, splits, model, epoch)


def report(run: Run) -> None:
    """Test once, beside baselines; the error rate and the filters of the first layer."""
    common.digits_report.report(TASK, run)


TASK = Task(
    name="digits_lenet",
    summary="read digits with LeNet-5, tell colour pictures apart with AlexNet",
    presets=PRESETS,
    check=check,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=watch,
    report=report,
    verbs=lambda: common.image_classifier_verbs.VERBS,
)

if __name__ == "__main__":
    sys.exit(run_task(TASK))
