"""Decoded examples kept in memory, up to a stated number of bytes."""

from __future__ import annotations

import threading

import numpy as np

from datasets.core import LabelledSource


class Remembered:
    """The examples of `source`, each decoded or drawn once while the memory lasts.

    Stands before every random step, so that no augmentation is ever remembered.
    """

    def __init__(self, source: LabelledSource, byte_limit: int) -> None:
        """Keeps examples until their pictures take `byte_limit` bytes; later ones are reread."""
        self._source = source
        self._byte_limit = byte_limit
        self._bytes = 0
        self._kept: dict[int, dict[str, np.ndarray]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._source)

    def example(self, index: int) -> dict[str, np.ndarray]:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        example = self._source.example(index)
        size = sum(array.nbytes for array in example.values())
        with self._lock:
            if index not in self._kept and self._bytes + size <= self._byte_limit:
                self._kept[index] = example
                self._bytes += size
        return example

    def identifier(self, index: int) -> str:
        return self._source.identifier(index)

    @property
    def labels(self) -> np.ndarray:
        return self._source.labels
