"""Pictures decoded and resized once, on disk, for trainings that see them again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datasets import array_store, core, feature_cache, pipeline

# Pictures written at a time, which is what a kill loses.
_BATCH_SIZE = 32


class DecodedCache:
    """The examples of `source` at one size, each decoded and resized once and for all runs.

    Stands before every random step, like `memory.Remembered`. A picture is exactly what
    `pipeline.resize` makes of the source's; to resize it again to the same size changes nothing.
    """

    def __init__(
        self,
        source: core.LabelledSource,
        folder: Path,
        image_size: tuple[int, int],
        resizing: pipeline.Resizing,
        workers: int = 2,
        show: array_store.Show | None = None,
    ) -> None:
        """Opens the pictures on disk; decodes those that are missing, which may take minutes.

        Args:
            source: the examples; at least one. Where it keeps digests, as `memory.Remembered`
                does, no picture is decoded to find out whether the cache is there.
            folder: where the files lie; made if it is not there.
            image_size: height and width, in pixels.
            resizing: as `pipeline.Batching` has it.
            workers: threads that decode.
            show: called with the number of pictures done and of all, as
                `array_store.open_or_fill` calls it.

        Raises:
            DataError: a picture cannot be read, the folder cannot be written to, or its disk has
                no room.
        """
        self._source = source
        batching = pipeline.Batching(_BATCH_SIZE, image_size, 1, resizing, workers)

        def fill(first: int) -> Iterator[np.ndarray]:
            batches = pipeline.view_batches(source, batching, seed=0, view=0, first=first)
            yield from batches.as_numpy_iterator()

        height, width = image_size
        key = feature_cache.key(
            pictures=core.content_fingerprint(source),
            height=height,
            width=width,
            resizing=resizing,
        )
        shape = (len(source), height, width, 3)
        mapped = array_store.open_or_fill(folder, key, shape, "uint8", fill, show)
        self._pictures = np.asarray(mapped)

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (len,)."""
        return self._source.labels

    def identifier(self, index: int) -> str:
        """What the source calls the example."""
        return self._source.identifier(index)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The resized picture, read-only, and its label."""
        return {"image": self._pictures[index], "label": self._source.labels[index]}
