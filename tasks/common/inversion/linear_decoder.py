"""What linear regression rebuilds of a picture: the decoder that a sceptic would try first.

From maps: each patch of the picture from the features at its place and at the eight places around
it (at its place alone, where that were too many). From a vector: the whole picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4)
# The regression takes the square of the one and the product of both: seconds at these limits.
_MOST_INPUTS = 1300
_MOST_ROWS = 8000
# From vectors there are thousands of inputs and outputs, and so as many numbers as their product.
_MOST_VECTORS = 1000
_MOST_PICTURES = 256
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Examples:
    """Stored features with the pictures they are of.

    Attributes:
        features: (n, h, w, channels) or (n, units), in memory or mapped.
        pictures: (n, height, width, 3), range [0, 255], of any one size.
    """

    features: np.ndarray
    pictures: np.ndarray


class LinearDecoder:
    """Ridge regression from features to pictures, its penalty chosen on validation."""

    def __init__(
        self, train: Examples, validation: Examples, target_size: tuple[int, int], seed: int
    ) -> None:
        """Fits one regression for each penalty and keeps the best.

        Args:
            train: a part of it is taken where there is more than a regression can hold.
            validation: chooses the penalty by the squared error of pixels.
            target_size: height and width of the pictures to rebuild.
            seed: decides which part is taken.
        """
        vector = train.features.ndim == 2
        self._map_size = (1, 1) if vector else train.features.shape[1:3]
        self._target_size = tuple(target_size)
        self._patch = tuple(
            -(-whole // places)
            for whole, places in zip(self._target_size, self._map_size, strict=True)
        )
        self._reach = int(not vector and 9 * train.features.shape[-1] <= _MOST_INPUTS)
        rows = self._rows(train, seed)
        features = validation.features[:_MOST_PICTURES]
        truth = _resized(validation.pictures[:_MOST_PICTURES], self._target_size)
        best, least = None, np.inf
        for penalty in PENALTIES:
            # In float64, since a small penalty is lost beside squares in float32.
            self._fit = make_pipeline(StandardScaler(), Ridge(penalty)).fit(*rows)
            rebuilt = np.concatenate(list(self.rebuilt(features, _BATCH)))
            error = np.square(rebuilt - truth).mean()
            if best is None or error < least:
                best, least = self._fit, error
        self._fit = best

    def rebuilt(self, features: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
        """Batch after batch of rebuilt pictures, float32 (n, height, width, 3), not clipped."""
        height, width = self._map_size
        for begin in range(0, len(features), batch_size):
            part = features[begin : begin + batch_size]
            inputs = self._inputs(part)
            patches = self._fit.predict(inputs.reshape(-1, inputs.shape[-1]))
            grid = patches.reshape(len(part), height, width, *self._patch, 3)
            whole = grid.transpose(0, 1, 3, 2, 4, 5).reshape(
                len(part), height * self._patch[0], width * self._patch[1], 3
            )
            yield _resized(whole, self._target_size)

    def _inputs(self, features: np.ndarray) -> np.ndarray:
        """Features around each place, float64 (n, h, w, inputs); outside of the maps is 0."""
        maps = features.reshape(len(features), *self._map_size, -1).astype(np.float64)
        reach = self._reach
        padded = np.pad(maps, [(0, 0), (reach, reach), (reach, reach), (0, 0)])
        side = 2 * reach + 1
        around = sliding_window_view(padded, (side, side), axis=(1, 2))
        return around.reshape(*maps.shape[:3], -1)

    def _outputs(self, pictures: np.ndarray) -> np.ndarray:
        """The patch of the picture at each place, float64 (n, h, w, pixels of a patch)."""
        (height, width), (rows, columns) = self._map_size, self._patch
        whole = _resized(pictures, (height * rows, width * columns)).astype(np.float64)
        grid = whole.reshape(len(pictures), height, rows, width, columns, 3)
        return grid.transpose(0, 1, 3, 2, 4, 5).reshape(len(pictures), height, width, -1)

    def _rows(self, train: Examples, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and outputs of so many places of so many pictures as may be."""
        random = np.random.default_rng(seed)
        places = self._map_size[0] * self._map_size[1]
        vectors = train.features.ndim == 2
        most = min(len(train.features), _MOST_VECTORS if vectors else _MOST_PICTURES)
        pictures = np.sort(random.permutation(len(train.features))[:most])
        each = min(places, max(1, _MOST_ROWS // most))
        inputs, outputs = [], []
        for index in pictures:
            chosen = random.permutation(places)[:each]
            one = slice(index, index + 1)
            around = self._inputs(train.features[one]).reshape(places, -1)
            patches = self._outputs(train.pictures[one]).reshape(places, -1)
            inputs.append(around[chosen])
            outputs.append(patches[chosen])
        return np.concatenate(inputs), np.concatenate(outputs)


def _resized(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if tuple(pictures.shape[1:3]) == tuple(size):
        return np.asarray(pictures, np.float32)
    return tf.image.resize(pictures, size, antialias=True).numpy()
