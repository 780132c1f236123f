"""The multi-layer perceptron on tables: its size, its scaling, its heads, saved and loaded."""

from __future__ import annotations

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.preprocessing import StandardScaler

from keras_models.columns import TableColumns, table_columns
from keras_models.mlp import Scaling, build_mlp, column_scaling, global_scaling
from keras_models.transfer import class_names

NAMES = ("ram", "weight", "wifi")
CLASSES = ("low", "medium", "high")
ROWS = np.float32([[512, 120, 0], [1024, 180, 0], [4000, 95.5, 0], [256, 140, 0]])
MEAN, DEVIATION = ROWS.mean(axis=0), ROWS.std(axis=0)


def small(head: str = "softmax", **options) -> keras.Model:
    keras.utils.set_random_seed(1)
    scaling = column_scaling(MEAN, DEVIATION)
    return build_mlp(NAMES, "price", CLASSES, scaling, (5, 4), 0.2, head, **options)


def scaled(scaling: Scaling) -> np.ndarray:
    model = build_mlp(NAMES, "price", CLASSES, scaling, ())
    inside = keras.Model(model.input, model.get_layer("scaling").output)
    return np.asarray(inside(ROWS))


def test_each_column_by_itself_is_scikit_learns_standard_scaler() -> None:
    # The last column never changes: it becomes 0, not a division by 0.
    expected = StandardScaler().fit_transform(ROWS.astype(np.float64))
    np.testing.assert_allclose(scaled(column_scaling(MEAN, DEVIATION)), expected, atol=1e-5)


def test_one_scale_for_the_table_is_numpys_mean_and_deviation_of_all_numbers() -> None:
    expected = (ROWS - ROWS.mean()) / ROWS.std()
    np.testing.assert_allclose(scaled(global_scaling(MEAN, DEVIATION)), expected, atol=1e-5)


def test_the_network_of_the_report_has_its_weights() -> None:
    columns = [f"c{i}" for i in range(20)]
    scaling = Scaling((0.0,), (1.0,))
    model = build_mlp(columns, "price", ("a", "b", "c", "d"), scaling)
    sizes = [20, 300, 200, 150, 50, 4]
    expected = sum(a * b + b for a, b in itertools.pairwise(sizes))
    assert model.count_params() == expected == 104_404
    assert [layer.rate for layer in model.layers if "dropout" in layer.name] == [0.2]
    assert model.input.dtype == "float32"
    assert model.input.name == "features"


@pytest.mark.parametrize("head", ["softmax", "ordinal"])
def test_probabilities_sum_to_1_and_every_weight_gets_a_gradient(head: str) -> None:
    model = small(head)
    with tf.GradientTape() as tape:
        probabilities = model(ROWS)
        loss = keras.losses.CategoricalCrossentropy()(np.eye(3)[[0, 1, 2, 0]], probabilities)
    np.testing.assert_allclose(np.asarray(probabilities).sum(axis=1), 1, atol=1e-6)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    assert all(np.isfinite(gradient.numpy()).all() for gradient in gradients)
    assert all(np.abs(gradient.numpy()).max() > 0 for gradient in gradients)


@pytest.mark.parametrize("head", ["softmax", "ordinal"])
def test_a_saved_model_knows_columns_classes_and_scaling(head: str, tmp_path: Path) -> None:
    model = small(head)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_array_equal(np.asarray(model(ROWS)), np.asarray(again(ROWS)))
    assert table_columns(again).column_names == NAMES
    assert table_columns(again).label_column == "price"
    assert class_names(again) == CLASSES


def test_without_hidden_layers_it_is_one_score_or_a_logit_a_class() -> None:
    scaling = Scaling((0.0,), (1.0,))
    assert build_mlp(NAMES, "price", CLASSES, scaling, (), head="softmax").count_params() == 12
    assert build_mlp(NAMES, "price", CLASSES, scaling, (), head="ordinal").count_params() == 5


def test_the_penalty_is_the_sum_of_the_absolute_weights() -> None:
    model = small("ordinal", l1=0.01)
    weights = model.get_layer("score").get_weights()[0]
    model(ROWS)
    assert float(sum(model.losses)) == pytest.approx(0.01 * np.abs(weights).sum(), rel=1e-5)
    assert small("ordinal").losses == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scaling": Scaling((1.0, 2.0), (1.0,))}, "scaling.mean"),
        ({"scaling": Scaling((1.0,), ())}, "scaling.deviation"),
        ({"hidden": (3, 0)}, "hidden"),
        ({"head": "logit"}, "head"),
        ({"column_names": ("a", "a", "b")}, "distinct"),
        ({"label_column": "ram"}, "without the label"),
    ],
)
def test_wrong_arguments_are_refused(changes: dict, message: str) -> None:
    good = {
        "column_names": NAMES,
        "label_column": "price",
        "class_names": CLASSES,
        "scaling": Scaling((0.0,), (1.0,)),
    }
    with pytest.raises(ValueError, match=message):
        build_mlp(**{**good, **changes})


def test_columns_are_checked_against_the_features() -> None:
    with pytest.raises(ValueError, match="one name per feature"):
        TableColumns(["a"], "b")(np.zeros((1, 2), np.float32))
    with pytest.raises(ValueError, match="must begin"):
        table_columns(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
