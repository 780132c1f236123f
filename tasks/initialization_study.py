"""How the first weights of a deep network decide whether it learns: five schemes, two activations.

Paper: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
networks", AISTATS 2010. K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers: Surpassing
Human-Level Performance on ImageNet Classification", ICCV 2015.
Data: drawn digits (no download); MNIST as Keras's `mnist.npz` (60,000 / 10,000 pictures).
Expected: zeros learn nothing but how frequent each class is; small and large normal weights fail
or lag in deep stacks; Xavier suits tanh, He suits ReLU.
Command: `python -m tasks.initialization_study`, see `--help`.

The output of a layer of n inputs has n * var(weights) times the variance of its input (half of it
behind a ReLU), and so has the gradient on its way back. Over ten layers a factor of 0.1 becomes
1e-10, one of 10 becomes 1e10. Xavier and He choose var(weights) so that the factor is 1. Nothing
else in these stacks (no batch normalisation, no shortcut, plain gradient descent with momentum)
mends what the weights do.

All zeros fail for another reason. Every hidden output is 0, so no weight behind it gets a
gradient (that is the product of the output before and the error behind); every weight is 0, so no
error passes back; and as all units of a layer are alike, they could only ever move alike. The bias
of the output layer alone learns. The report shows each of these by numbers.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_study
from tasks.common.config import StudyConfig
from tasks.common.data_choice import check_data_dir, check_drawn_count
from tasks.common.errors import Diverged
from tasks.common.image_classifier_config import ImageClassifierConfig, check_image_classifier
from tasks.common.option_checks import check_study, refuse, require_at_least
from tasks.common.study import Cell, CellResult, Study, StudyRun
from tasks.common.task import Batches, Run, Stage, Task

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from tasks.common.run_folder import RunFolder
    from tasks.common.verbs import Verbs


@dataclasses.dataclass(frozen=True)
class InitializationStudyConfig(StudyConfig):
    """How the first weights of a deep network decide whether it learns.

    With no option at all it draws its own digits and takes about four minutes on two cores.
    Presets: `quick`; `seed`, the wider and deeper stacks in which lectures show it; `paper`, those
    of Glorot & Bengio 2010; `paper_he`, 30 convolutions after He et al. 2015. All but the first
    want --data-dir with MNIST.
    """

    data: Literal["rendered", "mnist"] = "rendered"
    """Drawn digits, or MNIST."""
    data_dir: Path | None = None
    """Where `mnist.npz` lies."""
    rendered_count: tuple[int, int, int] = (2000, 500, 500)
    """Drawn pictures for training, validation and test."""
    limit: int | None = None
    """At most this many examples a split, each class in its share."""

    schemes: tuple[Literal["zeros", "small", "large", "xavier", "he"], ...] = (
        *("zeros", "small", "large"),
        *("xavier", "he"),
    )
    """First weights: 0; normal of deviation 0.01 or 1; Glorot & Bengio 2010; He et al. 2015."""
    activations: tuple[Literal["tanh", "relu"], ...] = ("tanh", "relu")
    """What follows each hidden layer."""
    layers: Literal["dense", "convolution"] = "dense"
    """Kind of the hidden layers."""
    depth: int = 10
    """Number of hidden layers."""
    width: int = 100
    """Units, or maps, of each hidden layer."""

    epochs: int = 6
    """Passes over the training pictures."""
    optimizer: Literal["adam", "adamw", "sgd"] = "sgd"
    """`sgd` has momentum 0.9 (Nesterov); Adam would hide how small the gradients are."""
    learning_rate: float = 0.01
    """At every step; the same for all schemes."""
    batch_size: int = 32
    """Examples a step."""


@dataclasses.dataclass(frozen=True)
class StackConfig(ImageClassifierConfig):
    """Options of one cell: one stack of layers, trained once."""

    data: Literal["rendered", "mnist"] = "rendered"
    """Drawn digits, or MNIST."""
    data_dir: Path | None = None
    """Where `mnist.npz` lies."""
    rendered_count: tuple[int, int, int] = (2000, 500, 500)
    """Drawn pictures for training, validation and test."""
    image_size: tuple[int, int] = (28, 28)
    """Height and width of the pictures in pixels."""
    augment: tuple[Literal["flip", "crop", "affine", "colour", "rand_augment", "erase"], ...] = ()
    """Random changes of each training picture: none."""
    validation_fraction: float = 0.1
    """Share of MNIST's training pictures kept for validation."""

    scheme: Literal["zeros", "small", "large", "xavier", "he"] = "he"
    """First weights."""
    activation: Literal["tanh", "relu"] = "relu"
    """What follows each hidden layer."""
    layers: Literal["dense", "convolution"] = "dense"
    """Kind of the hidden layers."""
    depth: int = 10
    """Number of hidden layers."""
    width: int = 100
    """Units, or maps, of each hidden layer."""
    epochs: int = 6
    """Passes over the training pictures."""
    learning_rate: float = 0.01
    """At every step."""


PRESETS = {
    "quick": InitializationStudyConfig(),
    # As lectures show it: ten layers of 500 units.
    "seed": InitializationStudyConfig(
        preset="seed", data="mnist", depth=10, width=500, epochs=5, batch_size=64
    ),
    # Glorot & Bengio 2010, section 2.3: five hidden layers (four for the sigmoid) of 1,000 units,
    # batches of 10, on MNIST among others. The paper chooses the learning rate for each cell on
    # validation; here it is one for all, without which schemes could not be compared by their
    # curves.
    "paper": InitializationStudyConfig(
        preset="paper",
        data="mnist",
        depth=5,
        width=1000,
        epochs=10,
        learning_rate=1e-3,
        batch_size=10,
    ),
    # He et al. 2015, figure 3: 30 layers of 3 x 3 convolutions with ReLU, Xavier against He. The
    # paper's are trained on ImageNet; these, much narrower, on MNIST.
    "paper_he": InitializationStudyConfig(
        preset="paper_he",
        data="mnist",
        schemes=("xavier", "he"),
        activations=("relu",),
        layers="convolution",
        depth=30,
        width=32,
        epochs=5,
        batch_size=64,
    ),
}


def check(config: InitializationStudyConfig) -> InitializationStudyConfig:
    """The options unchanged; what does not fit is found before any work."""
    check_study(config)
    require_at_least(config, ("depth", "width", "epochs"), 1)
    if not config.learning_rate > 0:
        refuse("learning_rate", "above 0", config.learning_rate)
    for name in ("schemes", "activations"):
        chosen = getattr(config, name)
        if not chosen or len(set(chosen)) < len(chosen):
            refuse(name, "at least one, each once", " ".join(chosen) or "nothing")
    check_data_dir(config, "where `mnist.npz` lies")
    if config.data == "rendered":
        check_drawn_count(config, 10, "one picture a digit")
    for cell in cells(config):
        check_image_classifier(cell.config)
    if config.data == "mnist":
        # Read once here, so that a damaged file is not the end of every cell by itself.
        datasets.digits.load(config.data_dir, StackConfig.validation_fraction, config.seed)
    return config


def cells(config: InitializationStudyConfig) -> list[Cell]:
    """Every scheme with every activation; all of them once before any is repeated."""
    shared = {
        name: getattr(config, name)
        for name in (
            *("data", "data_dir", "rendered_count", "limit", "layers", "depth", "width"),
            *("epochs", "optimizer", "learning_rate", "batch_size", "dry_run"),
        )
    }
    return [
        Cell(
            f"{activation}-{scheme}-seed{seed}",
            StackConfig(
                scheme=scheme, activation=activation, seed=seed, schedule="constant", **shared
            ),
        )
        for seed in range(config.seed, config.seed + config.repetitions)
        for activation in config.activations
        for scheme in config.schemes
    ]


def run_cell(config: StackConfig, folder: RunFolder) -> Mapping[str, Any]:
    """Trains one stack; what its layers did before and after stands beside the metrics.

    A stack whose loss or weights leave the numbers that a computer has is a finding, no failure.
    """
    try:
        trained = common.study_cell.train(CELL_TASK, config, folder)
    except Diverged as end:
        splits = load_data(config)
        return {"diverged": str(end), "layers": _measured(config, splits, None)}
    layers = json.loads((folder.report / "layers.json").read_text(encoding="utf-8"))
    if layers["after"] is None:
        return {"diverged": "Weights are no longer numbers.", "layers": layers}
    return {**trained, "diverged": None, "layers": layers}


def _measured(config: StackConfig, splits: Splits, trained: keras.Model | None) -> dict[str, Any]:
    """The spreads of a fresh stack and of the trained one, and how far the weights moved."""
    fresh = build_model(config, splits.info)
    return common.initialization.layer_spreads.measured(fresh, trained, splits.validation)


def check_cell(config: StackConfig) -> StackConfig:
    """The options as they are: the study has checked them."""
    return config


def load_data(config: StackConfig) -> Splits:
    """The digits in three splits."""
    if config.data == "rendered":
        splits = datasets.rendered.digits.load(*config.rendered_count, config.seed)
    else:
        splits = datasets.digits.load(config.data_dir, config.validation_fraction, config.seed)
    return common.image_classifier.checked(splits, config)


def build_model(config: StackConfig, info: DatasetInfo) -> keras.Model:
    """The stack with its first weights, which are a function of scheme and seed."""
    return keras_models.layer_stack.build_layer_stack(
        info.class_names,
        config.scheme,
        config.activation,
        config.depth,
        config.width,
        config.layers,
        config.seed,
    )


def make_batches(config: StackConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and one-hot labels."""
    return common.image_classifier.make_batches(config, splits, batch_size)


def stages(config: StackConfig, model: keras.Model) -> list[Stage]:
    """One stage: everything trains."""
    return [Stage("training", config.epochs, config.learning_rate)]


def compile_model(
    config: StackConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics."""
    common.image_classifier.compile_whole(config, model, stage, steps_per_epoch)


def watch(config: StackConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Curves alone: pictures of dozens of cells would bury them in TensorBoard."""
    return {}


def verbs() -> Verbs:
    """What the commands on finished runs do with a cell."""
    return common.image_classifier_verbs.VERBS


def report_cell(run: Run) -> None:
    """Validation and test of one cell, and `layers.json`: what its layers did."""
    common.image_classifier_report.report_cell(CELL_TASK.name, run)
    measured = _measured(run.config, run.splits, run.model)
    (run.folder.report / "layers.json").write_text(json.dumps(measured) + "\n", encoding="utf-8")


def summarise(result: Mapping[str, Any]) -> str:
    """A cell in a few words, for the line of progress."""
    if result["diverged"] is not None:
        return "diverged"
    return f"test accuracy {result['metrics']['test']['accuracy']:.3f}"


def best(run: StudyRun) -> CellResult | None:
    """The cell with the highest validation accuracy."""
    trained = [result for result in run.results if result.result and "metrics" in result.result]
    return max(
        trained,
        key=lambda result: result.result["metrics"]["validation"]["accuracy"],
        default=None,
    )


def report(run: StudyRun) -> None:
    """The table over the seeds, the spreads by layer, and why zeros do not learn."""
    splits = load_data(cells(run.config)[0].config)
    common.initialization.report.report(TASK.name, run, splits)


CELL_TASK = Task(
    name="initialization_study",
    summary="one cell: a stack of layers from its first weights",
    presets={"quick": StackConfig()},
    check=check_cell,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=watch,
    report=report_cell,
    verbs=verbs,
)

TASK = Study(
    name="initialization_study",
    summary="how the first weights decide whether a deep network learns",
    presets=PRESETS,
    check=check,
    cells=cells,
    run_cell=run_cell,
    report=report,
    summarise=summarise,
    cell_task=CELL_TASK,
    best=best,
)

if __name__ == "__main__":
    sys.exit(run_study(TASK))
