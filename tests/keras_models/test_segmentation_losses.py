"""The losses of class maps against NumPy and scikit-learn, and gradients where they could break."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score, log_loss

from keras_models.losses.segmentation import (
    SegmentationLoss,
    cross_entropy_loss,
    focal_loss,
    soft_dice_loss,
)

VOID = 3
EVERY_LOSS = pytest.mark.parametrize(
    "loss",
    [
        cross_entropy_loss,
        focal_loss,
        soft_dice_loss,
        SegmentationLoss(1.0, 0.5, 2.0, (1.0, 2.0, 0.5)),
        SegmentationLoss(0.0, 1.0, 0.0, focus=0.5),
    ],
    ids=["cross_entropy", "focal", "dice", "combined", "small_focus"],
)


def value_and_gradient(loss, truth, prediction) -> tuple[float, np.ndarray]:
    """The loss and its gradient with respect to the prediction."""
    prediction = tf.constant(prediction, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(prediction)
        value = loss(tf.constant(truth, tf.float32), prediction)
    return float(value), tape.gradient(value, prediction).numpy()


def random_maps() -> tuple[np.ndarray, np.ndarray]:
    """Ids with a fifth void, (2, 5, 6, 1), and probabilities of three classes, (2, 5, 6, 3)."""
    rng = np.random.default_rng(1)
    ids = rng.choice([0, 1, 2, VOID], (2, 5, 6, 1), p=[0.5, 0.2, 0.1, 0.2]).astype(np.float32)
    return ids, rng.dirichlet([1.0, 1.0, 1.0], (2, 5, 6)).astype(np.float32)


def one_hot(ids: np.ndarray) -> np.ndarray:
    return (ids == np.arange(3)).astype(np.float32)


def test_cross_entropy_is_that_of_scikit_learn() -> None:
    ids, probabilities = random_maps()
    valid = ids.ravel() != VOID
    flat = probabilities.reshape(-1, 3)[valid]
    truth = ids.ravel()[valid]
    assert float(cross_entropy_loss(ids, probabilities)) == pytest.approx(
        log_loss(truth, flat), rel=1e-5
    )
    weights = np.array([1.0, 3.0, 0.5])
    expected = log_loss(truth, flat, sample_weight=weights[truth.astype(int)])
    assert float(cross_entropy_loss(ids, probabilities, weights)) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_focus_of_nothing_is_cross_entropy_and_of_two_is_by_hand() -> None:
    ids, probabilities = random_maps()
    assert float(focal_loss(ids, probabilities, focus=0.0)) == float(
        cross_entropy_loss(ids, probabilities)
    )
    valid = ids.ravel() != VOID
    p = probabilities.reshape(-1, 3)[valid, ids.ravel()[valid].astype(int)]
    expected = ((1 - p) ** 2 * -np.log(p)).mean()
    assert float(focal_loss(ids, probabilities)) == pytest.approx(expected, rel=1e-5)


def test_dice_of_certain_answers_is_one_minus_f1() -> None:
    """So many pixels that the one of the smoothing does not show."""
    rng = np.random.default_rng(2)
    truth, found = rng.integers(0, 3, (2, 2, 200, 200))
    truth[0, :20] = VOID
    expected = f1_score(truth[truth != VOID], found[truth != VOID], average="macro")
    loss = float(soft_dice_loss(truth, one_hot(found[..., None])))
    assert 1 - loss == pytest.approx(expected, abs=1e-4)


def test_dice_of_probabilities_by_hand() -> None:
    """Class 0: (2 * 0.8 + 1) / (1 + 1.2 + 1); class 1: (2 * 0.6 + 1) / (1 + 0.8 + 1)."""
    truth, prediction = [[[0, 1]]], [[[[0.8, 0.2], [0.4, 0.6]]]]
    expected = 1 - (2.6 / 3.2 + 2.2 / 2.8) / 2
    assert float(soft_dice_loss(truth, prediction)) == pytest.approx(expected)
    # Class 1 is not in the truth: what is wrongly called so is charged to class 0 alone.
    only = float(soft_dice_loss([[[0, 0]]], prediction))
    assert only == pytest.approx(1 - (2 * 1.2 + 1) / (2 + 1.2 + 1))


@EVERY_LOSS
def test_ids_with_and_without_an_axis_and_one_hot_are_the_same(loss) -> None:
    ids, probabilities = random_maps()
    values = [
        float(loss(truth, probabilities))
        for truth in (ids, ids[..., 0], ids.astype(np.uint8), one_hot(ids))
    ]
    np.testing.assert_allclose(values, values[0], rtol=1e-6)


@EVERY_LOSS
def test_the_gradient_by_differences(loss) -> None:
    ids, probabilities = random_maps()
    _, gradient = value_and_gradient(loss, ids, probabilities)
    row = np.argwhere(ids[..., 0] == 1)[0]
    place = (*row, 1)
    step = np.zeros_like(probabilities)
    step[place] = 2e-3
    ahead, behind = (float(loss(ids, probabilities + sign * step)) for sign in (1, -1))
    assert gradient[place] == pytest.approx((ahead - behind) / 4e-3, rel=0.02, abs=1e-4)


@EVERY_LOSS
@pytest.mark.parametrize("void", [VOID, 255, -1])
def test_any_id_that_is_no_class_is_void_and_leaves_no_trace(loss, void: int) -> None:
    ids, probabilities = random_maps()
    ids[ids == VOID] = void
    value, gradient = value_and_gradient(loss, ids, probabilities)
    assert (gradient[ids[..., 0] == void] == 0).all()
    other = np.where(ids == void, np.float32([1, 0, 0]), probabilities)
    assert float(loss(ids, other)) == pytest.approx(value, rel=1e-6)


@EVERY_LOSS
def test_all_void(loss) -> None:
    value, gradient = value_and_gradient(
        loss, np.full((1, 2, 2, 1), 255), np.ones((1, 2, 2, 3)) / 3
    )
    assert value == 0
    assert (gradient == 0).all()


@EVERY_LOSS
def test_right_wrong_and_no_answer_have_finite_gradients(loss) -> None:
    ids = random_maps()[0]
    perfect = one_hot(np.minimum(ids, 2))
    for prediction in (perfect, 1 - perfect, np.zeros_like(perfect), np.ones_like(perfect)):
        value, gradient = value_and_gradient(loss, ids, prediction)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
    assert value_and_gradient(loss, ids, perfect)[0] == pytest.approx(0, abs=1e-5)


@EVERY_LOSS
@pytest.mark.parametrize("size", [20.0, 80.0, 200.0, 1e30])
def test_a_softmax_learns_from_hopeless_answers_as_long_as_float32_knows_them(
    loss, size: float
) -> None:
    """The logits of the wrong class lead by `size`; the exponential of -80 is 1.8e-35."""
    logits = np.zeros((1, 2, 2, 3), np.float32)
    logits[..., 2] = size

    def of_logits(truth, values):
        return loss(truth, tf.nn.softmax(values))

    value, gradient = value_and_gradient(of_logits, np.zeros((1, 2, 2, 1)), logits)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    if size < 60 and loss is not soft_dice_loss:
        assert gradient[0, 0, 0, 0] < -0.01


def test_weights_of_zero_count_nothing() -> None:
    ids, probabilities = random_maps()
    value, gradient = value_and_gradient(
        lambda truth, p: cross_entropy_loss(truth, p, (0.0, 0.0, 0.0)), ids, probabilities
    )
    assert value == 0
    assert (gradient == 0).all()


def test_the_class_adds_its_parts_and_can_be_saved() -> None:
    ids, probabilities = random_maps()
    weights = (1.0, 2.0, 0.5)
    loss = SegmentationLoss(1.0, 0.5, 2.0, weights, 1.5)
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    expected = (
        float(cross_entropy_loss(ids, probabilities, weights))
        + 0.5 * float(focal_loss(ids, probabilities, weights, 1.5))
        + 2.0 * float(soft_dice_loss(ids, probabilities))
    )
    assert float(loss(ids, probabilities)) == pytest.approx(expected, rel=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    ids, probabilities = random_maps()
    for truth in (ids[:1], ids[:, :4], np.zeros((2, 5, 6, 2)), ids[..., 0, 0]):
        with pytest.raises(ValueError, match="class ids"):
            cross_entropy_loss(truth, probabilities)
    with pytest.raises(ValueError, match="one per class, 3"):
        cross_entropy_loss(ids, probabilities, (1.0, 2.0))
    with pytest.raises(ValueError, match="at least 0"):
        SegmentationLoss(dice=-1.0)
    with pytest.raises(ValueError, match="One factor"):
        SegmentationLoss(cross_entropy=0.0)
    with pytest.raises(ValueError, match="no `sample_weight`"):
        SegmentationLoss()(ids, probabilities, sample_weight=np.ones(2))


@EVERY_LOSS
def test_what_is_not_a_number_at_a_void_pixel_leaves_no_trace(loss) -> None:
    ids, probabilities = random_maps()
    broken = np.where(ids == VOID, np.float32(np.nan), probabilities)
    value, gradient = value_and_gradient(loss, ids, broken)
    assert np.isfinite(value)
    assert np.isfinite(gradient[ids[..., 0] != VOID]).all()
