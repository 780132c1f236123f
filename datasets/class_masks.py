"""Pictures of class ids: read with care, counted.

Tensor contract: a mask is uint8 (height, width), an id for each pixel; ids run from 0 to the
number of classes, and the last one, equal to that number, is void: of no class.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from datasets import images
from datasets.core import DataError, DatasetInfo, LabelledSource
from datasets.dense_maps import MapKind

# Formats that keep every pixel as it is; a JPEG would invent ids along every edge.
FORMATS = ("PNG", "BMP", "GIF", "TIFF")
# Grey of 8 bits, or numbers of a palette; what colours stand for is not known.
MODES = ("L", "P")


@dataclasses.dataclass(frozen=True)
class ClassMaskInfo(DatasetInfo):
    """What a data set of pictures with class masks is; its class names are without void.

    Attributes:
        class_colours: a display colour per class, RGB in [0, 255].
        class_shares: the share of each class among the training pixels that are not void.
        sequence_of: identifier of an example -> the name of the film it is a frame of; None where
            pictures are of no film.
    """

    class_colours: tuple[tuple[int, int, int], ...]
    class_shares: tuple[float, ...] = ()
    sequence_of: Callable[[str], str] | None = None


class MaskedPictures:
    """Picture files with mask files.

    An example has `image`, uint8 (height, width, 3); `mask`, of the same size; and `label`, int64,
    the number of its group, such as the film that it is a frame of.

    Attributes:
        group_names: a name for each number of a group.
    """

    def __init__(
        self,
        pictures: Sequence[Path],
        masks: Sequence[Path],
        groups: Sequence[str],
        read: Callable[[Path], np.ndarray],
    ) -> None:
        """Takes the files as they are; nothing is opened yet.

        Args:
            pictures: n picture files.
            masks: the mask file of each.
            groups: the name of the group of each; groups are numbered in the order of their names.
            read: mask file -> class ids; raises DataError where it is damaged.
        """
        self._pictures, self._masks, self._read = list(pictures), list(masks), read
        self.group_names = tuple(sorted(set(groups)))
        numbers = {name: number for number, name in enumerate(self.group_names)}
        self._labels = np.array([numbers[name] for name in groups], dtype=np.int64)

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._pictures)

    @property
    def labels(self) -> np.ndarray:
        """Number of the group of each picture, int64, shape (len,)."""
        return self._labels

    def identifier(self, index: int) -> str:
        """The path of the picture."""
        return str(self._pictures[index])

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture, its mask and the number of its group.

        Raises:
            DataError: a file cannot be read or is a link that leads out of its folder, the picture
                is stored turned, or the two differ in size.
        """
        for path in (self._pictures[index], self._masks[index]):
            _require_inside(path)
        picture = images.read_picture_of_map(self._pictures[index], "mask")
        mask = self._read(self._masks[index])
        if mask.shape != picture.shape[:2]:
            raise DataError(
                f"{self._masks[index]} must have the size of its picture, {picture.shape[1]} x "
                f"{picture.shape[0]} pixels, received {mask.shape[1]} x {mask.shape[0]}: replace "
                "or remove it."
            )
        return {"image": picture, "mask": mask, "label": self._labels[index]}


def mask_kind(class_count: int) -> MapKind:
    """How a mask follows its picture: never mixed, and void outside."""
    return MapKind("mask", "nearest", class_count)


def read_mask(path: str | Path, class_count: int) -> np.ndarray:
    """Reads a mask file, whose content decides the format.

    Args:
        path: the file.
        class_count: number of classes; ids above it are damage.

    Returns:
        uint8 (height, width), ids in [0, class_count].

    Raises:
        DataError: the file is missing, empty, cut short, no picture, stored turned, not of 8-bit
            ids, or has an id above `class_count`.
    """
    mask = _decoded(Path(path))
    largest = int(mask.max())
    if largest > class_count:
        row, column = np.argwhere(mask > class_count)[0]
        raise DataError(
            f"{path} must hold class ids from 0 to {class_count - 1}, or {class_count} for void, "
            f"received {mask[row, column]} in row {row}, column {column}: mend or remove it."
        )
    return mask


def _require_inside(path: Path) -> None:
    """Refuses what a folder's own listing leaves out, where a list or a partner names it."""
    if images.leads_out(path, path.parent):
        raise DataError(f"{path} is a link that leads out of its folder: copy the file there.")


def _decoded(path: Path) -> np.ndarray:
    data = images.read_bytes(path, "mask")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if not 0 < image.width * image.height <= images.MAX_PIXELS:
                raise DataError(
                    f"{path} must have at most {images.MAX_PIXELS} pixels, received "
                    f"{image.width} x {image.height}: remove it."
                )
            if image.mode not in MODES:
                raise DataError(
                    f"{path} must hold one 8-bit class id a pixel (mode L or P), received mode "
                    f"{image.mode}: write the ids themselves, not colours."
                )
            images.require_map_upright(image, path)
            image.load()
            return np.array(image)
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(
            f"{path} is not a mask that can be read ({', '.join(FORMATS)}), or its first bytes are "
            "damaged: replace or remove it."
        ) from error
    except Exception as error:  # decoders fail in many ways on hostile bytes: all mean "damaged"
        raise DataError(
            f"{path} cannot be decoded, it is cut short or damaged ({images.one_line(error)}): "
            "replace or remove it."
        ) from error


def class_shares(source: LabelledSource, class_count: int) -> tuple[float, ...]:
    """The share of each class among the pixels of a source that are not void.

    Every picture counts by its own pixels, as it is stored.

    Raises:
        DataError: all pixels are void, or a mask cannot be read.
    """
    counts = np.zeros(class_count, np.int64)
    for index in range(len(source)):
        mask = source.example(index)["mask"].ravel()
        counts += np.bincount(mask, minlength=class_count)[:class_count]
    if not counts.sum():
        raise _void_alone(source, "training")
    return tuple(float(share) for share in counts / counts.sum())


def require_some_class(source: LabelledSource, class_count: int, split: str) -> None:
    """Refuses masks in which nothing can be right: every model has a mean IoU of 0 on them.

    Reads up to the first mask that is of use.

    Args:
        source: pictures with masks.
        class_count: number of classes, which is the id of void.
        split: what the masks are for, for the message.

    Raises:
        DataError: all pixels are void, or a mask cannot be read.
    """
    if all((source.example(index)["mask"] == class_count).all() for index in range(len(source))):
        raise _void_alone(source, split)


def _void_alone(source: LabelledSource, split: str) -> DataError:
    return DataError(
        f"The {len(source)} {split} masks, of which the first is that of {source.identifier(0)}, "
        "must hold pixels of some class, received void alone: name other masks."
    )
