"""MNIST in the layout of Keras's `mnist.npz`: `x_train`, `y_train`, `x_test`, `y_test`.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998: 60,000 and
10,000 grey pictures of 28 x 28 pixels. Here they are RGB, three equal channels.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from datasets.core import DataError, DatasetInfo, Splits
from datasets.partition import complete_splits

CLASS_NAMES = tuple("0123456789")
FILE_NAME = "mnist.npz"
SIDE = 28
"""Height and width of the pictures in pixels."""

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# 500,000 pictures, eight times MNIST: what claims to be larger is not what it says it is.
MAX_BYTES = 400_000_000


class ArrayDigits:
    """A labelled source of digits in memory; see `datasets.core.LabelledSource`.

    Args:
        pictures: grey, uint8, shape (n, 28, 28), range [0, 255].
        labels: the digits, int64, shape (n,).
        name: what the pictures are called in messages, before their number.
    """

    def __init__(self, pictures: np.ndarray, labels: np.ndarray, name: str) -> None:
        self._pictures = pictures
        self._labels = labels
        self._name = name

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._labels)

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (n,)."""
        return self._labels

    def example(self, index: int) -> dict[str, np.ndarray]:
        """`image`, uint8 RGB of shape (28, 28, 3), and `label`, int64."""
        image = np.repeat(self._pictures[index][..., None], 3, axis=-1)
        return {"image": image, "label": self._labels[index]}

    def identifier(self, index: int) -> str:
        """The array and the place in it."""
        return f"{self._name}[{index}]"


def load(data_dir: str | Path, validation_fraction: float, seed: int) -> Splits:
    """Reads `mnist.npz`; validation is split off its training part.

    Args:
        data_dir: the file, or the folder that holds it.
        validation_fraction: share of the training pictures that becomes validation.
        seed: decides which pictures those are.

    Raises:
        DataError: the file is not found, damaged, or not of this layout.
    """
    path = _file(Path(data_dir).expanduser())
    arrays = _read(path)
    train, test = (
        ArrayDigits(
            _pictures(arrays[f"x_{part}"], f"x_{part}", path),
            _labels(arrays[f"y_{part}"], arrays[f"x_{part}"], part, path),
            f"{path} x_{part}",
        )
        for part in ("train", "test")
    )
    train, validation, test, division = complete_splits(
        train,
        None,
        test,
        validation_fraction=validation_fraction,
        test_fraction=0.0,
        seed=seed,
        class_names=CLASS_NAMES,
        origin=str(path),
    )
    info = DatasetInfo(
        name="mnist",
        class_names=CLASS_NAMES,
        description=f"Handwritten digits of 28 x 28 pixels (LeCun et al. 1998); {division}.",
        origin=str(path),
        licence="CC BY-SA 3.0 (Y. LeCun and C. Cortes)",
    )
    return Splits(train, validation, test, info)


def _file(place: Path) -> Path:
    path = place / FILE_NAME if place.is_dir() else place
    if not path.is_file():
        raise DataError(
            f"{path} is not a file that can be found: name {FILE_NAME}, or the folder that holds "
            "it, with --data-dir."
        )
    return path


def _read(path: Path) -> dict[str, np.ndarray]:
    """The four arrays as they are; nothing in the file is run."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {Path(item.filename).stem: item.file_size for item in archive.infolist()}
    except (zipfile.BadZipFile, OSError) as error:
        raise _unreadable(path, error) from None
    missing = [name for name in ARRAYS if name not in sizes]
    if missing:
        raise DataError(
            f"{path} must hold the arrays {', '.join(ARRAYS)}, received none called "
            f"{missing[0]!r}: take the file {FILE_NAME} of Keras, or name its arrays like these."
        )
    for name in ARRAYS:
        if sizes[name] > MAX_BYTES:
            raise DataError(
                f"{path}: {name} may take at most {MAX_BYTES:,} bytes, received {sizes[name]:,}: "
                "leave out pictures."
            )
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in ARRAYS}
    except (
        *(zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError),
        *(KeyError, MemoryError, NotImplementedError, RuntimeError),
    ) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return DataError(
        f"{path} cannot be read as a file of NumPy arrays ({reason}): copy or download it again."
    )


def _pictures(array: np.ndarray, name: str, path: Path) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"{path}: {name} must be uint8 of shape (n, {SIDE}, {SIDE}), received {array.dtype} of "
            f"shape {array.shape}: give grey pictures with values from 0 to 255."
        )
    if not len(array):
        raise DataError(f"{path}: {name} must hold at least one picture, received none: add some.")
    return array


def _labels(array: np.ndarray, pictures: np.ndarray, part: str, path: Path) -> np.ndarray:
    name = f"y_{part}"
    if not np.issubdtype(array.dtype, np.integer) or array.shape != pictures.shape[:1]:
        raise DataError(
            f"{path}: {name} must hold one whole number for each of the {len(pictures)} pictures "
            f"of x_{part}, received {array.dtype} of shape {array.shape}: give the digits."
        )
    wrong = np.flatnonzero((array < 0) | (array > 9))
    if len(wrong):
        raise DataError(
            f"{path}: {name}[{wrong[0]}] must be a digit from 0 to 9, received "
            f"{array[wrong[0]]}: correct it, or remove the picture."
        )
    return array.astype(np.int64)
