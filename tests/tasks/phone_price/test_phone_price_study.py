"""The study of phone prices: its grid, its options, its numbers, bad tables."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression

from datasets import generated_phones, vectors
from datasets.core import DataError
from datasets.phone_price import COLUMNS
from datasets.table_splits import Parting
from datasets.vectors import VectorSource
from keras_models.heads import ClassProbabilities
from tasks import phone_price
from tasks.common import column_importance, table_baselines
from tasks.common.errors import UserError
from tasks.common.phone_price.report import averages, deviation
from tasks.phone_price import PRESETS, PhonePriceConfig, build_model, cells, check, load_data
from tests.datasets.test_phone_price import phones_csv
from tests.tasks.processes import run


def test_cells_are_scalings_by_seeds_each_with_its_own_split() -> None:
    found = cells(PhonePriceConfig(seed=7, repetitions=2))
    names = ["global_seed_7", "global_seed_8", "column_seed_7", "column_seed_8"]
    assert [cell.name for cell in found] == names
    tests = [set(load_data(cell.config).test.indices.tolist()) for cell in found]
    assert tests[0] == tests[2] != tests[1] == tests[3]


def test_folds_are_tests_that_share_no_phone_and_the_seed() -> None:
    found = cells(PhonePriceConfig(folds=4, scaling=("column",), generated_count=200))
    assert [cell.name for cell in found] == [f"column_fold_{k}" for k in (1, 2, 3, 4)]
    tests = [load_data(cell.config).test.indices.tolist() for cell in found]
    assert sorted(index for test in tests for index in test) == list(range(200))
    assert {cell.config.seed for cell in found} == {0}


@pytest.mark.parametrize("name", ["quick", "seed", "paper", "best"])
def test_each_preset_reaches_its_cells(name: str) -> None:
    config = PRESETS[name]
    cell = cells(config)[0].config
    for field in dataclasses.fields(phone_price.PhoneRecipe):
        assert getattr(cell, field.name) == getattr(config, field.name)
    assert cell.preset == name
    phone_price.check_cell(cell)


def test_the_scaling_learned_in_training_is_inside_the_network() -> None:
    for scaling in ("global", "column"):
        config = phone_price.PhoneCellConfig(scaling=scaling, generated_count=200)
        splits = load_data(config)
        rows = vectors.matrix(splits.train)
        model = build_model(config, splits.info)
        inside = keras.Model(model.input, model.get_layer("scaling").output)
        axis = 0 if scaling == "column" else None
        expected = (rows - rows.mean(axis, np.float64)) / rows.std(axis, np.float64)
        np.testing.assert_allclose(np.asarray(inside(rows)), expected, atol=2e-4)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"data": "phone_price"}, "--data-dir"),
        ({"data_dir": Path("x")}, "--data phone_price"),
        ({"folds": 1}, "--folds"),
        ({"folds": 5, "validation_fraction": 0.8}, "--validation-fraction"),
        ({"validation_fraction": 0.0}, "--validation-fraction"),
        ({"test_fraction": 1.5}, "--test-fraction"),
        ({"generated_count": 10}, "--generated-count"),
        ({"scaling": ()}, "--scaling"),
        ({"scaling": ("column", "column")}, "--scaling"),
        ({"hidden": (30, 0)}, "--hidden"),
        ({"epochs": 0}, "--epochs"),
        ({"learning_rate": float("nan")}, "--learning-rate"),
        ({"l1": -1.0}, "--l1"),
        ({"dropout": 1.0}, "--dropout"),
        ({"batch_size": 0}, "--batch-size"),
        ({"repetitions": 0}, "--repetitions"),
        ({"ema_momentum": 1.0}, "--ema-momentum"),
    ],
)
def test_a_bad_option_is_refused_by_its_name(changes: dict, option: str) -> None:
    with pytest.raises(UserError, match=f"{option}\\b") as caught:
        check(dataclasses.replace(PhonePriceConfig(), **changes))
    assert "\n" not in str(caught.value)


def test_a_faulty_table_is_found_before_any_cell_runs(tmp_path: Path) -> None:
    path = phones_csv(tmp_path / "train.csv", [0, 1, 2, 3] * 20, {"ram": "two"})
    config = PhonePriceConfig(data="phone_price", data_dir=path)
    with pytest.raises(DataError, match=r"row 3, column 'ram'.*'two'"):
        check(config)


def test_a_faulty_table_is_one_sentence_and_leaves_nothing_behind(tmp_path: Path) -> None:
    phones_csv(tmp_path / "train.csv", [0, 1, 2, 9] * 20)
    words = ("--data", "phone_price", "--data-dir", str(tmp_path))
    result = run(tmp_path, "tasks.phone_price", *words, status=2)
    assert result.stderr.startswith("error: ")
    assert "row 5, column 'price_range'" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["train.csv"]


def test_importance_is_scikit_learns_for_the_same_classifier(tmp_path: Path) -> None:
    """Logistic regression as a network, inspected as the one and as the other."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(120, 3)).astype(np.float32)
    labels = np.digitize(rows[:, 0] + 0.3 * rows[:, 1], [-0.5, 0.5]).astype(np.int64)
    fitted = LogisticRegression().fit(rows[:, :2], labels)
    features = keras.Input((3,), name="features")
    dense = keras.layers.Dense(3)
    model = keras.Model(features, ClassProbabilities(["a", "b", "c"])(dense(features)))
    dense.set_weights([np.vstack([fitted.coef_.T, np.zeros(3)]), fitted.intercept_])
    model.save(tmp_path / "model.keras")
    source = VectorSource(rows, labels, [str(index) for index in range(120)])
    received = column_importance.importance(tmp_path / "model.keras", source, seed=4)
    three = LogisticRegression()
    three.coef_ = np.hstack([fitted.coef_, np.zeros((3, 1))])
    three.intercept_, three.classes_ = fitted.intercept_, fitted.classes_
    expected = permutation_importance(three, rows, labels, n_repeats=10, random_state=4)
    np.testing.assert_allclose(received, expected.importances_mean, atol=0.01)
    assert received[0] > received[1] > received[2] == 0


def test_baselines_on_made_up_phones() -> None:
    splits = generated_phones.load(1000, Parting(0.1, 0.2, seed=0))
    found = table_baselines.measure(splits)
    assert found["most frequent class"]["accuracy"] == pytest.approx(0.25, abs=0.05)
    assert found["logistic regression (C = 100)"]["accuracy"] > 0.93


def test_averages_by_hand() -> None:
    found = averages(
        [
            {"count": 10, "accuracy": 0.5, "accuracy_low": 0.1, "log_loss": 1.0},
            {"count": 12, "accuracy": 0.7, "accuracy_low": 0.3, "log_loss": 3.0},
        ]
    )
    assert found == pytest.approx(
        {
            "count": 11,
            "accuracy": 0.6,
            "log_loss": 2.0,
            "accuracy_deviation": math.sqrt(0.02),
            "accuracy_lowest": 0.5,
            "accuracy_highest": 0.7,
            "splits": 2,
        }
    )
    assert math.isnan(deviation([0.5]))


def test_columns_of_the_made_up_phones_are_kaggles() -> None:
    assert generated_phones.generate(3).features.shape == (3, len(COLUMNS)) == (3, 20)
