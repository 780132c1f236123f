"""Sources over pictures on disk: one file a picture, or many in Parquet files.

Tensor contract: as in `datasets.core`; `boxes_xyxy` are in pixels of the upright picture, the
left upper corner is (0, 0), the right and lower edges are not part of the box.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets import images
from datasets.core import DataError
from datasets.spool import Spool

# A Parquet file is read by so many rows at once: a megabyte of photographs.
ROWS_AT_ONCE = 8


class PictureFiles:
    """Labelled picture files, cropped to a box where boxes are given."""

    def __init__(
        self,
        paths: Sequence[Path],
        labels: Sequence[int] | np.ndarray,
        boxes_xyxy: np.ndarray | None = None,
        image_size: tuple[int, int] | None = None,
    ) -> None:
        """Takes the files as they are; nothing is opened yet.

        Args:
            paths: n picture files.
            labels: class ids, shape (n,).
            boxes_xyxy: the part of each picture to show, shape (n, 4), in pixels.
            image_size: height and width that the pictures will be resized to, as for
                `images.decode_picture`; None, or boxes, which count in stored pixels, decodes
                them in full.

        Raises:
            ValueError: the lengths differ.
        """
        # As text: a `Path` takes about 300 bytes more, which counts where there are millions.
        self._paths = [str(path) for path in paths]
        self._labels = np.asarray(labels, dtype=np.int64)
        self._boxes_xyxy = boxes_xyxy
        self._at_least = image_size if boxes_xyxy is None else None
        if self._labels.shape != (len(self._paths),):
            raise ValueError(f"labels must have shape ({len(paths)},). Received: {labels=}")
        if boxes_xyxy is not None and boxes_xyxy.shape != (len(self._paths), 4):
            raise ValueError(f"boxes must have shape ({len(paths)}, 4). Received: {boxes_xyxy=}")

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (len,)."""
        return self._labels

    def identifier(self, index: int) -> str:
        """The path of the file."""
        return self._paths[index]

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture, cropped to its box, and its label.

        Raises:
            DataError: the file cannot be read, the box lies outside the picture, or the picture is
                stored turned, so that it is not known where the box lies.
        """
        path = self._paths[index]
        if self._boxes_xyxy is None:
            picture = images.read_picture(path, self._at_least)
        else:
            box = self._boxes_xyxy[index]
            # The first and the last pixel inside.
            corners = np.reshape(box, (2, 2)) - ((0, 0), (1, 1))
            picture = crop(images.read_picture_of_points(path, corners, "box"), box, path)
        return {"image": picture, "label": self._labels[index]}


def crop(picture: np.ndarray, box_xyxy: np.ndarray, name: str) -> np.ndarray:
    """The part of a picture inside a box; what reaches over the edge is cut off.

    Args:
        picture: shape (height, width, channels).
        box_xyxy: shape (4,), whole pixels.
        name: where the picture comes from, for messages.

    Raises:
        DataError: no pixel lies inside the box.
    """
    height, width = picture.shape[:2]
    left, right = np.clip(box_xyxy[[0, 2]], 0, width)
    top, bottom = np.clip(box_xyxy[[1, 3]], 0, height)
    if left >= right or top >= bottom:
        raise DataError(
            f"{name} is {width} x {height} pixels and its box must lie inside, received left, top, "
            f"right, bottom = {box_xyxy.tolist()}: correct the annotation or do not crop."
        )
    return picture[top:bottom, left:right]


class ParquetPictures:
    """Labelled pictures in Parquet files, as the Hugging Face Hub serves them.

    The files have a column `label` of whole numbers and a column `image` of structures
    {bytes, path}, of which the bytes count, or of plain bytes.

    Labels are read at once, pictures when first asked for. A Parquet file can only be read by row
    groups, and the examples are asked for in random order: so a row group is read once, in small
    pieces, and its encoded pictures are laid into a temporary file, which gives each of them at
    once. That file lies below TMPDIR and grows to the size of the Parquet files. Memory holds the
    labels, `ROWS_AT_ONCE` pictures and one page of the Parquet file, which is as large as its
    writer made it: from one to a thousand pictures.

    Attributes:
        class_names: one name per class id if the files carry them, otherwise None.
    """

    def __init__(self, paths: Sequence[Path], image_size: tuple[int, int] | None = None) -> None:
        """Reads the labels and the layout of the files.

        Args:
            paths: the Parquet files.
            image_size: height and width that the pictures will be resized to, as for
                `images.decode_picture`; None decodes them in full.

        Raises:
            DataError: a file is no such Parquet file.
        """
        self._paths = list(paths)
        self._image_size = image_size
        labels, groups, first_rows = [], [], []
        for path in self._paths:
            file_labels, group_sizes = _read_labels(path)
            starts = np.cumsum([0, *group_sizes])
            groups += [(path, group, int(starts[group])) for group in range(len(group_sizes))]
            first_rows += (starts[:-1] + sum(map(len, labels))).tolist()
            labels.append(file_labels)
        self._labels = np.concatenate(labels)
        self._groups = groups
        self._first_rows = np.array(first_rows, dtype=np.int64)
        self._places = np.full((len(self._labels), 2), -1, dtype=np.int64)
        self._spool = Spool()
        self._lock = threading.Lock()
        self.class_names = _class_names(self._paths)

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (len,)."""
        return self._labels

    def identifier(self, index: int) -> str:
        """The file and the number of the row in it, from 0."""
        path, _, first_in_file = self._groups[self._group_of(index)]
        row = first_in_file + index - self._first_rows[self._group_of(index)]
        return f"{path} row {row}"

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture and its label.

        Raises:
            DataError: the row has no picture, or it cannot be read.
        """
        data = self._encoded(index)
        picture = images.decode_picture(data, self.identifier(index), self._image_size)
        return {"image": picture, "label": self._labels[index]}

    def _group_of(self, index: int) -> int:
        return int(np.searchsorted(self._first_rows, index, side="right")) - 1

    def _encoded(self, index: int) -> bytes:
        with self._lock:
            if self._places[index, 0] < 0:
                self._spool_group(self._group_of(index))
        return self._spool.read(*self._places[index])

    def _spool_group(self, group_index: int) -> None:
        path, group, _ = self._groups[group_index]
        row = self._first_rows[group_index]
        try:
            # Without pre-buffering, a row group of any size streams through a small buffer.
            with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
                batches = file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=["image"])
                for batch in batches:
                    for value in _encoded_pictures(batch.column("image")):
                        self._places[row] = self._spool.append(value)
                        row += 1
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path} is damaged in its row group {group} ({images.one_line(error)}): download "
                "it again."
            ) from error


def _encoded_pictures(column: pa.Array) -> list[bytes]:
    """The bytes of each row; none where the row holds only a path, which is not followed."""
    if pa.types.is_struct(column.type):
        column = column.field("bytes")
    return [value or b"" for value in column.to_pylist()]


def _read_labels(path: Path) -> tuple[np.ndarray, list[int]]:
    """The labels, int64, and the number of rows of each row group of a Parquet file."""
    try:
        with pq.ParquetFile(path) as file:
            _require_columns(path, file.schema_arrow)
            sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            column = file.read(columns=["label"]).column("label")
            if column.null_count:
                raise DataError(
                    f"{path} must have a label in each row, received {column.null_count} rows "
                    "without: remove them or download the file again."
                )
            return column.to_numpy().astype(np.int64), sizes
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is not a readable Parquet file ({images.one_line(error)}): download it again."
        ) from error


def _require_columns(path: Path, schema: pa.Schema) -> None:
    columns = dict(zip(schema.names, schema.types, strict=True))
    image, label = columns.get("image"), columns.get("label")
    if image is not None and pa.types.is_struct(image):
        index = image.get_field_index("bytes")
        image = image.field(index).type if index >= 0 else None
    has_bytes = image is not None and (pa.types.is_binary(image) or pa.types.is_large_binary(image))
    if not has_bytes or label is None or not pa.types.is_integer(label):
        received = ", ".join(f"{name}: {kind}" for name, kind in columns.items())
        raise DataError(
            f"{path} must have a column image of encoded pictures and a column label of whole "
            f"numbers, received {received}: choose another copy of the data set."
        )


def _class_names(paths: Sequence[Path]) -> tuple[str, ...] | None:
    """The names the Hugging Face library wrote into the schema, the same in all files.

    Source: the key `huggingface` of the schema's metadata, features > label (a `ClassLabel`).
    """
    found = {_class_names_of(path) for path in paths}
    if len(found) > 1:
        raise DataError(
            f"{paths[0]} and the files beside it must name the same classes, received different "
            "names: keep the files of one data set only."
        )
    return found.pop() if found else None


def _class_names_of(path: Path) -> tuple[str, ...] | None:
    metadata = pq.read_schema(path).metadata or {}
    try:
        label = json.loads(metadata[b"huggingface"])["info"]["features"]["label"]
        return tuple(str(name) for name in label["names"])
    except (KeyError, TypeError, ValueError):
        return None
