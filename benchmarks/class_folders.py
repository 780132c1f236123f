"""Writes the splits of a data set as JPEG files in class folders, for programs of any make."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from datasets.core import LabelledSource, Splits

# Photographs come out as good as they went in, for what a network can see.
_QUALITY = 95


def write(splits: Splits, folder: Path) -> dict[str, int]:
    """Writes `train`, `validation` and `test` with one folder a class in each.

    Every picture is decoded as the suite decodes it, so upright and in RGB, and stored again: no
    contestant meets a format or an orientation that another reads differently.

    Args:
        splits: the pictures.
        folder: made if need be; files of the same names are replaced.

    Returns:
        Number of pictures by split.

    Raises:
        DataError: a picture cannot be read.
    """
    names = class_folder_names(splits.info.class_names)
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    for part, source in parts.items():
        _write_part(source, folder / part, names)
    return {part: len(source) for part, source in parts.items()}


def class_folder_names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """A folder name a class: its number first, so that sorting keeps the order of the ids.

    Signs that are special in paths, such as the slash of "Ram C/V", become underscores.
    """
    digits = len(str(len(class_names) - 1))
    plain = [re.sub(r"[^\w (),.+-]", "_", name) for name in class_names]
    return tuple(
        f"{class_id:0{digits}d} {name}".rstrip(" .") for class_id, name in enumerate(plain)
    )


def _write_part(source: LabelledSource, folder: Path, names: tuple[str, ...]) -> None:
    # A class without a picture in this part has its folder all the same: readers number classes
    # by the folders they find.
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
    digits = len(str(max(len(source) - 1, 0)))
    for index in range(len(source)):
        example = source.example(index)
        path = folder / names[int(example["label"])] / f"{index:0{digits}d}.jpg"
        Image.fromarray(example["image"]).save(path, quality=_QUALITY, subsampling="4:4:4")
