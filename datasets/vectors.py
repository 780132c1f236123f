"""Examples that are rows of numbers: a table's columns, or how often each word occurs.

Tensor contract: an example is `features`, float32, shape (d,), raw as the data set has them, and
`label`, an int64 scalar, the class id.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from datasets.core import LabelledSource


@dataclasses.dataclass(frozen=True, eq=False)
class VectorSource:
    """A labelled source whose examples are the rows of a matrix.

    Attributes:
        features: float32, shape (n, d), finite.
        labels: class ids, int64, shape (n,), not negative.
        names: where each example comes from, n texts.

    Raises:
        ValueError: the parts do not fit together.
    """

    features: np.ndarray
    labels: np.ndarray
    names: Sequence[str]

    def __post_init__(self):
        features, labels = self.features, self.labels
        if features.ndim != 2 or features.dtype != np.float32:
            raise ValueError(
                "features must be float32 of shape (n, d). "
                f"Received: features.shape={features.shape}, features.dtype={features.dtype}"
            )
        if labels.shape != (len(features),) or labels.dtype != np.int64:
            raise ValueError(
                f"labels must be int64 of shape ({len(features)},). "
                f"Received: labels.shape={labels.shape}, labels.dtype={labels.dtype}"
            )
        if len(self.names) != len(features):
            raise ValueError(
                f"names must name each of the {len(features)} examples. "
                f"Received: len(names)={len(self.names)}"
            )
        if not np.isfinite(features).all() or (len(labels) and labels.min() < 0):
            raise ValueError("features must be finite and labels not negative")

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.features)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The row at `index` with its label."""
        return {"features": self.features[index], "label": self.labels[index]}

    def identifier(self, index: int) -> str:
        """Where the row comes from."""
        return self.names[index]


def matrix(source: LabelledSource) -> np.ndarray:
    """The features of all examples of any source of vectors, float32 (n, d), n at least 1."""
    if isinstance(source, VectorSource):
        return source.features
    return np.stack([source.example(index)["features"] for index in range(len(source))])
