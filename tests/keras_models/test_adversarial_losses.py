"""Losses of generators and discriminators against numbers worked out by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.losses.adversarial import (
    cycle_loss,
    identity_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)

SCORES = np.array([[[[0.0], [1.0]], [[2.0], [-1.0]]]], np.float32)


def test_a_generator_wants_scores_of_one() -> None:
    # (1 + 0 + 1 + 4) / 4
    assert float(least_squares_generator_loss(SCORES)) == pytest.approx(1.5)
    assert float(least_squares_generator_loss(np.ones_like(SCORES))) == 0.0


def test_a_discriminator_wants_one_for_real_and_zero_for_generated() -> None:
    # Real: 1.5 as above. Drawn: (0 + 1 + 4 + 1) / 4 = 1.5. Half of their sum.
    assert float(least_squares_discriminator_loss(SCORES, SCORES)) == pytest.approx(1.5)
    perfect = least_squares_discriminator_loss(np.ones_like(SCORES), np.zeros_like(SCORES))
    assert float(perfect) == 0.0


def test_who_cannot_tell_has_a_quarter() -> None:
    """What the report says of the discriminators' losses."""
    unsure = np.full_like(SCORES, 0.5)
    assert float(least_squares_discriminator_loss(unsure, unsure)) == pytest.approx(0.25)
    assert float(least_squares_generator_loss(unsure)) == pytest.approx(0.25)


def test_cycle_and_identity_have_the_weights_of_the_paper() -> None:
    real, other = np.zeros((1, 2, 2, 3), np.float32), np.full((1, 2, 2, 3), -0.5, np.float32)
    assert float(cycle_loss(real, other)) == pytest.approx(10 * 0.5)
    assert float(identity_loss(real, other)) == pytest.approx(5 * 0.5)
    assert float(cycle_loss(real, other, weight=2.0)) == pytest.approx(1.0)
    expected = keras.losses.MeanAbsoluteError()(real, other)
    assert float(identity_loss(real, other, weight=1.0)) == pytest.approx(float(expected))


@pytest.mark.parametrize("loss", [cycle_loss, identity_loss])
def test_shapes_are_not_broadcast(loss) -> None:
    with pytest.raises(ValueError, match=r"\(1, 2, 2, 3\), \(1, 2, 2, 1\) and mask"):
        loss(np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 1)))


@pytest.mark.parametrize("value", [0.0, 1.0, -1e6, 1e6])
def test_gradients_are_finite(value: float) -> None:
    scores = tf.constant(np.full((1, 2, 2, 1), value, np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(scores)
        losses = [
            least_squares_generator_loss(scores),
            least_squares_discriminator_loss(scores, scores),
            cycle_loss(tf.zeros_like(scores), scores),
        ]
    for loss in losses:
        assert np.isfinite(tape.gradient(loss, scores).numpy()).all()


@pytest.mark.parametrize("loss", [cycle_loss, identity_loss])
def test_what_is_masked_does_not_count(loss) -> None:
    """|1 - 0| and |3 - 0| are known, 100 is not; a mask of nothing gives 0."""
    real = np.array([1.0, 3.0, 100.0, 100.0], np.float32).reshape(1, 2, 2, 1)
    mask = np.array([1, 1, 0, 0], np.float32).reshape(1, 2, 2, 1)
    rebuilt = np.zeros_like(real)
    assert float(loss(real, rebuilt, 10.0, mask)) == pytest.approx(20.0)
    assert float(loss(real, rebuilt, 10.0, np.zeros_like(mask))) == 0.0
