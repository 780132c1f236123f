"""The grid of the study, and options that do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from datasets.core import DataError
from tasks import reuters_losses
from tasks.common.errors import UserError
from tasks.reuters_losses import PAIRS, PRESETS, REPORTED, ReutersLossesConfig, cells, check


def test_the_grid_is_every_pair_every_optimizer_every_seed() -> None:
    config = ReutersLossesConfig(seed=7, repetitions=2, label_smoothing=0.1, words=50)
    made = {cell.name: cell.config for cell in cells(config)}
    assert len(made) == 5 * 2 * 2
    one = made["sgd_linear_mse_seed8"]
    assert (one.activation, one.loss, one.optimizer) == ("linear", "mean_squared_error", "sgd")
    assert (one.seed, one.data_seed, one.words, one.learning_rate) == (8, 7, 50, 0.01)
    # Squared error has no smoothed form here; the others have.
    assert one.label_smoothing == 0
    assert made["adam_sigmoid_bce_seed7"].label_smoothing == 0.1
    assert made["adam_sigmoid_bce_seed7"].learning_rate == 0.001
    assert made["adam_sigmoid_bce_seed7"].schedule == "constant"


def test_weight_decay_takes_the_optimizer_that_decouples_it() -> None:
    config = ReutersLossesConfig(weight_decay=0.1, optimizers=("adam",))
    assert {cell.config.optimizer for cell in cells(check(config))} == {"adamw"}


def test_the_presets_are_the_reports_grid() -> None:
    seed = PRESETS["seed"]
    assert (seed.words, seed.hidden, seed.dropout, seed.batch_size) == (1000, (512,), 0.5, 512)
    assert (seed.early_epochs, seed.epochs, seed.sgd_learning_rate) == (20, 100, 0.01)
    assert set(REPORTED) == set(seed.configurations) < set(PAIRS)
    assert reuters_losses._repeats_the_report(seed)
    assert reuters_losses._repeats_the_report(dataclasses.replace(seed, repetitions=1, jobs=1))
    assert not reuters_losses._repeats_the_report(PRESETS["quick"])
    assert not reuters_losses._repeats_the_report(dataclasses.replace(seed, dropout=0.4))


@pytest.mark.parametrize("preset", ["seed", "paper", "dense", "best"])
def test_the_presets_fit_together(preset: str, shared_data: Path) -> None:
    check(dataclasses.replace(PRESETS[preset], data_dir=shared_data / "reuters"))


def test_data_that_cannot_be_read_are_found_before_any_cell(tmp_path: Path) -> None:
    config = dataclasses.replace(PRESETS["seed"], data_dir=tmp_path)
    with pytest.raises(DataError, match=r"reuters\.npz cannot be read"):
        check(config)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": "reuters"}, "needs --data-dir"),
        ({"data_dir": Path("x")}, "needs --data reuters"),
        ({"configurations": ()}, "--configurations must be at least one"),
        ({"optimizers": ("sgd", "sgd")}, "each named once"),
        ({"epochs": 0}, "--epochs"),
        ({"early_epochs": 0}, "--early-epochs"),
        ({"batch_size": 0}, "--batch-size"),
        ({"dropout": 1.0}, "--dropout"),
        ({"dropout": float("nan")}, "--dropout"),
        ({"label_smoothing": -0.1}, "--label-smoothing"),
        ({"sgd_learning_rate": 0.0}, "--sgd-learning-rate"),
        ({"adam_learning_rate": float("nan")}, "--adam-learning-rate"),
        ({"input_scale": -1.0}, "--input-scale"),
        ({"weight_decay": 0.1}, "--weight-decay is for --optimizers adam"),
        ({"l2": -1.0}, "--l2"),
        ({"hidden": (8, 0)}, "--hidden"),
        ({"words": 4}, "--words must be from 5 to 3004"),
        ({"words": 3005}, "--words must be from 5 to 3004"),
        ({"words": 30_984, "data": "reuters", "data_dir": Path("x")}, "from 5 to 30983"),
        ({"generated_texts": 99}, "--generated-texts"),
        ({"repetitions": 0}, "--repetitions"),
        ({"patience": 0}, "--patience"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(changes: dict, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        check(dataclasses.replace(ReutersLossesConfig(), **changes))
    assert "\n" not in str(caught.value)


def trained(schedule: str, epochs: int) -> list[np.ndarray]:
    """The weights after two epochs of a run of `epochs`."""
    config = reuters_losses.ReutersCellConfig(
        generated_texts=200,
        words=60,
        hidden=(8,),
        batch_size=64,
        schedule=schedule,
        epochs=epochs,
        learning_rate=0.1,
    )
    keras.utils.set_random_seed(config.seed)
    splits = reuters_losses.load_data(config)
    model = reuters_losses.build_model(config, splits.info)
    batches = reuters_losses.make_batches(config, splits, config.batch_size)
    (stage,) = reuters_losses.stages(config, model)
    reuters_losses.compile_model(config, model, stage, batches.steps_per_epoch)
    kept: list[np.ndarray] = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.extend(model.get_weights() if epoch == 1 else [])
    )
    steps = batches.steps_per_epoch
    data = batches.train(range(epochs), 0)
    model.fit(
        data, epochs=epochs, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[keep]
    )
    return kept


def test_the_first_epochs_of_a_long_run_are_a_short_run() -> None:
    """Hence both lengths are read off one run; with a schedule that would be wrong."""
    for short, long in zip(trained("constant", 2), trained("constant", 4), strict=True):
        np.testing.assert_allclose(short, long, rtol=1e-5, atol=1e-7)
    pairs = zip(trained("warmup_cosine", 2), trained("warmup_cosine", 4), strict=True)
    assert not all(np.allclose(short, long, rtol=1e-3) for short, long in pairs)


def test_cells_differ_by_their_seed_and_share_their_texts() -> None:
    one, other = (cell.config for cell in cells(ReutersLossesConfig())[:2])
    assert one.seed != other.seed
    first, second = reuters_losses.load_data(one), reuters_losses.load_data(other)
    np.testing.assert_array_equal(first.test.features, second.test.features)
