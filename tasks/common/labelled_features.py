"""Stored features with their labels, for machines that are solved instead of trained by steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Features of pictures, each in one or more views, in the order view by view.

    Attributes:
        features: float32, shape (views * pictures, ...); the first view is the plain picture.
        labels: class ids of the pictures, int64, shape (pictures,).
    """

    features: np.ndarray
    labels: np.ndarray

    @property
    def views(self) -> int:
        """Versions of each picture."""
        return len(self.features) // len(self.labels)

    @property
    def pictures(self) -> np.ndarray:
        """The picture that each row shows, int64, shape (views * pictures,)."""
        return np.tile(np.arange(len(self.labels)), self.views)

    @property
    def row_labels(self) -> np.ndarray:
        """The class id of each row, int64, shape (views * pictures,)."""
        return np.tile(self.labels, self.views)

    @property
    def plain(self) -> np.ndarray:
        """The features of the pictures as they are, float32, shape (pictures, ...)."""
        return self.features[: len(self.labels)]


# Sets the weights of a tail on frozen features to the solution of its problem, in place:
# (tail, training examples, validation examples, working). It calls `working` now and then, which
# may raise Interrupted.
Solver = Callable[["keras.Model", LabelledFeatures, LabelledFeatures, Callable[[], None]], None]
