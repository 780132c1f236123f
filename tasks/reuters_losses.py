"""Compare pairs of output activation and loss on topics of texts, step size and all.

Paper: F. Chollet, the example `reuters_mlp` of Keras (one hidden layer, 1,000 words), which a
student report varied; P. Golik, P. Doetsch, H. Ney, "Cross-Entropy vs. Squared Error Training",
Interspeech 2013, on why the loss decides how fast a softmax learns.
Data: made-up texts on 46 topics (no download); the Reuters newswires of 1987 on 46 topics, in the
files that `keras.datasets.reuters` downloads (8,982 / 2,246 texts).
Expected: on Reuters with plain SGD at 0.01, validation accuracy after 20 and 100 epochs 0.54 and
0.70 for softmax with cross-entropy, at most 0.41 for all other pairs; with Adam all but the linear
output reach 0.79 to 0.81. Test accuracy of `--preset dense` 0.824, of `--preset best` 0.837, beside
0.836 of scikit-learn's linear SVM, whose problem `best` solves by gradient descent.
Command: `python -m tasks.reuters_losses`, see `--help`. All presets but `quick` want
--data-dir with `reuters.npz` and `reuters_word_index.json`.

Both lengths of training come from one run, read after `--early-epochs` and at its end: with a
constant learning rate, and an order of the texts that depends on seed and epoch alone, the first 20
of 100 epochs are, step by step, a run of 20.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_study
from tasks.common.config import StudyConfig
from tasks.common.data_choice import check_data_dir
from tasks.common.errors import UserError
from tasks.common.loss_comparison.groups import PAIRS, REPORTED
from tasks.common.option_checks import check_study, refuse, require_at_least, require_shares
from tasks.common.study import Cell, Study, StudyRun, best_by_validation
from tasks.common.task import Batches, Run, Stage, Task
from tasks.common.vector_classifier_config import VectorClassifierConfig, check_vector_classifier

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from tasks.common.run_folder import RunFolder

Configuration = Literal[
    "sigmoid_bce", "softmax_cce", "sigmoid_mse", "softmax_mse", "linear_mse", "margin_hinge"
]
Activation = Literal["softmax", "sigmoid", "linear", "margin"]
Loss = Literal[
    "binary_crossentropy", "categorical_crossentropy", "mean_squared_error", "squared_hinge"
]
Weighting = Literal["binary", "tf_idf", "log_tf_idf"]


@dataclasses.dataclass(frozen=True)
class ReutersLossesConfig(StudyConfig):
    """Compare pairs of output activation and loss on topics of texts, step size and all.

    With no option at all it makes up its own texts and takes a few minutes. Presets: `quick`;
    `seed` and `paper`, the student report's grid on Reuters, the latter with Adam beside it;
    `dense` and `best`, 10,000 words with and without a hidden layer. All but `quick` want
    --data-dir.
    """

    repetitions: int = 2
    """Seeds with which each cell is repeated, counted from `--seed`."""
    data: Literal["generated", "reuters"] = "generated"
    """Made-up texts, or the Reuters newswires."""
    data_dir: Path | None = None
    """Folder of reuters.npz and reuters_word_index.json."""
    generated_texts: int = 3000
    """Made-up texts, a fifth of them for the test."""
    words: int = 1000
    """Columns of the word counts: the most frequent words, and 4 for all others (`num_words`)."""
    weighting: Weighting = "binary"
    """Whether a word is there; its count times its rarity (tf-idf); the count's logarithm so."""
    input_scale: float = 1.0
    """The weights of the words are multiplied by this."""

    configurations: tuple[Configuration, ...] = tuple(REPORTED)
    """Pairs of output activation and loss."""
    optimizers: tuple[Literal["sgd", "adam"], ...] = ("sgd", "adam")
    """`sgd` is plain, without momentum."""
    sgd_learning_rate: float = 0.01
    """Learning rate of `sgd`."""
    adam_learning_rate: float = 0.001
    """Learning rate of `adam`."""
    schedule: Literal["constant", "warmup_cosine"] = "constant"
    """How the learning rate moves; two lengths can be read off one run where it is constant."""
    epochs: int = 100
    """Passes over the training texts."""
    early_epochs: int = 20
    """The results are also read after so many epochs."""
    patience: int | None = None
    """A cell ends after this many epochs without a better validation accuracy."""
    batch_size: int = 512
    """Texts a step."""

    hidden: tuple[int, ...] = (512,)
    """Units of the hidden layers; none for a linear classifier."""
    dropout: float = 0.5
    """Share of a hidden layer's outputs dropped while training."""
    label_smoothing: float = 0.0
    """This share of a label's weight goes evenly to all classes; 0.1 is Szegedy et al. 2016."""
    weight_decay: float = 0.0
    """Decoupled weight decay per step, times the learning rate; with `adam` only."""
    l2: float = 0.0
    """This times the sum of the squared weights is added to the loss."""


@dataclasses.dataclass(frozen=True)
class ReutersCellConfig(VectorClassifierConfig):
    """One network of the study: one activation, one loss, one optimizer, one seed."""

    validation_fraction: float = 0.1
    """Share of the training texts, the last ones, kept for validation."""
    test_fraction: float = 0.2
    """Share of the made-up texts kept for the test; Reuters has its own."""
    optimizer: Literal["adam", "adamw", "sgd"] = "sgd"
    """`sgd` is plain here, without momentum."""
    data: Literal["generated", "reuters"] = "generated"
    """Made-up texts, or the Reuters newswires."""
    data_dir: Path | None = None
    """Folder of reuters.npz and reuters_word_index.json."""
    data_seed: int = 0
    """Seed of the made-up texts, the same in all cells."""
    generated_texts: int = 3000
    """Made-up texts in all."""
    words: int = 1000
    """Columns of the word counts."""
    weighting: Weighting = "binary"
    """What the network learns from."""
    input_scale: float = 1.0
    """The weights of the words are multiplied by this."""
    hidden: tuple[int, ...] = (512,)
    """Units of the hidden layers."""
    l2: float = 0.0
    """This times the sum of the squared weights is added to the loss."""
    activation: Activation = "softmax"
    """Of the output."""
    loss: Loss = "categorical_crossentropy"
    """What is minimised."""
    epochs: int = 100
    """Passes over the training texts."""
    learning_rate: float = 0.01
    """At its highest."""


_GRID = ReutersLossesConfig(preset="seed", data="reuters", repetitions=3, optimizers=("sgd",))

_DENSE = dataclasses.replace(
    _GRID,
    preset="dense",
    configurations=("softmax_cce",),
    optimizers=("adam",),
    words=10_000,
    weighting="log_tf_idf",
    input_scale=3.0,
    schedule="warmup_cosine",
    epochs=15,
    early_epochs=5,
    batch_size=128,
    dropout=0.7,
    label_smoothing=0.1,
)

PRESETS = {
    "quick": ReutersLossesConfig(),
    # The student report: 1,000 words, 512 units, dropout 0.5, batches of 512, 20 and 100 epochs
    # of SGD with Keras's default rate.
    "seed": _GRID,
    # The same grid with the optimizer of the Keras example beside it.
    "paper": dataclasses.replace(_GRID, preset="paper", optimizers=("sgd", "adam")),
    # The same kind of network for the best validation accuracy: chosen among widths of 64 to 1,024,
    # dropout 0.5 to 0.8, smoothing 0 to 0.2, scales 1 to 30, with and without logarithms and decay.
    "dense": _DENSE,
    # The best of all that was tried on the validation texts has no hidden layer. A linear SVM of
    # penalty C is, by its mean over n texts and K classes, l2 = 1 / (2 C n K), times the scale's
    # square: 4.5e-4 for C = 0.3, 8,083 texts, 46 classes and a scale of 10.
    "best": dataclasses.replace(
        _DENSE,
        preset="best",
        configurations=("margin_hinge",),
        hidden=(),
        label_smoothing=0.0,
        input_scale=10.0,
        l2=4.5e-4,
        adam_learning_rate=3e-3,
    ),
}


def check(config: ReutersLossesConfig) -> ReutersLossesConfig:
    """The options as they are; what does not fit is found before any cell runs."""
    check_study(config)
    check_data_dir(
        config,
        "the folder of reuters.npz and reuters_word_index.json, the files that "
        "keras.datasets.reuters downloads",
    )
    for name in ("configurations", "optimizers"):
        chosen = getattr(config, name)
        if not chosen or len(set(chosen)) < len(chosen):
            refuse(name, "at least one, each named once", " ".join(chosen) or "none")
    require_at_least(config, ("epochs", "early_epochs", "batch_size", "patience"), 1)
    require_at_least(config, ("weight_decay", "l2"), 0)
    require_shares(config, ("dropout", "label_smoothing"))
    for name in ("sgd_learning_rate", "adam_learning_rate", "input_scale"):
        if not getattr(config, name) > 0:
            refuse(name, "above 0", getattr(config, name))
    if config.weight_decay and "sgd" in config.optimizers:
        raise UserError("--weight-decay is for --optimizers adam alone.")
    if min(config.hidden, default=1) < 1:
        refuse("hidden", "positive numbers", config.hidden)
    # The files of Reuters name 30,979 words; four columns belong to none.
    most = datasets.generated_topics.MOST_COLUMNS if config.data == "generated" else 30_983
    if not 5 <= config.words <= most:
        refuse("words", f"from 5 to {most} for --data {config.data}", config.words)
    require_at_least(config, ("generated_texts",), 100)
    if config.data == "reuters":
        # Said once, before the first of many cells would find it out.
        datasets.reuters.read(config.data_dir, config.words)
    return config


def cells(config: ReutersLossesConfig) -> list[Cell]:
    """Every pair with every optimizer and every seed."""
    seeds = range(config.seed, config.seed + config.repetitions)
    return [
        Cell(f"{optimizer}_{pair}_seed{seed}", _cell_config(config, optimizer, pair, seed))
        for optimizer, pair, seed in itertools.product(
            config.optimizers, config.configurations, seeds
        )
    ]


def _cell_config(
    config: ReutersLossesConfig, optimizer: str, pair: Configuration, seed: int
) -> ReutersCellConfig:
    activation, loss = PAIRS[pair]
    same = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(ReutersCellConfig)
        if hasattr(config, field.name) and field.name not in ("run_name", "resume", "preset")
    }
    smooth = loss.endswith("crossentropy")
    return ReutersCellConfig(
        **{
            **same,
            "seed": seed,
            "data_seed": config.seed,
            "activation": activation,
            "loss": loss,
            "optimizer": "adamw" if optimizer == "adam" and config.weight_decay else optimizer,
            "learning_rate": getattr(config, f"{optimizer}_learning_rate"),
            "label_smoothing": config.label_smoothing if smooth else 0.0,
        }
    )


def load_data(config: ReutersCellConfig) -> Splits:
    """The texts as word counts."""
    if config.data == "reuters":
        splits = datasets.reuters.load(config.data_dir, config.words, config.validation_fraction)
    else:
        splits = datasets.generated_topics.load(
            config.generated_texts,
            config.words,
            config.validation_fraction,
            config.test_fraction,
            config.data_seed,
        )
    return common.vector_classifier.limited(splits, config)


def build_model(config: ReutersCellConfig, info: DatasetInfo) -> keras.Model:
    """The network, with the vocabulary inside."""
    text = keras_models.text_classifier
    weights = text.WordWeights(
        info.vocabulary,
        config.weighting,
        info.document_frequencies,
        info.training_texts,
        name="word_weights",
    )
    return text.build_text_classifier(
        weights,
        info.class_names,
        config.hidden,
        config.dropout,
        config.activation,
        config.input_scale,
        config.l2,
    )


def stages(config: ReutersCellConfig, model: keras.Model) -> list[Stage]:
    """Everything at once."""
    return [Stage("train", config.epochs, config.learning_rate)]


def compile_model(
    config: ReutersCellConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss, accuracy and the gradient at the logits."""
    gradient = keras_models.metrics.logit_gradient.LogitGradientNorm(
        config.activation, config.loss, config.label_smoothing
    )
    common.text_training.compile_model(config, model, stage, steps_per_epoch, [gradient])


def make_batches(config: ReutersCellConfig, splits: Splits, batch_size: int) -> Batches:
    """Batches of word counts and one-hot labels."""
    return common.vector_classifier.make_batches(config, splits, batch_size)


def report_cell(run: Run) -> None:
    """The cell's numbers."""
    common.cell_report.report(
        CELL_TASK.name, run, lambda source: common.text_verbs.predictions(run.model, source)
    )


def run_cell(config: ReutersCellConfig, folder: RunFolder) -> dict[str, Any]:
    """Trains one network."""
    return common.study_cell.train(CELL_TASK, config, folder)


def report(run: StudyRun) -> None:
    """Curves, gradients and ranking of all pairs; the best cell's test beside baselines."""
    chosen = best_by_validation(run)
    splits = load_data(chosen.config)
    gradients = keras_models.metrics.logit_gradient
    reported = REPORTED if _repeats_the_report(run.config) else {}
    common.loss_comparison.report.report(
        TASK.name,
        run,
        chosen,
        splits,
        at_start={
            PAIRS[pair]: gradients.first_norm(*PAIRS[pair], len(splits.info.class_names))
            for pair in run.config.configurations
        },
        reported={PAIRS[pair]: numbers for pair, numbers in reported.items()},
    )


def _repeats_the_report(config: ReutersLossesConfig) -> bool:
    """Whether the student report's numbers were reached with these options, but for the seeds."""
    same = ("data", "words", "weighting", "input_scale", "schedule", "epochs", "early_epochs")
    same = (*same, "batch_size", "hidden", "dropout", "label_smoothing", "sgd_learning_rate", "l2")
    return all(getattr(config, name) == getattr(_GRID, name) for name in same)


CELL_TASK = Task(
    name="reuters_losses",
    summary="one network of the comparison",
    presets={"quick": ReutersCellConfig()},
    check=lambda config: check_vector_classifier(config) or config,
    load_data=load_data,
    build_model=build_model,
    make_batches=make_batches,
    stages=stages,
    compile_model=compile_model,
    watch=lambda *options: common.vector_classifier.no_pictures(*options),
    report=report_cell,
    verbs=lambda: common.text_verbs.VERBS,
)

TASK = Study(
    name="reuters_losses",
    summary="compare output activations and losses on topics of texts",
    presets=PRESETS,
    check=check,
    cells=cells,
    run_cell=run_cell,
    report=report,
    summarise=lambda found: f"validation accuracy {found['metrics']['validation']['accuracy']:.3f}",
    cell_task=CELL_TASK,
    best=best_by_validation,
)

if __name__ == "__main__":
    sys.exit(run_study(TASK))
