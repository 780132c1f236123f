"""The options of the transfer study and the grid of its cells. Light to import."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from tasks.common.config import StudyConfig
from tasks.common.image_classifier_config import ImageClassifierConfig
from tasks.common.study import Cell

Target = Literal["source", "similar", "different"]
Method = Literal["scratch", "linear", "last", "everything"]
SOURCE = "source"
# Classes of drawn cars: the clearest are the similar target, the next ones the source.
SIMILAR_CLASSES, SOURCE_CLASSES = 8, 12


@dataclasses.dataclass(frozen=True)
class TransferStudyConfig(StudyConfig):
    """How much of a pretrained network to train anew: few or many examples, similar or different.

    With no option at all it draws its pictures and takes a few minutes. Presets: `quick`; `seed`,
    the lecture's network, ResNet50 with ImageNet's weights, on folders; `paper`, the same with the
    fine-tuning of Kornblith et al. 2019. The last two want --similar-dir and --different-dir.
    """

    data: Literal["rendered", "folder"] = "rendered"
    """Drawn cars and patterns, or folders of class folders."""
    source_dir: Path | None = None
    """Class folders that the network learns first; only for `--weights source`."""
    similar_dir: Path | None = None
    """Class folders of a target that is like what the network has learned."""
    different_dir: Path | None = None
    """Class folders of a target that is unlike it."""
    backbone: str = "SmallResNet"
    """SmallResNet, or any network of `keras.applications`."""
    weights: str = SOURCE
    """`source` trains the network on the source first; or `imagenet`, a weight file, or as a
    control `none`, random weights."""
    image_size: tuple[int, int] = (32, 48)
    """Height and width of the pictures the network sees, in pixels."""

    targets: tuple[Literal["similar", "different"], ...] = ("similar", "different")
    """Which targets are compared."""
    amounts: tuple[Literal["few", "many"], ...] = ("few", "many")
    """Which numbers of training examples."""
    methods: tuple[Method, ...] = ("scratch", "linear", "last", "everything")
    """What trains: everything from random weights, a linear head, the last stage, everything."""
    head_depths: bool = True
    """With few examples, also try linear heads on every earlier stage."""

    few: int = 10
    """Training examples a class that are few."""
    many: int | None = 80
    """Training examples a class that are many; None takes all that the folders have."""
    source_examples: int = 250
    """Drawn training examples a class of the source."""
    rendered_evaluation: tuple[int, int] = (192, 240)
    """Drawn examples for validation and test."""
    repetitions: int = 2
    """Seeds of examples, weights and order with which each cell is repeated."""

    few_epochs: int = 20
    """Epochs with few examples."""
    many_epochs: int = 8
    """Epochs with many examples."""
    source_epochs: int = 10
    """Epochs on the source."""
    scratch_learning_rate: float = 5e-3
    """From random weights, at its highest; on the source as well."""
    learning_rate: float = 4e-3
    """Of a new head and of the last stage, at its highest."""
    depth_factor: float = 1.0
    """Each stage of the backbone learns at this multiple of the one nearer the output."""
    batch_size: int = 16
    """Examples a step."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """`sgd` has momentum 0.9 (Nesterov)."""
    weight_decay: float = 0.0
    """Decoupled weight decay per step, times the learning rate (Loshchilov & Hutter 2019)."""
    warmup_fraction: float = 0.1
    """Share of the steps in which the learning rate rises from 0; then it falls as a cosine."""
    cache_dir: Path = Path("cache")
    """Folder of stored features; it may be deleted at any time."""
    workers: int = 2
    """Threads that read and decode examples."""


PRESETS = {
    "quick": TransferStudyConfig(),
    "seed": TransferStudyConfig(
        preset="seed",
        data="folder",
        backbone="ResNet50",
        weights="imagenet",
        image_size=(224, 224),
        few=10,
        many=None,
        repetitions=3,
        few_epochs=30,
        many_epochs=15,
        scratch_learning_rate=1e-3,
        learning_rate=1e-3,
        depth_factor=0.3,
        batch_size=32,
    ),
    # Kornblith et al. 2019, appendix A.5: SGD with Nesterov momentum 0.9, a cosine schedule,
    # batches of 256, 20,000 steps, all layers at one rate. For Stanford Cars, 196 classes and
    # 8,144 pictures: 32 steps an epoch, 629 epochs; with 10 pictures a class 8 steps, 2,500
    # epochs. Learning rate and weight decay are a point of the paper's grids.
    "paper": TransferStudyConfig(
        preset="paper",
        data="folder",
        backbone="ResNet50",
        weights="imagenet",
        image_size=(224, 224),
        few=10,
        many=None,
        repetitions=5,
        few_epochs=2500,
        many_epochs=629,
        scratch_learning_rate=0.1,
        learning_rate=0.01,
        depth_factor=1.0,
        batch_size=256,
        optimizer="sgd",
        weight_decay=1e-4,
        warmup_fraction=0.0,
    ),
}


@dataclasses.dataclass(frozen=True)
class TransferCellConfig(ImageClassifierConfig):
    """One training: which data, how many examples of them, and what trains."""

    data: Literal["rendered", "folder"] = "rendered"
    """As of the study."""
    data_dir: Path | None = None
    """Class folders of this cell's data."""
    target: Target = SOURCE
    """What is learned: the source, or one of the two targets."""
    examples: int | None = 250
    """Training examples a class; None takes all."""
    rendered_evaluation: tuple[int, int] = (192, 240)
    """As of the study."""
    backbone: str = "SmallResNet"
    """As of the study."""
    weights: str = "none"
    """`none`, `imagenet`, a weight file, or `source`: the model of the study's first cell."""
    method: Method = "scratch"
    """What trains: everything from random weights, a linear head, the last stage, everything."""
    head_stage: int | None = None
    """The stage that a linear head stands on, 1 the shallowest; None is the last one."""
    epochs: int = 10
    """Epochs of gradient descent; a linear head is put at its optimum instead."""
    learning_rate: float = 5e-3
    """Of the output layers, at its highest."""
    depth_factor: float = 1.0
    """As of the study."""


def grid(config: TransferStudyConfig, stage_count: int) -> list[Cell]:
    """The source, then for each seed every method on every target with few and many examples.

    With few examples, linear heads also stand on every earlier stage, if the options want it.

    Args:
        config: the options of the study.
        stage_count: stages of its backbone.
    """
    cells = []
    if config.weights == SOURCE and set(config.methods) != {"scratch"}:
        cells.append(Cell(SOURCE, _source(config)))
    for seed in range(config.seed, config.seed + config.repetitions):
        for target in config.targets:
            cells += [
                _cell(config, seed, target, amount, method)
                for amount in config.amounts
                for method in config.methods
            ]
            if config.head_depths and "few" in config.amounts:
                cells += [
                    _cell(config, seed, target, "few", "linear", stage)
                    for stage in range(1, stage_count)
                ]
    return cells


def _source(config: TransferStudyConfig) -> TransferCellConfig:
    return dataclasses.replace(
        _shared(config, config.seed),
        data_dir=config.source_dir,
        examples=None if config.data == "folder" else config.source_examples,
        epochs=config.source_epochs,
        learning_rate=config.scratch_learning_rate,
    )


def _cell(
    config: TransferStudyConfig,
    seed: int,
    target: Target,
    amount: str,
    method: Method,
    head_stage: int | None = None,
) -> Cell:
    scratch = method == "scratch"
    options = dataclasses.replace(
        _shared(config, seed),
        data_dir=getattr(config, f"{target}_dir"),
        target=target,
        examples=getattr(config, amount),
        weights="none" if scratch else config.weights,
        method=method,
        head_stage=head_stage,
        epochs=getattr(config, f"{amount}_epochs"),
        learning_rate=config.scratch_learning_rate if scratch else config.learning_rate,
        depth_factor=config.depth_factor,
    )
    depth = "" if head_stage is None else f"_at_{head_stage}"
    after = SOURCE if options.weights == SOURCE else None
    return Cell(f"{target}_{amount}_{method}{depth}_seed_{seed}", options, after)


def _shared(config: TransferStudyConfig, seed: int) -> TransferCellConfig:
    names = ("data", "rendered_evaluation", "backbone", "image_size", "batch_size", "optimizer")
    names += ("weight_decay", "warmup_fraction", "cache_dir", "workers", "dry_run")
    return TransferCellConfig(seed=seed, **{name: getattr(config, name) for name in names})


def amount_of(config: TransferStudyConfig, cell: TransferCellConfig) -> str:
    """Whether a cell of this study learns from `few` or from `many` examples."""
    return "few" if cell.examples == config.few else "many"
