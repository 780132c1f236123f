"""Pictures with nothing said of them: any folder, or the pictures of another data set.

Tensor contract: an example has `image`, uint8 (height, width, 3), RGB, upright, and `label`, int64,
always 0, since the tools that split, keep and compare examples want one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from datasets import images, pipeline
from datasets.core import DataError, DatasetInfo, LabelledSource, Splits
from datasets.files import PictureFiles
from datasets.partition import complete_splits

_CLASS_NAMES = ("picture",)
# A grey level: less than the rounding of pixels to whole numbers could have caused is nothing.
_LEAST_DEVIATION = 1.0
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class PictureInfo(DatasetInfo):
    """A data set of pictures, with what pixels are standardised by.

    Attributes:
        mean: of each channel over all pixels of the training pictures, range [0, 255], as they
            were measured: see `with_statistics`.
        deviation: of each channel around that mean.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


class PicturesOnly:
    """The pictures of another source, whatever it says of them."""

    def __init__(self, source: LabelledSource) -> None:
        """Takes the source; nothing is read yet."""
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    @property
    def labels(self) -> np.ndarray:
        """Zeros, int64, shape (len,)."""
        return np.zeros(len(self), dtype=np.int64)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """`image` and `label`; raises what the source raises."""
        return {"image": self._source.example(index)["image"], "label": np.int64(0)}

    def identifier(self, index: int) -> str:
        """What the source calls the picture."""
        return self._source.identifier(index)


def pictures_of(splits: Splits) -> Splits:
    """A data set without its labels."""
    parts = {name: PicturesOnly(getattr(splits, name)) for name in ("train", "validation", "test")}
    return Splits(**parts, info=dataclasses.replace(splits.info, class_names=_CLASS_NAMES))


def list_folder(data_dir: str | Path, image_size: tuple[int, int] | None = None) -> PictureFiles:
    """All pictures in a folder and below, by path; folders in it mean nothing.

    Args:
        data_dir: the folder.
        image_size: height and width that the pictures will be resized to, which large JPEGs are
            decoded near to; None decodes them in full.

    Raises:
        DataError: the folder is missing or has no picture.
    """
    folder = Path(data_dir).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder that can be found: name a folder of pictures.")
    paths = images.list_pictures(folder)
    if not paths:
        raise DataError(
            f"{folder} must hold pictures ({', '.join(images.PICTURE_SUFFIXES)}), received none: "
            "name a folder of pictures."
        )
    return PictureFiles(paths, np.zeros(len(paths), np.int64), image_size=image_size)


def load_folder(
    data_dir: str | Path,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    image_size: tuple[int, int] | None = None,
) -> Splits:
    """Any folder of pictures, split by the seed.

    Args:
        data_dir: the folder.
        validation_fraction: share of the pictures that chooses.
        test_fraction: share of the pictures for the test.
        seed: decides which pictures go where.
        image_size: as for `list_folder`.

    Raises:
        DataError: as for `list_folder`, or there are too few pictures for three parts.
    """
    files = list_folder(data_dir, image_size)
    train, validation, test, division = complete_splits(
        files,
        None,
        None,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        class_names=_CLASS_NAMES,
        origin=str(data_dir),
    )
    info = DatasetInfo(
        name="folder",
        class_names=_CLASS_NAMES,
        description=f"{len(files)} pictures of a folder; {division}.",
        origin=str(data_dir),
        licence="as the owner of the folder says",
    )
    return Splits(train, validation, test, info)


def with_statistics(
    splits: Splits,
    image_size: tuple[int, int],
    workers: int = 2,
    reduced: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> Splits:
    """The same splits, with mean and deviation of the training pixels in the info.

    Args:
        splits: of readable pictures.
        image_size: height and width that the pictures are stretched to.
        workers: threads that decode.
        reduced: batch of these pictures, uint8 -> the pictures whose pixels are measured, range
            [0, 255]; None measures these themselves. Smaller pictures have smaller deviations,
            because what is fine in a picture becomes one colour.

    Raises:
        DataError: the training pictures are all of one colour.
    """
    batching = pipeline.Batching(_BATCH, tuple(image_size), len(_CLASS_NAMES), workers=workers)
    count, sums, squares = 0, np.zeros(3), np.zeros(3)
    for batch in pipeline.view_batches(splits.train, batching, seed=0, view=0):
        measured = batch if reduced is None else reduced(batch)
        pixels = measured.numpy().reshape(-1, 3).astype(np.float64)
        count += len(pixels)
        sums += pixels.sum(axis=0)
        squares += np.square(pixels).sum(axis=0)
    mean = sums / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    if deviation.min() < _LEAST_DEVIATION:
        raise DataError(
            f"The training pictures of {splits.info.origin} must differ from one another in every "
            f"channel, received deviations of {deviation.round(2).tolist()} grey levels in red, "
            "green and blue: name other pictures."
        )
    values = {
        field.name: getattr(splits.info, field.name) for field in dataclasses.fields(DatasetInfo)
    }
    info = PictureInfo(**values, mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))
    return dataclasses.replace(splits, info=info)
