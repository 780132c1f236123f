"""Times by a clock that is told what to say, memory and answers of a real process."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import psutil
import pytest

from tasks.common.backbones.network_measurement import (
    WARM_UP_CALLS,
    compiled,
    median_milliseconds,
    peak_memory_megabytes,
)


class Machine:
    """Calls of given lengths on a clock that only they move."""

    def __init__(self, seconds: list[float]) -> None:
        self.now = 0.0
        self.calls = 0
        self._seconds = itertools.chain(seconds, itertools.repeat(seconds[-1]))

    def call(self) -> None:
        self.calls += 1
        self.now += next(self._seconds)

    def clock(self) -> float:
        return self.now


def test_the_first_calls_do_not_count() -> None:
    machine = Machine([100.0] * WARM_UP_CALLS + [0.010, 0.030, 0.020])
    assert median_milliseconds(machine.call, 0.0, least=3, clock=machine.clock) == pytest.approx(20)
    assert machine.calls == WARM_UP_CALLS + 3


def test_no_call_is_begun_after_the_time_is_over() -> None:
    machine = Machine([0.5])
    median_milliseconds(machine.call, 2.0, least=1, most=100, clock=machine.clock)
    assert machine.calls == WARM_UP_CALLS + 4


def test_a_quick_call_is_not_repeated_without_end() -> None:
    machine = Machine([1e-6])
    median_milliseconds(machine.call, 2.0, most=50, clock=machine.clock)
    assert machine.calls == WARM_UP_CALLS + 50


def test_a_slow_call_is_timed_as_often_as_is_asked() -> None:
    machine = Machine([60.0])
    assert median_milliseconds(machine.call, 2.0, least=3, clock=machine.clock) == 60_000
    assert machine.calls == WARM_UP_CALLS + 3


def test_the_peak_of_the_memory_stays_when_memory_is_given_back() -> None:
    held = psutil.Process().memory_info().rss / 2**20
    before = peak_memory_megabytes()
    assert before >= 0.9 * held
    # As much as reaches beyond the earlier peak by 200 MB, whatever other tests have taken.
    large = np.ones(int(before - held + 200) * 2**20 // 8)
    del large
    assert before + 100 < peak_memory_megabytes() < before + 400


def test_the_compiled_network_answers_as_the_network_does() -> None:
    image = keras.Input((8, 8, 3), dtype="uint8")
    pixels = keras.layers.Rescaling(1 / 255)(image)
    dropped = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(pixels))
    network = keras.Model(image, keras.layers.Dense(4)(dropped))
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype("uint8")
    predict = compiled(network)
    assert isinstance(predict(images[:1]), np.ndarray)
    np.testing.assert_allclose(predict(images), network.predict(images, verbose=0), atol=1e-6)
