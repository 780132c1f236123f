"""The machine that a benchmark ran on: what it is, how fast it multiplies, what memory it took."""

from __future__ import annotations

import threading
import time
from importlib import metadata
from types import TracebackType

import numpy as np
import psutil

from tasks.common import run_folder

# Named in the results when installed; those that every run folder names come first by themselves.
_MORE_PACKAGES = ("onnxruntime", "ai-edge-litert", "torch", "transformers")


def describe() -> dict[str, str | int | float]:
    """What the machine is and what is installed on it.

    Returns:
        `processor`, `cores` (those this process may use), `memory_bytes`, `platform`, `python`,
        `revision` (of this code; empty outside a repository), then `package NAME`: version for
        each package that is installed.
    """
    known = run_folder.describe("benchmark", 0)
    packages = {**known["packages"], **{name: _version(name) for name in _MORE_PACKAGES}}
    return {
        "processor": known["processor"],
        "cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "platform": known["platform"],
        "python": known["python"],
        "revision": known["git_revision"] or "",
        **{f"package {name}": version for name, version in packages.items() if version},
    }


def usable_cores() -> int:
    """Logical cores that this process may use, which a container may make fewer than there are."""
    process = psutil.Process()
    # Not on every system: macOS binds no process to cores.
    if hasattr(process, "cpu_affinity"):
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1


def matrix_multiply_rate(side: int = 2048, repetitions: int = 8) -> float:
    """Multiply-adds a second of the product of two float32 matrices, on all cores.

    The fastest of several products, and the faster of NumPy and TensorFlow: what this machine can
    do at best with the libraries at hand. A product of two n x n matrices takes n^3 multiply-adds.

    Args:
        side: rows and columns of the matrices; from about 1,000 on the rate is that of the
            arithmetic, not of the memory.
        repetitions: products to time in each library, after one that is not counted.
    """
    import tensorflow as tf

    matrix = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    with tf.device("CPU:0"):
        tensor = tf.constant(matrix)
    products = (lambda: matrix @ matrix, lambda: tf.linalg.matmul(tensor, tensor).numpy())
    return side**3 / min(_fastest(product, repetitions) for product in products)


class PeakMemory:
    """Samples the memory of a process and all its descendants, from a thread, while in `with`.

    A page that processes share counts in parts that sum to one page where the system tells them
    (Linux: proportional set size, which counts pages of memory-mapped files as well); elsewhere
    it counts in each process (resident set size). A peak that lies between two samples is missed.

    Args:
        process_id: of the process at the root; this one by default.
        seconds_between: from one sample to the next.

    Attributes:
        bytes: the highest sum seen.
        anonymous_bytes: the highest sum without pages of files, which the system can take back
            when it runs short. Here a page that processes share counts in each.
    """

    def __init__(self, process_id: int | None = None, seconds_between: float = 0.2):
        """Keep what to sample."""
        self.bytes = 0
        self.anonymous_bytes = 0
        self._process_id = process_id
        self._seconds_between = seconds_between
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_ended, daemon=True)

    def __enter__(self) -> PeakMemory:
        """Take the first sample and go on sampling."""
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the last sample."""
        self._ended.set()
        self._thread.join()
        self._sample()

    def _sample_until_ended(self) -> None:
        while not self._ended.wait(self._seconds_between):
            self._sample()

    def _sample(self) -> None:
        try:
            root = psutil.Process(self._process_id)
            members = [_memory(process) for process in (root, *root.children(recursive=True))]
        except psutil.Error:
            # The process, or the right to look at it, has gone; what was seen so far stays.
            return
        self.bytes = max(self.bytes, sum(resident for resident, _ in members))
        self.anonymous_bytes = max(self.anonymous_bytes, sum(own for _, own in members))


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Bytes of one process, and those of them without pages of files; 0 where it has ended."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0, 0
    return getattr(memory, "pss", memory.rss), memory.rss - getattr(memory, "shared", 0)


def _fastest(product, repetitions: int) -> float:
    """Seconds of the fastest call, after one that is not counted."""
    seconds = []
    for _ in range(repetitions + 1):
        started = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
