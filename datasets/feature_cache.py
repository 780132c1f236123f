"""The activations of a frozen trunk, computed once for each example and view of it.

Tensor contract: features are float16 or float32, shape (n, *shape), all finite. A view is one way
of showing an example: as it is, or augmented by a seed of the view.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from datasets import array_store

Features = Callable[[int, int], Iterable[np.ndarray]]


class FeatureCache:
    """Features by view and example.

    Attributes:
        views: number of views of each example.
        count: number of examples.
        shape: shape of the features of one example.
        dtype: their type.
        maps: one array of shape (count, *shape) for each view.
    """

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        """Takes one array, in memory or mapped, for each view.

        Args:
            maps: each of shape (count, *shape), of one type.

        Raises:
            ValueError: there is no view, or the views differ in shape or type.
        """
        # Plain arrays: a slice of numpy.memmap takes three times as long to make.
        self.maps = [np.asarray(array) for array in maps]
        kinds = {(array.shape, array.dtype) for array in self.maps}
        if len(kinds) != 1:
            raise ValueError(f"maps must be of one shape and type. Received: {kinds}")
        self.views = len(self.maps)
        self.count, *shape = self.maps[0].shape
        self.shape = tuple(shape)
        self.dtype = self.maps[0].dtype

    def take(self, views: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """The features of some examples, each in the view it is wanted in.

        Args:
            views: whole numbers in [0, views), shape (n,).
            indices: whole numbers in [0, count), shape (n,).

        Returns:
            Shape (n, *shape), of the cache's type, in memory.

        Raises:
            IndexError: a view or an index is out of range.
        """
        views, indices = np.asarray(views), np.asarray(indices)
        _require_within("views", views, self.views)
        _require_within("indices", indices, self.count)
        if views.size and (views == views[0]).all():
            return self.maps[views[0]][indices]
        # Row by row: as quick as masks where rows are short, twice as quick where they are long.
        taken = np.empty((len(indices), *self.shape), self.dtype)
        for place, (view, index) in enumerate(zip(views.tolist(), indices.tolist(), strict=True)):
            taken[place] = self.maps[view][index]
        return taken


def _require_within(name: str, numbers: np.ndarray, limit: int) -> None:
    # Said here, because NumPy would count negative numbers from the end.
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < limit:
        raise IndexError(
            f"{name} must be in [0, {limit}). Received: {numbers.min()} to {numbers.max()}"
        )


def key(**parts: str | int) -> str:
    """SHA-256 over the named parts, in any order, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def bytes_needed(count: int, views: int, shape: tuple[int, ...], dtype: str) -> int:
    """Bytes that the features of `count` examples in `views` views take on disk."""
    return count * views * math.prod(shape) * np.dtype(dtype).itemsize


def compute(
    folder: Path,
    key: str,
    count: int,
    views: int,
    shape: tuple[int, ...],
    dtype: str,
    features: Features,
    show: array_store.Show | None = None,
) -> FeatureCache:
    """The features under `key`: from disk as far as they are there, else computed.

    Each view is a store of its own, so that more views reuse those of a run with fewer.

    Args:
        folder: where the files lie; made if it is not there.
        key: hexadecimal digits that stand for the trunk, the examples and the augmentation.
        count: number of examples.
        views: number of views of each.
        shape: shape of the features of one example.
        dtype: "float16" or "float32"; what the files hold.
        features: called with a view and the first example that is missing; yields the features of
            that view from there to the last example, in batches of any length, floating point,
            shape (n, *shape).
        show: called with the number of features done and of all, as `array_store.open_or_fill`
            calls it.

    Raises:
        DataError: the folder cannot be written to, or its disk has no room for all views.
        OverflowError: a feature is too large for float16.
        FloatingPointError: a feature is infinite or not a number.
        ValueError: an argument is malformed, or `features` yields other batches than it should.
    """
    if dtype not in ("float16", "float32"):
        raise ValueError(f"dtype must be float16 or float32. Received: dtype={dtype}")
    stores = [
        (folder, _view_key(key, view, dtype), (count, *shape), dtype) for view in range(views)
    ]
    missing = sum(array_store.bytes_missing(*store) for store in stores)
    if missing:
        array_store.require_room(folder, missing)
    maps = [
        array_store.open_or_fill(
            *store, _filling(features, view, dtype), _shifted(show, view * count, views * count)
        )
        for view, store in enumerate(stores)
    ]
    return FeatureCache(maps)


def _view_key(features_key: str, view: int, dtype: str) -> str:
    """The key of one view: runs that differ in type keep their files side by side."""
    return key(features=features_key, view=view, dtype=dtype)


def _filling(features: Features, view: int, dtype: str) -> array_store.Fill:
    def fill(first: int) -> Iterator[np.ndarray]:
        for batch in features(view, first):
            yield _converted(np.asarray(batch), dtype, first)
            first += len(batch)

    return fill


def _shifted(
    show: array_store.Show | None, done_before: int, total: int
) -> array_store.Show | None:
    """`show` for one of several stores, told of all of them."""
    if show is None:
        return None
    return lambda done, _: show(done_before + done, total)


def _converted(batch: np.ndarray, dtype: str, first: int) -> np.ndarray:
    """`batch` in the type of the cache; `first` is the number of its first example."""
    with np.errstate(over="ignore"):
        converted = batch.astype(dtype)
    finite = np.isfinite(converted)
    if finite.all():
        return converted
    place = np.argwhere(~finite)[0]
    value, example = batch[tuple(place)], first + place[0]
    if not np.isfinite(value):
        raise FloatingPointError(
            f"The frozen layers must give finite numbers, received {value} for example {example}: "
            "start from other weights."
        )
    raise OverflowError(
        f"Features of {dtype} must lie within +-{np.finfo(dtype).max:.0f}, received {value:.6g} "
        f"for example {example}: choose --cache-precision float32."
    )
