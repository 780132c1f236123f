"""A few rebuilt pictures of each cell, kept in its folder for the grid of the whole study."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tasks.common.run_folder import RunFolder

_NAME = "examples.npz"


@dataclasses.dataclass(frozen=True)
class CellExamples:
    """What the study's report shows of a cell.

    Attributes:
        originals: uint8 (n, height, width, 3), test pictures at the size of the rebuilt.
        rebuilt: of the same shape.
        feature_shape: (h, w, channels) of maps, (units,) of a vector.
        decoder_weights: number of weights that were trained.
    """

    originals: np.ndarray
    rebuilt: np.ndarray
    feature_shape: tuple[int, ...]
    decoder_weights: int


def write(folder: RunFolder, examples: CellExamples) -> Path:
    """Leaves the examples in the folder of a cell; gives the path."""
    path = folder.path / _NAME
    np.savez(
        path,
        originals=examples.originals,
        rebuilt=examples.rebuilt,
        feature_shape=np.asarray(examples.feature_shape),
        decoder_weights=np.asarray(examples.decoder_weights),
    )
    return path


def read(folder: RunFolder) -> CellExamples:
    """The examples in the folder of a cell.

    Raises:
        FileNotFoundError: there are none.
    """
    with np.load(folder.path / _NAME, allow_pickle=False) as stored:
        return CellExamples(
            stored["originals"],
            stored["rebuilt"],
            tuple(int(side) for side in stored["feature_shape"]),
            int(stored["decoder_weights"]),
        )
