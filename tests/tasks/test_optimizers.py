"""One real step tells what an optimizer does with each group of variables."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from keras_models.transfer import ParameterGroup
from tasks.common.config import TrainConfig
from tasks.common.optimizers import build_optimizer, learning_rate
from tasks.common.task import Stage

CONSTANT = TrainConfig(schedule="constant", optimizer="sgd")
STAGE = Stage("tail", epochs=2, learning_rate=0.1, depth_factor=0.3)
STEPS = 10


def chain(layers: int = 3) -> keras.Model:
    """The sum of multiplications by a scalar each, all by 1 at first.

    The gradient of each weight is the input, whatever the other weights are: in TensorFlow 2.21 a
    chain of layers was seen to use weights of the same step in its backward pass.
    """
    number = keras.Input((1,))
    outputs = [
        keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name=f"layer_{index}")(
            number
        )
        for index in range(layers)
    ]
    return keras.Model(number, keras.layers.add(outputs) if layers > 1 else outputs[0])


def groups_of(model: keras.Model) -> tuple[ParameterGroup, ...]:
    """A group a layer, from the output to the deepest."""
    layers = [layer for layer in model.layers if layer.weights][::-1]
    return tuple(ParameterGroup(layer.name, tuple(layer.weights)) for layer in layers)


def trained(
    config: TrainConfig, stage: Stage = STAGE, layers: int = 3, steps: int = 1, value: float = 1.0
) -> tuple[keras.Model, np.ndarray]:
    """A model after `steps` steps whose gradient is first `value` in each weight; its weights.

    The weights come in the order of the groups.
    """
    model = chain(layers)
    groups = groups_of(model)
    optimizer = build_optimizer(config, stage, groups, STEPS)
    model.compile(optimizer, loss=lambda target, output: output - target)
    for _ in range(steps):
        model.train_on_batch(np.full((1, 1), value, np.float32), np.zeros((1, 1), np.float32))
    weights = [float(group.variables[0].numpy().item()) for group in groups]
    return model, np.array(weights)


def test_a_group_learns_slower_the_deeper_it_lies() -> None:
    """Nesterov: the first step is learning_rate * (1 + momentum) * gradient."""
    model, weights = trained(CONSTANT)
    expected = 0.1 * 1.9 * np.array([1.0, 0.3, 0.09])
    np.testing.assert_allclose(1.0 - weights, expected, rtol=1e-4)
    assert {inner.name for inner in model.optimizer.optimizers} == {"layer_0", "layer_1", "layer_2"}


def test_each_group_has_its_own_schedule() -> None:
    config = dataclasses.replace(CONSTANT, schedule="warmup_cosine")
    model, _ = trained(config, steps=3)
    rates = {inner.name: float(inner.learning_rate) for inner in model.optimizer.optimizers}
    # Three of twenty steps: warm-up of two steps, then the cosine's step 1 of 18.
    head = 0.1 * (1 + np.cos(np.pi / 18)) / 2
    expected = {"layer_2": head, "layer_1": 0.3 * head, "layer_0": 0.09 * head}
    assert rates == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("layers", "stage"),
    [(3, dataclasses.replace(STAGE, depth_factor=1.0)), (1, STAGE)],
)
def test_one_optimizer_is_enough_where_all_rates_are_equal(layers: int, stage: Stage) -> None:
    model, weights = trained(CONSTANT, stage, layers)
    assert type(model.optimizer) is keras.optimizers.SGD
    np.testing.assert_allclose(1.0 - weights, 0.19, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("sgd", keras.optimizers.SGD),
    ],
)
@pytest.mark.parametrize("depth_factor", [1.0, 0.5])
def test_the_named_optimizer_is_used(name: str, kind: type, depth_factor: float) -> None:
    config = dataclasses.replace(CONSTANT, optimizer=name)
    stage = dataclasses.replace(STAGE, depth_factor=depth_factor)
    model = chain()
    optimizer = build_optimizer(config, stage, groups_of(model), STEPS)
    optimizer.build(model.trainable_variables)
    inner = getattr(optimizer, "optimizers", [optimizer])
    assert {type(one) for one in inner} == {kind}


@pytest.mark.parametrize("depth_factor", [1.0, 0.3])
def test_gradients_are_clipped_to_their_norm(depth_factor: float) -> None:
    stage = dataclasses.replace(STAGE, depth_factor=depth_factor)
    _, weights = trained(dataclasses.replace(CONSTANT, clip_norm=0.5), stage, value=100.0)
    expected = 0.19 * 0.5 * depth_factor ** np.arange(3)
    np.testing.assert_allclose(1.0 - weights, expected, rtol=1e-4)


@pytest.mark.parametrize("depth_factor", [1.0, 0.3])
def test_accumulated_gradients_are_applied_once_as_their_mean(depth_factor: float) -> None:
    config = dataclasses.replace(CONSTANT, accumulate_steps=3)
    stage = dataclasses.replace(STAGE, depth_factor=depth_factor)
    _, waiting = trained(config, stage, steps=2)
    np.testing.assert_array_equal(waiting, 1.0)
    _, updated = trained(config, stage, steps=3)
    np.testing.assert_allclose(1.0 - updated, 0.19 * depth_factor ** np.arange(3), rtol=1e-4)


@pytest.mark.parametrize("depth_factor", [1.0, 0.3])
def test_weight_decay_is_decoupled_and_times_the_learning_rate(depth_factor: float) -> None:
    """With no gradient at all each weight shrinks by its learning rate times the decay."""
    config = dataclasses.replace(CONSTANT, weight_decay=0.5)
    stage = dataclasses.replace(STAGE, depth_factor=depth_factor)
    _, weights = trained(config, stage, value=0.0)
    rates = 0.1 * depth_factor ** np.arange(3)
    np.testing.assert_allclose(weights, 1.0 - rates * 0.5, rtol=1e-5)


@pytest.mark.parametrize("depth_factor", [1.0, 0.3])
def test_moving_averages_are_kept_only_if_asked_for(depth_factor: float) -> None:
    stage = dataclasses.replace(STAGE, depth_factor=depth_factor)
    for momentum in (None, 0.75):
        config = dataclasses.replace(CONSTANT, ema_momentum=momentum)
        model, _ = trained(config, stage)
        inner = getattr(model.optimizer, "optimizers", [model.optimizer])
        assert {one.use_ema for one in inner} == {momentum is not None}
        if momentum is not None:
            assert {one.ema_momentum for one in inner} == {momentum}


def rates_of(schedule: str, total_steps: int, **options: float) -> np.ndarray:
    config = dataclasses.replace(CONSTANT, schedule=schedule, **options)
    rate = learning_rate(config, 0.1, 1, total_steps)
    if isinstance(rate, float):
        return np.full(total_steps, rate)
    return np.array([float(rate(step)) for step in range(total_steps)])


@pytest.mark.parametrize("schedule", ["warmup_cosine", "one_cycle", "inverse_time"])
def test_a_schedule_reaches_its_peak_and_falls(schedule: str) -> None:
    rates = rates_of(schedule, 101)
    assert rates.max() == pytest.approx(0.1, rel=1e-3)
    assert (rates >= 0).all()
    peak = rates.argmax()
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()


def test_the_ends_of_the_schedules() -> None:
    cosine = rates_of("warmup_cosine", 100, warmup_fraction=0.1)
    assert cosine.argmax() == 10
    assert cosine[-1] < 1e-3 * 0.1
    cycle = rates_of("one_cycle", 101)
    assert cycle.argmax() == 30
    assert cycle[0] == pytest.approx(0.1 / 25)
    assert cycle[-1] < 1e-6
    np.testing.assert_allclose(
        rates_of("inverse_time", 5, decay=0.5), 0.1 / (1 + 0.5 * np.arange(5)), rtol=1e-5
    )


def test_a_polynomial_is_nearly_a_straight_line_to_nothing() -> None:
    rates = rates_of("polynomial", 101)
    expected = rates[0] * (1 - np.arange(101) / 101) ** 0.9
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_a_rate_that_callbacks_may_change_is_a_plain_number(schedule: str) -> None:
    config = dataclasses.replace(CONSTANT, schedule=schedule)
    assert learning_rate(config, 0.1, 1, 100) == 0.1


def test_a_step_lowers_the_rate_after_so_many_epochs() -> None:
    config = dataclasses.replace(CONSTANT, schedule="step", step_epochs=2, step_factor=0.1)
    rate = learning_rate(config, 0.5, epochs=5, steps_per_epoch=3)
    rates = [float(rate(step)) for step in range(15)]
    np.testing.assert_allclose(rates, [0.5] * 6 + [0.05] * 6 + [0.005] * 3, rtol=1e-5)


@pytest.mark.parametrize(
    "schedule",
    ["constant", "warmup_cosine", "one_cycle", "inverse_time", "plateau", "step", "polynomial"],
)
@pytest.mark.parametrize("total_steps", [1, 2, 3])
@pytest.mark.parametrize("warmup_fraction", [0.0, 0.1, 0.9])
def test_every_schedule_spans_even_a_stage_of_one_step(
    schedule: str, total_steps: int, warmup_fraction: float
) -> None:
    """`--dry-run` has one step a stage; a warm-up of 0.9 is an allowed option."""
    rates = rates_of(schedule, total_steps, warmup_fraction=warmup_fraction)
    assert np.isfinite(rates).all()
    assert rates.max() > 0
