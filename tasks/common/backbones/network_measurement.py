"""How fast a network answers on this machine and what its process takes of the memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

Clock = Callable[[], float]

# Calls before any timing: the first one traces the network, the next ones choose kernels.
WARM_UP_CALLS = 2


def compiled(network: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """The network as one TensorFlow graph in inference mode, from array to array.

    The answer is copied to the host, so that a call has ended when it returns, on a GPU too.
    """
    graph = tf.function(lambda images: network(images, training=False))

    def predict(images: np.ndarray) -> np.ndarray:
        return graph(tf.constant(images)).numpy()

    return predict


def median_milliseconds(
    call: Callable[[], object],
    seconds: float,
    least: int = 3,
    most: int = 100,
    clock: Clock = time.perf_counter,
) -> float:
    """Median time of a call, in milliseconds, after `WARM_UP_CALLS` that do not count.

    The median, because other work on the machine delays some calls and hastens none.

    Args:
        call: what to time.
        seconds: no further call is begun after so long.
        least: calls that are timed all the same, at least 1.
        most: calls that are enough, where `least` is not more.
        clock: seconds since any moment.
    """
    for _ in range(WARM_UP_CALLS):
        call()
    began, times = clock(), []
    while len(times) < least or (len(times) < most and clock() - began < seconds):
        start = clock()
        call()
        times.append(clock() - start)
    return 1000 * float(np.median(times))


def peak_memory_megabytes() -> float:
    """The most main memory that this process has held so far, in MB of 2^20 bytes.

    Source: getrusage(2), `ru_maxrss`, in kilobytes on Linux and in bytes on macOS.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
