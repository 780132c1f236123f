"""Losses, optimizers and baselines of classifiers of texts."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from datasets.core import DatasetInfo, Splits
from datasets.vectors import VectorSource
from tasks.common import text_baselines, text_training
from tasks.common.task import Stage
from tasks.reuters_losses import ReutersCellConfig


def test_losses_are_means_or_sums_over_the_outputs() -> None:
    target = np.float32([[0, 1, 0, 0]])
    score = np.float32([[0.1, 0.6, 0.2, 0.1]])
    bce = -np.mean(np.log([0.9, 0.6, 0.8, 0.9]))
    for name, expected in {
        "binary_crossentropy": bce,
        "categorical_crossentropy": -np.log(0.6),
        "mean_squared_error": np.mean([0.01, 0.16, 0.04, 0.01]),
        "squared_hinge": np.mean([1.1**2, 0.4**2, 1.2**2, 1.1**2]),
    }.items():
        assert float(text_training.build_loss(name)(target, score)) == pytest.approx(
            expected, rel=1e-5
        )
    smoothed = text_training.build_loss("categorical_crossentropy", 0.2)(target, score)
    share = np.array([0.05, 0.85, 0.05, 0.05])
    assert float(smoothed) == pytest.approx(-np.sum(share * np.log(score)), rel=1e-5)
    with pytest.raises(ValueError, match="loss of this module"):
        text_training.build_loss("huber")


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", keras.optimizers.SGD), ("adam", keras.optimizers.Adam)]
)
def test_the_optimizer_is_plain_and_constant(name: str, kind: type) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    config = ReutersCellConfig(optimizer=name, schedule="constant", loss="mean_squared_error")
    text_training.compile_model(config, model, Stage("train", 3, 0.25), 10)
    assert isinstance(model.optimizer, kind)
    assert float(model.optimizer.learning_rate) == 0.25
    if name == "sgd":
        assert model.optimizer.momentum == 0.0
        # One step of plain SGD, by hand: w - rate * gradient.
        before = model.get_weights()[0]
        x, y = np.float32([[1, 2]]), np.float32([[0, 1]])
        model.train_on_batch(x, y)
        expected = before - 0.25 * x.T @ (x @ before - y)
        np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


def splits(rows: np.ndarray, labels: np.ndarray) -> Splits:
    def part(begin: int, end: int) -> VectorSource:
        return VectorSource(rows[begin:end], labels[begin:end], tuple("x" * (end - begin)))

    info = DatasetInfo("x", ("a", "b", "c"), "x", "x", "x")
    return Splits(part(0, 30), part(30, 40), part(40, 50), info)


def test_baselines_by_hand() -> None:
    labels = np.array([0, 1, 0, 2, 1] * 10)
    rows = np.zeros((50, 6), np.float32)
    rows[:, 0] = 1
    rows[np.arange(50), labels + 1] = 3
    found = text_baselines.baselines(splits(rows, labels))
    # Classes 0 and 1 are both in 12 of 30 training texts: the lower one counts, in 4 of 10.
    assert found["most frequent class"]["accuracy"] == pytest.approx(0.4)
    assert found["linear SVM on tf-idf"]["accuracy"] == 1.0
    assert found["linear SVM on tf-idf"]["count"] == 10
    assert found["linear SVM on tf-idf"]["accuracy_low"] == pytest.approx(0.722, abs=0.001)
    one = splits(rows, np.zeros(50, np.int64))
    assert text_baselines.baselines(one)["linear SVM on tf-idf"]["accuracy"] == 1.0
    assert text_baselines.most_frequent_share(one.train, one.validation) == 1.0
