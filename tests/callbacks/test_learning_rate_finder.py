from __future__ import annotations

import keras
import numpy as np
import pytest

from callbacks.learning_rate_finder import (
    LearningRateFinder,
    draw_range_test,
    propose_learning_rate,
    smoothed,
)


def variables(model: keras.Model) -> list[np.ndarray]:
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def run(model: keras.Model, data, finder: LearningRateFinder) -> None:
    model.fit(
        np.tile(data[0], (finder.steps // 4 + 1, 1, 1, 1)),
        np.tile(data[1], finder.steps // 4 + 1),
        batch_size=8,
        steps_per_epoch=finder.steps,
        epochs=1,
        verbose=0,
        callbacks=[finder],
    )


def test_the_rate_rises_exponentially_and_everything_is_put_back(data, make_model):
    model = make_model(keras.optimizers.Adam(1e-3))
    model.optimizer.build(model.trainable_variables)
    model.train_on_batch(*data)
    before = variables(model)
    finder = LearningRateFinder(steps=13, lowest=1e-6, highest=1.0)
    run(model, data, finder)
    # Six powers of ten in twelve steps.
    np.testing.assert_allclose(finder.rates, 10.0 ** (np.arange(13) / 2 - 6))
    assert len(finder.losses) == 13
    after = variables(model)
    assert len(before) == len(after)
    for expected, received in zip(before, after, strict=True):
        np.testing.assert_array_equal(received, expected)


def test_the_recorded_loss_is_that_of_one_batch():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    model.layers[-1].kernel.assign([[0.0]])
    finder = LearningRateFinder(steps=3, lowest=1e-12, highest=1e-11)
    targets = np.array([[1.0], [2.0], [3.0]])
    model.fit(np.ones((3, 1)), targets, batch_size=1, shuffle=False, verbose=0, callbacks=[finder])
    np.testing.assert_allclose(finder.losses, [1.0, 4.0, 9.0], rtol=1e-5)


def test_groups_rise_together_in_proportion(data, make_model):
    optimizer_map = keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(1e-3, name="trunk"),
        {".*head.*": keras.optimizers.SGD(1e-2, name="head")},
    )
    model = make_model(keras.optimizers.MultiOptimizer(optimizer_map))
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append([float(inner.learning_rate) for inner in self.model.optimizer.optimizers])

    finder = LearningRateFinder(steps=3, lowest=1e-6, highest=1e-4)
    model.fit(*data, batch_size=8, steps_per_epoch=3, verbose=0, callbacks=[finder, Look()])
    names = [inner.name for inner in model.optimizer.optimizers]
    rates = dict(zip(names, np.array(seen).T, strict=True))
    np.testing.assert_allclose(rates["head"], [1e-6, 1e-5, 1e-4], rtol=1e-5)
    np.testing.assert_allclose(rates["trunk"], [1e-7, 1e-6, 1e-5], rtol=1e-5)
    after = {inner.name: float(inner.learning_rate) for inner in model.optimizer.optimizers}
    assert after == pytest.approx({"trunk": 1e-3, "head": 1e-2})


def test_the_test_ends_when_training_diverges(data):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    finder = LearningRateFinder(steps=60, lowest=1e-12, highest=10.0)
    run(model, data, finder)
    assert 10 < len(finder.rates) < 60
    assert np.isfinite(finder.losses).all()
    assert np.isfinite(variables(model)[0]).all()


def test_a_schedule_is_refused(data, make_model):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match="plain learning rate"):
        run(make_model(keras.optimizers.SGD(schedule)), data, LearningRateFinder(steps=3))


@pytest.mark.parametrize("values", [(1, 1e-7, 1.0), (10, 0.0, 1.0), (10, 1.0, 0.1)])
def test_impossible_ranges_are_refused(values):
    with pytest.raises(ValueError, match="Received"):
        LearningRateFinder(*values)


def test_smoothing_is_corrected_for_its_start():
    # By hand with weight 0.5: 2 / 0.5, then (0.5 * 2 + 0.5 * 2) / 0.75.
    np.testing.assert_allclose(smoothed([4.0, 2.0], 0.5), [4.0, 2.0 / 0.75])
    np.testing.assert_allclose(smoothed([3.0] * 5), [3.0] * 5)


def curve(steepest: float, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A loss that falls from 2 to 1 around `steepest` and explodes a hundred times above it."""
    rates = np.geomspace(1e-7, 10, 200)
    falling = 2 - 1 / (1 + np.exp(-3 * np.log10(rates / steepest)))
    losses = falling + np.maximum(0, rates / steepest / 100 - 1) ** 2
    return rates, losses + noise * np.random.default_rng(0).normal(size=200)


@pytest.mark.parametrize("steepest", [1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_proposal_is_near_the_steepest_descent(steepest, noise):
    proposal = propose_learning_rate(*curve(steepest, noise))
    assert proposal.learned
    assert steepest / 3 < proposal.learning_rate < steepest * 3


@pytest.mark.parametrize("shape", ["flat", "rising", "noise"])
def test_without_a_descent_the_proposal_is_small_and_says_so(shape):
    rates = np.geomspace(1e-7, 10, 100)
    losses = {
        "flat": np.full(100, 2.0),
        "rising": 2 + rates,
        "noise": 2 + np.random.default_rng(0).normal(size=100),
    }[shape]
    proposal = propose_learning_rate(rates, losses)
    assert not proposal.learned
    assert rates[0] <= proposal.learning_rate <= rates[-1] / 10


def test_too_few_or_unequal_points_are_refused():
    with pytest.raises(ValueError, match="same length"):
        propose_learning_rate(np.array([1e-3]), np.array([1.0]))
    with pytest.raises(ValueError, match="same length"):
        propose_learning_rate(np.array([1e-3, 1e-2]), np.array([1.0]))


def test_the_curve_is_drawn(tmp_path):
    rates, losses = curve(1e-3, 0.02)
    draw_range_test(tmp_path / "curve.png", rates, losses, propose_learning_rate(rates, losses))
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
