"""How much of a pretrained network to train anew: few or many examples, similar or different data.

Paper: J. Yosinski et al., "How transferable are features in deep neural networks?", NIPS 2014;
S. Kornblith, J. Shlens, Q. V. Le, "Do Better ImageNet Models Transfer Better?", CVPR 2019.
Data: drawn (no download): a small network learns twelve kinds of cars; the similar target is eight
other kinds of cars, the different one eight patterns. Or three folders of class folders, with any
network of `keras.applications` and its ImageNet weights.
Expected: the lecture's table. Few and similar: a linear head. Many and similar: train the last
layers. Many and different: train many layers. Few and different: try heads at several depths. On
the drawn pictures: with many different examples everything 0.97 and a linear head 0.4; with few
similar ones a linear head as good as any, and twice as good as from scratch; with few different
ones the best head stands on stage 3 of 4.
Command: `python -m tasks.transfer_study`, see `--help`.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_study
from tasks.common.errors import UserError
from tasks.common.image_classifier_config import check_image_classifier
from tasks.common.option_checks import check_study, refuse, require_at_least
from tasks.common.run_folder import RunFolder
from tasks.common.study import Cell, Study, StudyRun
from tasks.common.task import Batches, Run, Stage, Task, Training
from tasks.common.transfer_study.grid import (
    PRESETS,
    SIMILAR_CLASSES,
    SOURCE,
    SOURCE_CLASSES,
    TransferCellConfig,
    TransferStudyConfig,
    grid,
)

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from tasks.common.verbs import Verbs


def check(config: TransferStudyConfig) -> TransferStudyConfig:
    """The options; what does not fit together is found before any work."""
    check_study(config)
    require_at_least(
        config, ("few", "many", "source_examples", "few_epochs", "many_epochs", "source_epochs"), 1
    )
    if config.many is not None and config.many <= config.few:
        refuse("many", f"more than --few, which is {config.few}", config.many)
    for name in ("scratch_learning_rate", "learning_rate", "depth_factor"):
        if not getattr(config, name) > 0:
            refuse(name, "above 0", getattr(config, name))
    for name in ("targets", "amounts", "methods"):
        chosen = getattr(config, name)
        if not chosen or len(set(chosen)) < len(chosen):
            refuse(name, "at least one, each once", " ".join(chosen) or "nothing")
    _check_network(config)
    _check_data(config)
    for cell in cells(config):
        check_image_classifier(cell.config)
    return config


def _check_network(config: TransferStudyConfig) -> None:
    try:
        backbone = keras_models.backbones.lookup(config.backbone)
    except ValueError as error:
        raise UserError(f"--backbone: {error}") from None
    common.staged_recipe.check_image_size(config)
    if config.weights == "auto":
        refuse("weights", "`source`, `imagenet`, `none` or a weight file", config.weights)
    if config.weights != SOURCE:
        common.pretrained.choose_weights(config.weights, backbone.name, config.image_size)


def _check_data(config: TransferStudyConfig) -> None:
    wanted = ["similar_dir", "different_dir", *(["source_dir"] * (config.weights == SOURCE))]
    for name in ("source_dir", "similar_dir", "different_dir"):
        option, given = f"--{name.replace('_', '-')}", getattr(config, name) is not None
        if given and config.data == "rendered":
            raise UserError(f"{option} needs --data folder.")
        if not given and config.data == "folder" and name in wanted:
            raise UserError(f"--data folder needs {option}: a folder of class folders.")
        if given and name not in wanted:
            raise UserError(f"{option} needs --weights source, which trains on it first.")
    smallest = datasets.rendered.cars.SMALLEST_SIDE
    if config.data == "rendered" and min(config.image_size) < smallest:
        refuse("image_size", f"at least {smallest} pixels a side for drawn cars", config.image_size)
    if min(config.rendered_evaluation) < SOURCE_CLASSES:
        refuse("rendered_evaluation", "at least one picture a class", config.rendered_evaluation)


def cells(config: TransferStudyConfig) -> list[Cell]:
    """The source, then every method on each target with few and many examples, a cell a seed."""
    return grid(config, _stage_count(config))


def _stage_count(config: TransferStudyConfig) -> int:
    return len(keras_models.backbones.lookup(config.backbone).stages)


def run_cell(config: TransferCellConfig, folder: RunFolder) -> Mapping[str, Any]:
    """Trains one cell; those that start from the source take the model of its folder."""
    if config.weights == SOURCE:
        model = RunFolder(folder.path.parent / SOURCE).model
        config = dataclasses.replace(config, weights=str(model))
    return common.study_cell.train(CELL_TASK, config, folder)


def check_cell(config: TransferCellConfig) -> TransferCellConfig:
    """The options as they are: the study has checked them."""
    return config


def load_data(config: TransferCellConfig) -> Splits:
    """The pictures of one target in three splits, so many training examples a class."""
    if config.data == "folder":
        splits = datasets.folder.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            config.image_size,
        )
        splits = dataclasses.replace(splits, train=_chosen(splits.train, config))
    elif config.target == "different":
        textures = datasets.rendered.textures
        train = config.examples * len(textures.CLASS_NAMES)
        splits = textures.load(train, *config.rendered_evaluation, config.image_size, config.seed)
    else:
        first, count = (SIMILAR_CLASSES, SOURCE_CLASSES)
        if config.target == "similar":
            first, count = 0, SIMILAR_CLASSES
        splits = datasets.rendered.cars.load(
            config.examples * count,
            *config.rendered_evaluation,
            config.image_size,
            config.seed,
            count,
            first,
        )
    return common.image_classifier.checked(splits, config)


def _chosen(source: Any, config: TransferCellConfig) -> Any:
    """So many examples of each class, or all of a class that has fewer."""
    if config.examples is None:
        return source
    chosen = datasets.core.per_class(source.labels, config.examples, config.seed)
    return datasets.core.Subset(source, chosen)


def build_model(config: TransferCellConfig, info: DatasetInfo) -> keras.Model:
    """A classifier on the backbone, its head on the stage that the cell names."""
    weights = None if config.weights == "none" else config.weights
    try:
        model = keras_models.transfer.build_classifier(
            config.backbone,
            config.image_size,
            info.class_names,
            weights,
            config.dropout,
            batch_norm_inference=weights is not None,
        )
        if config.head_stage is None:
            return model
        return keras_models.early_head.head_at_stage(model, config.head_stage)
    except ValueError as error:
        raise UserError(str(error)) from None


def make_batches(config: TransferCellConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of pictures and one-hot labels."""
    return common.image_classifier.make_batches(config, splits, batch_size)


def stages(config: TransferCellConfig, model: keras.Model) -> list[Stage]:
    """One stage: a linear head at its optimum, or gradient descent on what the method trains."""
    if config.method == "linear":
        # One epoch that moves nothing measures the solution as every other epoch is measured.
        solver = functools.partial(common.linear_head.solve, None)
        return [Stage("linear", 1, 0.0, 1.0, 0, solver)]
    trainable = 1 if config.method == "last" else None
    factor = 1.0 if config.method == "scratch" else config.depth_factor
    return [Stage(config.method, config.epochs, config.learning_rate, factor, trainable)]


def compile_model(
    config: TransferCellConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metrics."""
    common.image_classifier.compile_model(config, model, stage, steps_per_epoch)


def tail_training(
    config: TransferCellConfig,
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


def watch(config: TransferCellConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Curves alone: pictures of dozens of cells would bury them in TensorBoard."""
    return {}


def verbs() -> Verbs:
    """What the commands on finished runs do with a cell."""
    return common.image_classifier_verbs.VERBS


def report_cell(run: Run) -> None:
    """Validation and test of one cell."""
    common.image_classifier_report.report_cell(CELL_TASK.name, run)


def summarise(result: Mapping[str, Any]) -> str:
    """A cell in a few words, for the line of progress."""
    return f"test accuracy {result['metrics']['test']['accuracy']:.3f}"


def report(run: StudyRun) -> None:
    """The table of recommendations, beside the lecture's, and the charts."""
    common.transfer_study.report.report(TASK.name, run, _stage_count(run.config))


CELL_TASK = Task(
    name="transfer_study",
    summary="one cell: a network trained anew in parts",
    presets={"quick": TransferCellConfig()},
    check=check_cell,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    tail_training=tail_training,
    watch=watch,
    report=report_cell,
    verbs=verbs,
)

TASK = Study(
    name="transfer_study",
    summary="how much of a network to train anew, by amount and kind of data",
    presets=PRESETS,
    check=check,
    cells=cells,
    run_cell=run_cell,
    report=report,
    summarise=summarise,
    cell_task=CELL_TASK,
)

if __name__ == "__main__":
    sys.exit(run_study(TASK))
