"""Pictures as a training shows them, resized and changed, kept on disk: targets of stored features.

Tensor contract: uint8, (n, height, width, 3), RGB, range [0, 255], for each view; view 0 is plain.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datasets import array_store, core, feature_cache, pipeline


def stored(
    source: core.LabelledSource,
    folder: Path,
    batching: pipeline.Batching,
    views: int = 1,
    seed: int = 0,
    names: tuple[str, ...] = (),
    change: pipeline.Augment | None = None,
) -> feature_cache.FeatureCache:
    """The pictures of a source in some views, computed where they are not on disk.

    View k of example i is what `pipeline.view_batches` gives for it, its fractions cut off: what a
    network whose input is uint8 sees of it, when features of that view are stored.

    Args:
        source: the pictures.
        folder: where the files lie; made if it is not there.
        batching: size, resizing and threads.
        views: at least 1.
        seed: with view and index it decides the changes.
        names: what the changes are called; they are part of the key.
        change: (picture, seed) -> picture; None leaves every view plain.

    Raises:
        DataError: a picture cannot be read, the folder cannot be written to, or its disk has no
            room.
    """
    height, width = batching.image_size
    shape = (len(source), height, width, 3)
    parts: dict[str, str | int] = {
        "content": "views of pictures",
        "pictures": core.content_fingerprint(source),
        "height": height,
        "width": width,
        "resizing": batching.resizing,
    }

    def of_view(view: int) -> np.ndarray:
        changed = {"changes": " ".join(names), "seed": seed, "view": view} if view else {}

        def fill(first: int) -> Iterator[np.ndarray]:
            shown = change if view else None
            for batch in pipeline.view_batches(source, batching, seed, view, first, shown):
                yield batch.numpy().astype(np.uint8)

        key = feature_cache.key(**parts, **changed)
        return array_store.open_or_fill(folder, key, shape, "uint8", fill)

    return feature_cache.FeatureCache([of_view(view) for view in range(views)])
