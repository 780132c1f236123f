"""Sources that live in memory and count how they are used."""

from __future__ import annotations

import collections
import threading

import numpy as np


class Pictures:
    """Labelled pictures in memory; notes how often each example was asked for.

    Attributes:
        reads: number of calls of `example` by index.
    """

    def __init__(self, pictures: list[np.ndarray], labels: list[int]) -> None:
        self._pictures = pictures
        self.labels = np.array(labels, dtype=np.int64)
        self.reads: collections.Counter[int] = collections.Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pictures)

    def example(self, index: int) -> dict[str, np.ndarray]:
        with self._lock:
            self.reads[index] += 1
        return {"image": self._pictures[index], "label": self.labels[index]}

    def identifier(self, index: int) -> str:
        return f"picture {index}"


def numbered(count: int, class_count: int = 3, size: tuple[int, int] = (4, 6)) -> Pictures:
    """Constant pictures: number n has the grey level n everywhere, and the label n % classes."""
    pictures = [np.full((*size, 3), number, np.uint8) for number in range(count)]
    return Pictures(pictures, [number % class_count for number in range(count)])


def noisy(count: int, class_count: int = 3, size: tuple[int, int] = (12, 16)) -> Pictures:
    """Pictures of independent random bytes, so that no two are alike in any part."""
    rng = np.random.default_rng(17)
    pictures = [rng.integers(0, 256, (*size, 3), np.uint8) for _ in range(count)]
    return Pictures(pictures, [number % class_count for number in range(count)])
