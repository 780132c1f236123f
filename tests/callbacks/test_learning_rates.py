from __future__ import annotations

import keras
import pytest

from callbacks.learning_rates import learning_rates

Adam, SGD = keras.optimizers.Adam, keras.optimizers.SGD


def groups(first: str, second: str) -> keras.optimizers.Optimizer:
    optimizer_map = keras.optimizers.OptimizerMap(
        SGD(0.5, name=first), {"head/.*": SGD(0.25, name=second)}
    )
    return keras.optimizers.MultiOptimizer(optimizer_map)


def test_a_plain_optimizer_has_one_rate():
    assert learning_rates(SGD(0.5)) == {"learning_rate": 0.5}


def test_a_schedule_is_evaluated_at_the_present_step():
    optimizer = SGD(keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.5, 0.25]))
    assert learning_rates(optimizer) == {"learning_rate": 0.5}
    optimizer.iterations.assign(4)
    assert learning_rates(optimizer) == {"learning_rate": 0.25}


def test_each_group_of_a_multi_optimizer_has_its_rate():
    expected = {"learning_rate_trunk": 0.5, "learning_rate_head": 0.25}
    assert learning_rates(groups("trunk", "head")) == expected


def test_a_loss_scale_is_looked_through():
    assert learning_rates(keras.optimizers.LossScaleOptimizer(SGD(0.5))) == {"learning_rate": 0.5}
    scaled = keras.optimizers.LossScaleOptimizer(groups("trunk", "head"))
    assert set(learning_rates(scaled)) == {"learning_rate_trunk", "learning_rate_head"}


def test_groups_of_one_name_are_refused():
    with pytest.raises(ValueError, match="different names"):
        learning_rates(groups("sgd", "sgd"))
