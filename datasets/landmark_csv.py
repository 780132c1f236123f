"""Reads a table of points: one row a picture, `name,x00,y00,x01,y01,...` in pixels.

MUCT's table has a second column, `tag`. A missing point is (0, 0).
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from datasets import csv_rows
from datasets.core import DataError

NAME_COLUMNS = ("name", "image", "file", "filename")
TAG_COLUMN = "tag"
# No picture that can be read has so many pixels along a side (`images.MAX_PIXELS`).
_LARGEST = 1e6


@dataclasses.dataclass(frozen=True)
class LandmarkTable:
    """The rows of a table of points.

    Attributes:
        path: the file.
        names: of the picture of each row, as written.
        lines: the line of each row in the file, counted from 1.
        points: float32, shape (rows, N, 2), x and y in pixels.
    """

    path: Path
    names: tuple[str, ...]
    lines: tuple[int, ...]
    points: np.ndarray


def read_table(path: Path) -> LandmarkTable:
    """Reads the file and finds everything that is wrong in it, by row and column.

    Raises:
        DataError: the file cannot be read, has no such header, no row, a row of another length, a
            name twice, or a coordinate that is no finite number of a picture's size.
    """
    rows = csv_rows.rows(path, "a table of points")
    header = _header(path, rows)
    first = _first_coordinate(path, header)
    names, lines, points = [], [], []
    seen: dict[str, int] = {}
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path} line {line} must have {len(header)} cells, as its header has, received "
                f"{len(row)}: mend or remove the row."
            )
        name = row[0].strip()
        if not name or name in seen:
            raise DataError(
                f"{path} line {line} must name another picture than the rows before, received "
                f"{name!r}{f' as in line {seen[name]}' if name else ''}: mend or remove the row."
            )
        seen[name] = line
        names.append(name)
        lines.append(line)
        points.append(_coordinates(path, line, header[first:], row[first:]))
    if not names:
        raise DataError(f"{path} must have a row a picture below its header, received none.")
    shaped = np.array(points, dtype=np.float32).reshape(len(names), -1, 2)
    return LandmarkTable(path, tuple(names), tuple(lines), shaped)


def _header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, row in rows:
        return [cell.strip() for cell in row]
    raise DataError(f"{path} is empty: it must begin with a header such as image,x00,y00.")


def _first_coordinate(path: Path, header: Sequence[str]) -> int:
    """Where the coordinates begin; the columns before and after are as they have to be."""
    first = 2 if len(header) > 1 and header[1].lower() == TAG_COLUMN else 1
    if header[0].lower() not in NAME_COLUMNS:
        raise DataError(
            f"{path} must begin with a column {' or '.join(NAME_COLUMNS)}, received "
            f"{header[0][:40]!r}: mend its header."
        )
    columns = header[first:]
    if len(columns) < 2 or len(columns) % 2:
        raise DataError(
            f"{path} must have two columns a point, x00,y00 and so on, received {len(columns)} "
            "columns of coordinates: mend its header."
        )
    for position, column in enumerate(columns):
        number, axis = position // 2, "xy"[position % 2]
        match = re.fullmatch(r"([xyXY])_?(\d+)", column)
        if match is None or match[1].lower() != axis or int(match[2]) != number:
            raise DataError(
                f"{path} column {first + position + 1} must be {axis}{number:02d}, received "
                f"{column[:40]!r}: mend its header."
            )
    return first


def _coordinates(
    path: Path, line: int, columns: Sequence[str], cells: Sequence[str]
) -> list[float]:
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = [_number(cell) for cell in cells]
    for column, cell, value in zip(columns, cells, values, strict=True):
        if not math.isfinite(value) or abs(value) > _LARGEST:
            raise DataError(
                f"{path} line {line} column {column} must be a number of pixels, received "
                f"{cell[:40]!r}: mend or remove the row; a missing point is 0,0."
            )
    return values


def _number(cell: str) -> float:
    """The number in a cell; NaN where there is none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan
