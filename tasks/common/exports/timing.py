"""How long calls take, measured side by side so that the machine is as busy for one as for another.

Latency is the time from one example to its answer, throughput the examples answered a second where
many come at once.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Mapping

import numpy as np

Call = Callable[[], object]
Clock = Callable[[], float]

# Calls before any timing: the first ones compile, allocate buffers and choose kernels.
WARM_UP_CALLS = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """How often each call is made.

    Attributes:
        rounds: times that every call has its turn, at least 1.
        calls: timed calls a turn, at least 1.
        settling: calls at the start of a turn that are not timed. Those before it have filled the
            processor's caches with their weights, which a server of one model never meets.
    """

    rounds: int
    calls: int
    settling: int


# 100 calls leave five beyond the 95th percentile.
ONE_EXAMPLE = Plan(rounds=20, calls=5, settling=2)
# A batch takes long enough that caches filled by others do not count.
BATCH = Plan(rounds=7, calls=1, settling=0)


@dataclasses.dataclass(frozen=True)
class Speed:
    """What was measured of one call.

    Attributes:
        latency_ms: median time for one example, in milliseconds. The median, because other work
            on the machine delays some calls and hastens none.
        latency_p95_ms: 95th percentile of the same, interpolated between the nearest two.
        throughput: examples a second, in batches, by the median time of a batch.
    """

    latency_ms: float
    latency_p95_ms: float
    throughput: float


def interleaved(
    calls: Mapping[str, Call], plan: Plan, clock: Clock = time.perf_counter
) -> dict[str, np.ndarray]:
    """Seconds of each call, in rounds in which every call has its turn.

    Each round begins with another one, so that none always follows the same neighbour.

    Args:
        calls: what to time, by name.
        plan: how often.
        clock: seconds since any moment.

    Returns:
        For each name float64, shape (rounds * calls,), in order of time.
    """
    for call in calls.values():
        for _ in range(WARM_UP_CALLS):
            call()
    names = list(calls)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(plan.rounds):
        first = number % max(1, len(names))
        for name in names[first:] + names[:first]:
            seconds[name] += _turn(calls[name], plan, clock)
    return {name: np.array(values) for name, values in seconds.items()}


def _turn(call: Call, plan: Plan, clock: Clock) -> list[float]:
    for _ in range(plan.settling):
        call()
    seconds = []
    for _ in range(plan.calls):
        start = clock()
        call()
        seconds.append(clock() - start)
    return seconds


def latency(call: Call, runs: int = 20, clock: Clock = time.perf_counter) -> float:
    """Median time of one call in milliseconds, after a few that do not count.

    Args:
        call: what to time.
        runs: calls that count, at least 1.
        clock: seconds since any moment.
    """
    (seconds,) = interleaved({"": call}, Plan(runs, 1, 0), clock).values()
    return 1000 * float(np.median(seconds))


def speed(single_seconds: np.ndarray, batch_seconds: np.ndarray, batch_size: int) -> Speed:
    """Latency and throughput from the times of calls.

    Args:
        single_seconds: of calls with one example, shape (n,), n > 0.
        batch_seconds: of calls with `batch_size` examples, shape (m,), m > 0.
        batch_size: examples a batch.
    """
    median, high = np.percentile(single_seconds, (50, 95))
    return Speed(
        latency_ms=1000 * float(median),
        latency_p95_ms=1000 * float(high),
        throughput=batch_size / float(np.median(batch_seconds)),
    )


def speeds(
    predicts: Mapping[str, Callable[[np.ndarray], object]],
    inputs: np.ndarray,
    one_example: Plan,
    batch: Plan,
    clock: Clock = time.perf_counter,
) -> dict[str, Speed]:
    """Latency for the first input and throughput for all of them as one batch, side by side.

    Args:
        predicts: functions from inputs to outputs, by name.
        inputs: shape (n, ...), n > 0.
        one_example: how often the first one alone is timed.
        batch: how often the batch is timed.
        clock: seconds since any moment.
    """

    def timed(batch: np.ndarray, plan: Plan) -> dict[str, np.ndarray]:
        calls = {name: functools.partial(predict, batch) for name, predict in predicts.items()}
        return interleaved(calls, plan, clock)

    single, many = timed(inputs[:1], one_example), timed(inputs, batch)
    return {name: speed(single[name], many[name], len(inputs)) for name in predicts}
