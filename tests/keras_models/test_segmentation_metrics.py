"""Scores of class maps against scikit-learn."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn import metrics as reference

from keras_models.metrics.segmentation import (
    MeanIoU,
    confusion_matrix,
    dice_scores,
    intersection_over_union,
    mean_of_defined,
    pixel_accuracy,
)

CLASSES, VOID = 5, 5


def random_maps() -> tuple[np.ndarray, np.ndarray]:
    """True ids with void, and ids that were found; (3, 20, 30) each. Class 4 is only found."""
    rng = np.random.default_rng(7)
    truth = rng.choice([0, 1, 2, 3, VOID], (3, 20, 30), p=[0.5, 0.2, 0.15, 0.1, 0.05])
    found = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, CLASSES, truth.shape))
    return truth, np.where(found == VOID, 0, found)


def test_everything_is_what_scikit_learn_says() -> None:
    truth, found = random_maps()
    matrix = np.asarray(confusion_matrix(truth, found, CLASSES))
    pair = truth[truth != VOID], found[truth != VOID]
    labels = np.arange(CLASSES)
    np.testing.assert_array_equal(matrix, reference.confusion_matrix(*pair, labels=labels))
    assert matrix.dtype == np.int64
    jaccard = reference.jaccard_score(*pair, labels=labels, average=None)
    np.testing.assert_allclose(intersection_over_union(matrix), jaccard, rtol=1e-6)
    f1 = reference.f1_score(*pair, labels=labels, average=None)
    np.testing.assert_allclose(dice_scores(matrix), f1, rtol=1e-6)
    assert float(pixel_accuracy(matrix)) == pytest.approx(reference.accuracy_score(*pair))
    assert float(mean_of_defined(intersection_over_union(matrix))) == pytest.approx(jaccard.mean())


def test_a_class_that_nobody_names_is_left_out_of_the_mean() -> None:
    matrix = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    scores = np.asarray(intersection_over_union(matrix))
    np.testing.assert_allclose(scores, [3 / 4, 4 / 5, np.nan])
    assert float(mean_of_defined(scores)) == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert np.isnan(mean_of_defined(np.array([np.nan], np.float32)))
    assert np.isnan(pixel_accuracy(np.zeros((3, 3), np.int64)))


@pytest.mark.parametrize("void", [5, 255, -1])
def test_any_id_that_is_no_class_is_void(void: int) -> None:
    truth, found = random_maps()
    expected = np.asarray(confusion_matrix(truth, found, CLASSES))
    truth = np.where(truth == VOID, void, truth).astype(np.float32)[..., None]
    np.testing.assert_array_equal(confusion_matrix(truth, found, CLASSES), expected)


def test_counts_beyond_the_reach_of_float32() -> None:
    """16,777,217 is the first whole number that float32 does not know."""
    metric = MeanIoU(2)
    metric.matrix.assign(np.array([[2**24, 0], [0, 5]]))
    metric.update_state(np.zeros((1, 1, 1, 1)), np.array([[[[0.9, 0.1]]]], np.float32))
    assert int(np.asarray(metric.matrix)[0, 0]) == 2**24 + 1


def test_the_metric_counts_over_all_batches() -> None:
    truth, found = random_maps()
    probabilities = np.eye(CLASSES, dtype=np.float32)[found] * 0.6 + 0.08
    metric = MeanIoU(CLASSES)
    assert float(metric.result()) == 0
    for one in range(3):
        metric.update_state(truth[one : one + 1, ..., None], probabilities[one : one + 1])
    matrix = confusion_matrix(truth, found, CLASSES)
    expected = float(mean_of_defined(intersection_over_union(matrix)))
    assert float(metric.result()) == pytest.approx(expected)
    np.testing.assert_array_equal(metric.matrix, matrix)
    metric.reset_state()
    assert not np.asarray(metric.matrix).any()
    with pytest.raises(ValueError, match="no `sample_weight`"):
        metric.update_state(truth, probabilities, sample_weight=1.0)


def test_the_metric_works_in_a_compiled_step_and_can_be_saved() -> None:
    truth, found = random_maps()
    metric = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(MeanIoU(CLASSES))
    )
    model = keras.Sequential([keras.Input((20, 30, CLASSES)), keras.layers.Identity()])
    model.compile(loss=lambda *_: 0.0, metrics=[metric])
    pictures = np.eye(CLASSES, dtype=np.float32)[found]
    result = model.evaluate(pictures, truth[..., None], batch_size=2, verbose=0, return_dict=True)
    matrix = confusion_matrix(truth, found, CLASSES)
    expected = float(mean_of_defined(intersection_over_union(matrix)))
    assert result["mean_iou"] == pytest.approx(expected)
