"""Learning-rate schedules against values worked out by hand and against Keras's own parts."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_models.schedules import ConstantThenLinear, OneCycle, warmup_cosine


def rates(schedule, steps):
    """The schedule at each of `steps`, as NumPy."""
    return np.array([float(schedule(step)) for step in steps])


def test_one_cycle_known_values():
    # 11 steps, peak at 40 % = step 4; start 1/10, end 1/10/100. Half-way up a half cosine (step 2)
    # and half-way down (step 7) the rate is the mean of both ends.
    schedule = OneCycle(1.0, 11, warmup_fraction=0.4, initial_divisor=10.0, final_divisor=100.0)
    expected = [0.1, 0.55, 1.0, (1.0 + 0.001) / 2, 0.001, 0.001]
    np.testing.assert_allclose(rates(schedule, [0, 2, 4, 7, 10, 500]), expected, rtol=1e-5)
    # cos(pi / 4): step 1 is a quarter of the way up
    assert float(schedule(1)) == pytest.approx(0.1 + 0.9 * (1 - 2**-0.5) / 2, rel=1e-5)


def test_one_cycle_rises_then_falls():
    values = rates(OneCycle(0.3, 101), range(101))
    assert values.argmax() == 30
    assert (np.diff(values[:31]) > 0).all()
    assert (np.diff(values[30:]) < 0).all()


def test_one_cycle_falls_like_cosine_decay():
    schedule = OneCycle(0.2, 101, warmup_fraction=0.25, initial_divisor=20.0, final_divisor=50.0)
    cosine = keras.optimizers.schedules.CosineDecay(0.2, decay_steps=75, alpha=1 / (20 * 50))
    np.testing.assert_allclose(
        rates(schedule, range(25, 101)), rates(cosine, range(76)), rtol=1e-4, atol=1e-7
    )


def test_one_cycle_survives_serialisation():
    schedule = OneCycle(0.05, 40, warmup_fraction=0.2, initial_divisor=5.0, final_divisor=7.0)
    config = keras.optimizers.schedules.serialize(schedule)
    again = keras.optimizers.schedules.deserialize(config)
    assert isinstance(again, OneCycle)
    np.testing.assert_array_equal(rates(again, range(40)), rates(schedule, range(40)))


def test_one_cycle_drives_a_compiled_and_reloaded_model(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    schedule = OneCycle(0.1, 10, warmup_fraction=0.5, initial_divisor=2.0)
    model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")
    model.fit(np.ones((8, 1)), np.ones((8, 1)), batch_size=2, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(float(schedule(4)))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert float(again.optimizer.learning_rate) == pytest.approx(float(schedule(4)))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((0.0, 10), "peak_learning_rate"),
        ((float("nan"), 10), "peak_learning_rate"),
        ((0.1, 1), "total_steps"),
        ((0.1, 10, 0.0), "warmup_fraction"),
        ((0.1, 10, 1.0), "warmup_fraction"),
        ((0.1, 10, 0.3, 0.5), "initial_divisor"),
        ((0.1, 10, 0.3, 25.0, 0.5), "final_divisor"),
    ],
)
def test_one_cycle_refuses(arguments, named):
    with pytest.raises(ValueError, match=named):
        OneCycle(*arguments)


def test_warmup_cosine_known_values():
    # Warm-up of 4: the rates are 1/5 .. 4/5, the peak at step 4; half-way through the remaining
    # 6 steps the cosine is at a half, at step 10 at nothing.
    schedule = warmup_cosine(1.0, total_steps=10, warmup_steps=4)
    expected = [0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 0.0]
    np.testing.assert_allclose(rates(schedule, [0, 1, 2, 3, 4, 7, 10]), expected, atol=1e-6)


def test_warmup_cosine_without_warmup_is_cosine_decay():
    cosine = keras.optimizers.schedules.CosineDecay(0.3, decay_steps=20)
    np.testing.assert_allclose(
        rates(warmup_cosine(0.3, 20, 0), range(21)), rates(cosine, range(21)), rtol=1e-6
    )


@pytest.mark.parametrize(("peak", "total", "warmup"), [(0.0, 9, 1), (1.0, 9, 9), (1.0, 9, -1)])
def test_warmup_cosine_refuses(peak, total, warmup):
    with pytest.raises(ValueError, match="Received"):
        warmup_cosine(peak, total, warmup)


def test_constant_then_linear_known_values():
    # Three steps at the full rate, then four to 0: at step 5 half of the way down.
    schedule = ConstantThenLinear(0.2, 3, 4)
    expected = [0.2, 0.2, 0.2, 0.15, 0.1, 0.05, 0.0, 0.0]
    np.testing.assert_allclose(rates(schedule, [0, 2, 3, 4, 5, 6, 7, 100]), expected, atol=1e-7)


def test_constant_then_linear_falls_like_polynomial_decay():
    line = keras.optimizers.schedules.PolynomialDecay(0.3, 20, end_learning_rate=0.0, power=1.0)
    schedule = ConstantThenLinear(0.3, 10, 20)
    np.testing.assert_allclose(
        rates(schedule, range(10, 31)), rates(line, range(21)), rtol=1e-5, atol=1e-7
    )


def test_constant_then_linear_is_saved_with_an_optimizer():
    schedule = ConstantThenLinear(0.3, 10, 20)
    optimizer = keras.optimizers.Adam(schedule)
    config = keras.optimizers.serialize(optimizer)
    assert keras.optimizers.deserialize(config).get_config() == optimizer.get_config()


@pytest.mark.parametrize("arguments", [(0.0, 1, 1), (0.1, -1, 1), (0.1, 1, 0)])
def test_constant_then_linear_refuses(arguments):
    with pytest.raises(ValueError, match="Received"):
        ConstantThenLinear(*arguments)
