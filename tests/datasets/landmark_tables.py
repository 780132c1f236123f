"""Tables of points with their pictures, written in the data sets' original forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def header(count: int) -> list[str]:
    return [f"{axis}{number:02d}" for number in range(count) for axis in "xy"]


def write_pictures(folder: Path, names: Sequence[str], size: tuple[int, int] = (40, 30)) -> None:
    """Grey JPEG or PNG pictures of (height, width); each has its own grey level."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        pixels = np.full((*size, 3), 10 + number % 200, np.uint8)
        Image.fromarray(pixels).save(folder / name)


def write_table(
    path: Path, rows: Mapping[str, Sequence[float]], first: str = "image", tag: bool = False
) -> Path:
    """The file `image,x00,y00,...`, or MUCT's with its column `tag`."""
    count = len(next(iter(rows.values()))) // 2
    lines = [",".join([first, *(["tag"] if tag else []), *header(count)])]
    for name, values in rows.items():
        cells = [name, *(["0000"] if tag else []), *(f"{value:g}" for value in values)]
        lines.append(",".join(cells))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
