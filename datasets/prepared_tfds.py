"""Reads a data set that tensorflow-datasets prepared, as encoded pictures by index.

This module imports TensorFlow, so it is imported only where such a folder is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datasets import images
from datasets.core import DataError
from datasets.files import crop
from datasets.spool import Spool


class PreparedPictures:
    """Labelled pictures of one split, perhaps cropped to their boxes.

    TFRecord files can only be read from front to back, and the examples are asked for in random
    order: so each is read once, in the order of the files, and its encoded picture laid into a
    temporary file, which gives it at once. Memory holds the labels and the boxes.
    """

    def __init__(
        self,
        examples: Iterator[dict[str, object]],
        origin: str,
        *,
        crop_to_box: bool,
        image_size: tuple[int, int] | None = None,
    ) -> None:
        """Reads all of `examples`.

        Args:
            examples: dictionaries of `image`, the encoded bytes, `label`, and, for cropping,
                `bbox`: ymin, xmin, ymax, xmax as shares of the height and width.
            origin: where they come from, for messages.
            crop_to_box: show the box instead of the whole picture.
            image_size: height and width that the pictures will be resized to, as for
                `images.decode_picture`; None, or cropping, decodes them in full.
        """
        self._spool = Spool()
        self._origin = origin
        self._at_least = None if crop_to_box else image_size
        labels, places, boxes = [], [], []
        for example in examples:
            labels.append(int(example["label"]))
            places.append(self._spool.append(bytes(example["image"])))
            boxes.append(np.asarray(example["bbox"]) if crop_to_box else None)
        self._labels = np.array(labels, dtype=np.int64)
        self._places = places
        self._boxes = boxes

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (len,)."""
        return self._labels

    def identifier(self, index: int) -> str:
        """The split and the number of the example in the order of the files, from 0."""
        return f"{self._origin} example {index}"

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture, cropped to its box if asked for, and its label.

        Raises:
            DataError: the picture cannot be read, is cropped and stored turned, or the box lies
                outside it.
        """
        name = self.identifier(index)
        data = self._spool.read(*self._places[index])
        picture = images.decode_picture(data, name, self._at_least)
        if self._boxes[index] is not None:
            images.require_upright(data, name, "which its box may not follow: do not crop")
            picture = crop(picture, _pixel_box(self._boxes[index], picture.shape), name)
        return {"image": picture, "label": self._labels[index]}


def read(
    folder: Path, *, crop_to_box: bool, image_size: tuple[int, int] | None = None
) -> tuple[tuple[str, ...], PreparedPictures, PreparedPictures | None]:
    """Reads a prepared folder of `cars196`, with TFRecord or ArrayRecord files.

    Args:
        folder: the folder of one version, which holds `dataset_info.json`.
        crop_to_box: show the annotated box instead of the whole picture.
        image_size: height and width that the pictures will be resized to, as for
            `PreparedPictures`.

    Returns:
        The class names, the split `train`, and the split `test` if there is one.

    Raises:
        DataError: tensorflow-datasets is not installed, or the folder is damaged or holds another
            data set.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise DataError(
            f"{folder} was prepared by tensorflow-datasets and needs it to be read, received "
            f"{error}: pip install tensorflow-datasets."
        ) from error
    try:
        builder = tfds.builder_from_directory(folder)
        _require_features(folder, builder.info, crop_to_box)
        splits = {
            name: PreparedPictures(
                _encoded_examples(tfds, builder, name),
                f"{folder} {name}",
                crop_to_box=crop_to_box,
                image_size=image_size,
            )
            for name in ("train", "test")
            if name in builder.info.splits
        }
        return tuple(builder.info.features["label"].names), splits["train"], splits.get("test")
    except DataError:
        raise
    except Exception as error:  # a damaged folder fails in many ways: all mean "cannot be read"
        raise DataError(
            f"{folder} cannot be read by tensorflow-datasets ({images.one_line(error)}): prepare "
            "it again."
        ) from error


def _encoded_examples(tfds, builder, split: str) -> Iterator[dict[str, object]]:
    """The examples of a split in the order of the files, pictures still encoded."""
    decoders = {"image": tfds.decode.SkipDecoding()}
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        yield from builder.as_data_source(split, decoders=decoders)
    else:
        data = builder.as_dataset(split, decoders=decoders, shuffle_files=False)
        yield from data.as_numpy_iterator()


def _require_features(folder: Path, info, crop_to_box: bool) -> None:
    required = ("image", "label", "bbox") if crop_to_box else ("image", "label")
    missing = [name for name in required if name not in info.features]
    if missing or "train" not in info.splits or not hasattr(info.features["label"], "names"):
        raise DataError(
            f"{folder} must hold a split train with the features {', '.join(required)}, received "
            f"splits {', '.join(info.splits)} with {', '.join(info.features)}: prepare it again."
        )


def _pixel_box(box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """From shares to pixels.

    The shares of `cars196` are the annotated pixels, counted from 1 with edges included, over the
    size (tensorflow-datasets, `image_classification/cars196.py`, `returnBbox`).
    """
    height, width = shape[:2]
    ymin, xmin, ymax, xmax = np.rint(box * (height, width, height, width)).astype(np.int64)
    return np.array([xmin - 1, ymin - 1, xmax, ymax])
