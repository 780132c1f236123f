"""Decoded examples kept in memory, up to a stated number of bytes."""

from __future__ import annotations

import threading

import numpy as np

from datasets.core import DIGEST_BYTES, LabelledSource, example_digest


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
        self._digests = np.zeros((len(source), DIGEST_BYTES), np.uint8)
        self._has_digest = np.zeros(len(source), bool)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._source)

    def example(self, index: int) -> dict[str, np.ndarray]:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        example = self._source.example(index)
        if not self._has_digest[index]:
            self._note_digest(index, example)
        size = sum(array.nbytes for array in example.values())
        with self._lock:
            if index not in self._kept and self._bytes + size <= self._byte_limit:
                self._kept[index] = example
                self._bytes += size
        return example

    def digest(self, index: int) -> bytes:
        """`core.example_digest` of an example, computed when it was first read.

        It outlives the picture: only an example that was never read is read for it.

        Raises:
            DataError: the example has to be read and cannot be.
        """
        if not self._has_digest[index]:
            self.example(index)
        return self._digests[index].tobytes()

    def _note_digest(self, index: int, example: dict[str, np.ndarray]) -> None:
        self._digests[index] = np.frombuffer(example_digest(example), np.uint8)
        self._has_digest[index] = True  # last: another thread may look in between

    def identifier(self, index: int) -> str:
        return self._source.identifier(index)

    @property
    def labels(self) -> np.ndarray:
        return self._source.labels
