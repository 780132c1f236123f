"""Pictures in class folders that a user names, for a model that knows its own classes."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np

from datasets import check, core, folder
from datasets.core import DataError


@dataclasses.dataclass(frozen=True)
class Relabelled:
    """The examples of a source under other class ids, int64, shape (len,)."""

    source: core.LabelledSource
    labels: np.ndarray

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.source)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The example of the source with its new label."""
        return {**self.source.example(index), "label": self.labels[index]}

    def identifier(self, index: int) -> str:
        """What the source calls it."""
        return self.source.identifier(index)


def folder_examples(
    data_dir: Path,
    split: str,
    class_names: tuple[str, ...],
    skip_bad_images: bool,
    workers: int,
    image_size: tuple[int, int] | None = None,
) -> core.LabelledSource:
    """The pictures in class folders, under the class ids of a model that knows these names.

    `image_size` is that of the model: the pictures are decoded for it as in its training.

    Of a folder with splits of its own the one called `split` counts, else all pictures. Classes
    of the model without a folder are named on standard error, as are pictures left out.

    Raises:
        DataError: as `folder.read_parts`; the folder lacks the split or holds a class that the
            model does not know; a picture cannot be read and is not to be skipped.
    """
    names, parts = folder.read_parts(data_dir, image_size)
    if len(parts) > 1 and split not in parts:
        raise DataError(
            f"{data_dir} has folders for {', '.join(parts)} and none for {split}: choose another "
            "--split, or name the folder of one of them with --data-dir."
        )
    source = parts[split] if split in parts else parts["train"]
    unknown = [name for name in names if name not in class_names]
    if unknown:
        raise DataError(
            f"{data_dir} must hold only class folders named like the model's classes "
            f"({_listed(class_names)}), received also {_listed(unknown)}: rename or remove them."
        )
    ids = np.array([class_names.index(name) for name in names], dtype=np.int64)
    absent = np.setdiff1d(np.arange(len(class_names)), ids[source.labels])
    if len(absent):
        print(
            f"note: {data_dir} has no pictures of {_listed([class_names[i] for i in absent])}; "
            "the numbers say nothing about them.",
            file=sys.stderr,
        )
    return _readable(Relabelled(source, ids[source.labels]), skip_bad_images, workers)


def _readable(source: Relabelled, skip_bad_images: bool, workers: int) -> core.LabelledSource:
    bad = check.find_bad_pictures(source, workers=workers)
    if not skip_bad_images:
        check.require_no_bad_pictures(bad)
    for picture in bad:
        print(f"left out {picture.identifier}: {picture.reason}", file=sys.stderr)
    return check.without(source, bad)


def _listed(names: Any, most: int = 5) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
