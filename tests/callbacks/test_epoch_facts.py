from __future__ import annotations

import keras
import pytest

from callbacks import epoch_facts
from callbacks.epoch_facts import EpochFacts
from callbacks.run_position import RunPosition


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 50.0

    monkeypatch.setattr(epoch_facts.time, "monotonic", lambda: Clock.now)
    return Clock


def epoch_logs(facts, clock, epoch, batches, first_seconds=1.0, validation_seconds=3.0):
    facts.on_epoch_begin(epoch)
    for batch in range(batches):
        clock.now += first_seconds if batch == 0 else 1.0
        facts.on_train_batch_end(batch, {})
    clock.now += validation_seconds
    logs = {"loss": 0.5}
    facts.on_epoch_end(epoch, logs)
    return logs


@pytest.fixture
def make_facts(make_model):
    def make(position: RunPosition) -> EpochFacts:
        facts = EpochFacts(position)
        facts.set_model(make_model(keras.optimizers.SGD(0.5)))
        facts.on_train_begin()
        return facts

    return make


def test_seconds_speed_and_rate(make_facts, clock):
    facts = make_facts(RunPosition(5, 8, 38))
    logs = epoch_logs(facts, clock, 0, 5, first_seconds=60.0)
    # 60 s with tracing, 4 s of training, 3 s of validation; 38 - 8 examples in those 4 s.
    assert logs == {
        "loss": 0.5,
        "seconds": 67.0,
        "examples_per_second": 30 / 4,
        "learning_rate": 0.5,
    }
    logs = epoch_logs(facts, clock, 1, 5)
    assert (logs["seconds"], logs["examples_per_second"]) == (8.0, 38 / 5)


def test_an_epoch_of_one_batch_has_no_speed_at_first(make_facts, clock):
    facts = make_facts(RunPosition(1, 8, 8))
    assert "examples_per_second" not in epoch_logs(facts, clock, 0, 1)
    assert epoch_logs(facts, clock, 1, 1)["examples_per_second"] == 8.0


def test_a_resumed_epoch_keeps_the_seconds_spent_before(make_facts, clock):
    first = make_facts(RunPosition(5, 8, 38))
    first.on_epoch_begin(0)
    clock.now += 10.0
    state = first.get_state()
    second = make_facts(RunPosition(5, 8, 38, first_epoch=0, first_batch=2, first_step=2))
    second.set_state(state)
    logs = epoch_logs(second, clock, 0, 3)
    assert logs["seconds"] == 10.0 + 3.0 + 3.0
    assert logs["examples_per_second"] == (38 - 24) / 2
    assert second.get_state() == {"seconds": 0.0}
