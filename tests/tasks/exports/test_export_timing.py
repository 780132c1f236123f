"""Times of calls, by a clock that moves only when a call says so."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.common.exports import timing
from tasks.common.exports.timing import Plan


class Machine:
    """A clock, and calls that take the time they are given."""

    def __init__(self):
        self.now = 0.0
        self.order = []

    def clock(self) -> float:
        return self.now

    def call(self, name, seconds):
        """A call that takes the next of `seconds` each time."""
        left = iter(seconds)

        def run():
            self.order.append(name)
            self.now += next(left)

        return run


def test_calls_take_turns_and_each_round_begins_with_another():
    machine = Machine()
    calls = {name: machine.call(name, 99 * [1.0]) for name in "abc"}
    timing.interleaved(calls, Plan(rounds=4, calls=2, settling=1), machine.clock)
    warm_up = "aaabbbccc"
    rounds = ("aaabbbccc", "bbbcccaaa", "cccaaabbb", "aaabbbccc")
    assert "".join(machine.order) == warm_up + "".join(rounds)


def test_warm_up_and_settling_calls_do_not_count():
    machine = Machine()
    slow = [100.0]
    seconds = 3 * slow + (2 * slow + [1.0, 2.0, 3.0]) + (2 * slow + [4.0, 5.0, 6.0])
    calls = {"a": machine.call("a", seconds)}
    found = timing.interleaved(calls, Plan(rounds=2, calls=3, settling=2), machine.clock)
    assert found["a"].tolist() == [1, 2, 3, 4, 5, 6]
    assert len(machine.order) == len(seconds)


def test_a_load_that_comes_and_goes_slows_all_alike():
    """Two calls of which one takes twice as long, on a machine ten times slower for a while."""
    machine = Machine()

    def call(seconds):
        def run():
            machine.now += seconds * (10 if 40 < machine.now < 200 else 1)

        return run

    plan = Plan(rounds=20, calls=2, settling=0)
    found = timing.interleaved({"a": call(1.0), "b": call(2.0)}, plan, machine.clock)
    medians = {name: np.median(seconds) for name, seconds in found.items()}
    assert max(found["a"]) == 10, "the load was met"
    assert medians == {"a": 1, "b": 2}
    assert found["b"].mean() / found["a"].mean() == pytest.approx(2, rel=0.15)


def test_speed_is_median_percentile_and_pictures_by_the_median_batch():
    # 1 to 100 ms in any order: the median lies between 50 and 51; of the 99 gaps between them,
    # 95 % reach to 1 + 0.95 * 99 = 95.05. Half a second a batch of 32 is 64 pictures a second.
    milliseconds = np.random.default_rng(0).permutation(np.arange(1, 101))
    found = timing.speed(milliseconds / 1000, np.array([2.0, 0.5, 0.25]), batch_size=32)
    assert found.latency_ms == pytest.approx(50.5)
    assert found.latency_p95_ms == pytest.approx(95.05)
    assert found.throughput == pytest.approx(64)


def test_speeds_times_the_first_picture_and_then_all_of_them():
    machine = Machine()
    pictures = np.arange(8 * 12, dtype=np.uint8).reshape(8, 2, 2, 3)
    seen = []

    def predict(images):
        seen.append(images)
        # 5 ms for the call and 10 ms for each picture.
        machine.now += 0.005 + 0.01 * len(images)

    found = timing.speeds(
        {"a": predict}, pictures, Plan(2, 3, 1), Plan(2, 1, 0), clock=machine.clock
    )["a"]
    assert found.latency_ms == pytest.approx(15)
    assert found.latency_p95_ms == pytest.approx(15)
    assert found.throughput == pytest.approx(8 / 0.085)
    sizes = [len(images) for images in seen]
    assert sizes == (3 + 2 * 4) * [1] + (3 + 2) * [8]
    np.testing.assert_array_equal(seen[0], pictures[:1])
    np.testing.assert_array_equal(seen[-1], pictures)


def test_latency_is_the_median_of_the_calls_after_the_warm_up():
    machine = Machine()
    seconds = [0.9, 0.9, 0.9, 0.004, 0.1, 0.002, 0.003, 0.005]
    call = machine.call("a", seconds)
    assert timing.latency(call, runs=5, clock=machine.clock) == pytest.approx(4)
    assert len(machine.order) == len(seconds)


def test_the_plans_leave_calls_beyond_the_percentile():
    assert timing.ONE_EXAMPLE.rounds * timing.ONE_EXAMPLE.calls * 0.05 >= 5
    assert timing.BATCH.rounds * timing.BATCH.calls % 2 == 1, "the median is a batch that ran"
