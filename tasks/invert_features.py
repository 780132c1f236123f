"""Rebuild a picture from the features that a network has of it, one decoder a layer.

Paper: A. Dosovitskiy, T. Brox, "Inverting Visual Representations with Convolutional Networks",
CVPR 2016 (arXiv 1506.02753).
Data: drawn cars (no download); any folder of pictures, split by the seed.
Expected: the error rises with depth. An earlier report's test errors on standardised pixels, from a
trained AlexNet: conv2 0.201, conv5 0.515, fc6 0.771, fc8 0.851. On 240 photographs with
MobileNetV2, `--preset mobilenet`: 0.09, 0.11, 0.17, 0.36 and 0.85 from its five stages. On the
drawn cars with random weights conv2 has 0.20, conv5 0.33, fc6 and fc8 0.34, where the mean picture
has 0.78: a random dense layer with more units than inputs loses next to nothing.
Command: `python -m tasks.invert_features`, see `--help`.

What to learn here:

1. A layer keeps what another network can still read from it. The error of the best reader says how
   much of the picture that is; 1 is what one knows without looking: the mean colour.
2. A network need not be trained to keep a picture. The default encoder has random weights, and
   its shallow layers give the picture back; what its deep ones lose is lost to strides, pooling
   and few numbers. A trained network (`--weights`) also drops what its task does not need.
3. A squared error makes a decoder answer with the mean of all pictures that have these features.
   The blur is therefore no fault of training, it is what the layer does not know.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import keras_models
from tasks import common
from tasks.common.command_line import run_study
from tasks.common.data_choice import check_drawn_size
from tasks.common.errors import UserError
from tasks.common.inversion.config import (
    NAME,
    PRESETS,
    InversionCellConfig,
    InvertFeaturesConfig,
    cells,
    check_recipe,
)
from tasks.common.option_checks import check_training, refuse
from tasks.common.run_folder import RunFolder
from tasks.common.study import CellResult, Study, StudyRun
from tasks.common.task import Batches, Run, Stage, Task, Training

if TYPE_CHECKING:
    import keras

    from datasets.core import DatasetInfo, Splits
    from tasks.common.verbs import Verbs


def check(config: InvertFeaturesConfig) -> InvertFeaturesConfig:
    """The options with `--weights auto` settled; what does not fit is found before any cell."""
    check_recipe(config)
    config = dataclasses.replace(config, weights=_weights(config))
    if config.data == "rendered":
        check_drawn_size(config, datasets.rendered.cars, "cars")
    else:
        _folder(config)
    network = _network(config)
    for layer in config.layers:
        _cut(network, layer)
    if config.data == "folder":
        _check_pictures(config)
    return config


def _check_pictures(config: InvertFeaturesConfig) -> None:
    """Reads the folder's pictures once, so that a bad one is one sentence, not a failure a cell.

    The cells look again, at what they keep in memory and with `--skip-bad-images` leave out.

    Raises:
        DataError: as `sound_pictures.checked`.
    """
    # All seeds have the same pictures, unless `--limit` takes other ones for each.
    seeds = 1 if config.limit is None else config.repetitions
    for seed in range(config.seed, config.seed + seeds):
        seeded = dataclasses.replace(config, seed=seed)
        common.sound_pictures.checked(_folder(seeded), seeded)


def _weights(config: InvertFeaturesConfig) -> str:
    """What `--weights` means for this encoder."""
    if not keras_models.cut_encoder.is_alexnet(config.encoder):
        instead = "inverting random features, which keep pictures, too"
        try:
            return common.pretrained.choose_weights(
                config.weights, config.encoder, config.image_size, instead
            )
        except ValueError as error:
            raise UserError(f"--encoder: {error}") from None
    if config.weights in ("auto", "none"):
        return "none"
    if not Path(config.weights).is_file():
        allowed = "`none` or a `.keras` file of AlexNet, of which Keras has no ImageNet weights"
        refuse("weights", allowed, config.weights)
    return config.weights


def _network(config: InvertFeaturesConfig | InversionCellConfig) -> keras.Model:
    """The encoder, whole."""
    weights = None if config.weights == "none" else config.weights
    try:
        return keras_models.cut_encoder.build_network(
            config.encoder, tuple(config.image_size), weights, config.encoder_width
        )
    except (ValueError, ConnectionError) as error:
        raise UserError(f"--encoder {config.encoder}: {error}") from None


def _cut(network: keras.Model, layer: str) -> keras_models.cut_encoder.Encoder:
    try:
        return keras_models.cut_encoder.cut(network, layer)
    except ValueError as error:
        raise UserError(f"--layers: {error}") from None


def check_cell(config: InversionCellConfig) -> InversionCellConfig:
    """The options of one cell with the size of the rebuilt pictures settled."""
    check_training(config)
    if config.target_size is not None:
        return config
    shape = _cut(_network(config), config.layer).feature_shape
    size = keras_models.feature_inversion.natural_size(shape, config.image_size)
    return dataclasses.replace(config, target_size=size)


def load_data(config: InversionCellConfig) -> Splits:
    """The pictures in three splits, with mean and deviation of the training targets' pixels."""
    if config.data == "rendered":
        drawn = datasets.rendered.cars.load(
            *config.rendered_count, tuple(config.image_size), config.seed
        )
        splits = datasets.plain_pictures.pictures_of(drawn)
    else:
        splits = _folder(config)
    sound = common.sound_pictures.checked(splits, config)
    # As large as what is rebuilt, or an error of 1 would not be that of the mean colour.
    reduced = functools.partial(common.inversion.training.targets, size=config.target_size)
    return datasets.plain_pictures.with_statistics(
        sound, config.image_size, config.workers, reduced
    )


def _folder(config: InvertFeaturesConfig | InversionCellConfig) -> Splits:
    """The user's pictures, listed and split."""
    return datasets.plain_pictures.load_folder(
        config.data_dir,
        config.validation_fraction,
        config.test_fraction,
        config.seed,
        tuple(config.image_size),
    )


def build_model(config: InversionCellConfig, info: DatasetInfo) -> keras.Model:
    """The frozen encoder up to the cell's layer, and its decoder."""
    return keras_models.feature_inversion.build_inverter(
        _cut(_network(config), config.layer),
        tuple(config.image_size),
        tuple(config.target_size),
        info.mean,
        info.deviation,
        config.decoder_width,
        config.dense_units,
    )


def make_batches(config: InversionCellConfig, splits: Splits, batch_size: int) -> Batches:
    """Pictures with themselves as targets, for a run without stored features."""
    return common.inversion.training.make_batches(config, splits, batch_size)


def stages(config: InversionCellConfig, model: keras.Model) -> list[Stage]:
    """The decoder trains, from the first epoch to the last."""
    return [Stage("decoder", config.epochs, config.learning_rate)]


def compile_model(
    config: InversionCellConfig, model: keras.Model, stage: Stage, steps_per_epoch: int
) -> None:
    """Optimizer, loss and metric."""
    common.inversion.training.compile_model(config, model, stage, steps_per_epoch)


def tail_training(*arguments: Any) -> Training | None:
    """The decoder with the stored features that it learns from."""
    return common.inversion.training.tail_training(*arguments)


def watch(config: InversionCellConfig, splits: Splits, model: keras.Model, epoch: int) -> dict:
    """Pictures for TensorBoard: originals, rebuilt pictures and their errors."""
    return common.inversion.training.watch(config, splits, model, epoch)


def report_cell(run: Run) -> None:
    """Tests one decoder beside its baselines."""
    common.inversion.cell_report.report(CELL_TASK, run)


def verbs() -> Verbs:
    """What the commands on finished runs do with a cell."""
    return common.inversion.verbs.VERBS


def run_cell(config: InversionCellConfig, folder: RunFolder) -> dict[str, Any]:
    """Trains and tests one decoder."""
    found = common.study_cell.train(CELL_TASK, config, folder)
    document = json.loads((folder.report / "metrics.json").read_text(encoding="utf-8"))
    return {**found, "baseline": document["baseline"]}


def summarise(found: Mapping[str, Any]) -> str:
    """What the line of progress says of a cell."""
    test, validation = (found["metrics"][name]["squared_error"] for name in ("test", "validation"))
    return f"squared error: validation {validation:.3f}, test {test:.3f}"


def report(run: StudyRun) -> None:
    """The layers beside each other, from shallow to deep."""
    common.inversion.study_report.report(NAME, run, best(run))


def best(run: StudyRun) -> CellResult | None:
    """The cell with the least error on validation, the shallowest layer as a rule.

    Where `--target-size` leaves each layer a size of its own, errors of different sizes are
    compared, each in the unit of its own.
    """
    finished = [result for result in run.results if result.result is not None]
    return min(
        finished,
        key=lambda one: one.result["metrics"]["validation"]["squared_error"],
        default=None,
    )


CELL_TASK = Task(
    name=NAME,
    summary="one decoder of the study",
    presets={"quick": InversionCellConfig()},
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
    monitor="val_squared_error",
    mode="min",
)

TASK = Study(
    name=NAME,
    summary="rebuild pictures from the features of each layer of a network",
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
