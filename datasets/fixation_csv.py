"""Reads a list of fixations: one row a fixation, `image,subject,x,y,latency_s,duration_s`.

x and y are pixels of the picture; `latency_s`, which may be missing, is when the fixation began,
in seconds after the picture came up. Other columns are not looked at. Rows are counted as
spreadsheets do: the header is row 1.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from datasets import csv_rows
from datasets.core import DataError

_NAMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "picture", "file", "filename", "name"),
    "subject": ("subject", "observer", "viewer"),
    "x": ("x",),
    "y": ("y",),
    "latency_s": ("latency_s",),
}
_OPTIONAL = ("latency_s",)
_WORDS = ("image", "subject")
# No picture that can be read has so many pixels along a side (`images.MAX_PIXELS`).
_LARGEST = 1e6


@dataclasses.dataclass(frozen=True, eq=False)
class FixationTable:
    """The rows of a list of fixations.

    Attributes:
        path: the file.
        names: of the pictures, in the order in which they first come up.
        pictures: number of the picture of each fixation, int64 (m,).
        observers: number of the observer of each fixation, int64 (m,).
        points: float64 (m, 2), x and y in pixels.
        latencies: seconds, float64 (m,); None where the list has no such column.
        rows: number of each fixation's row in the file, int64 (m,).
    """

    path: Path
    names: tuple[str, ...]
    pictures: np.ndarray
    observers: np.ndarray
    points: np.ndarray
    latencies: np.ndarray | None
    rows: np.ndarray


def read_fixations(path: Path) -> FixationTable:
    """Reads the file and finds everything that is wrong in it, by row and column.

    Raises:
        DataError: the file cannot be read, lacks a column, has no row, or has a row of another
            length, without picture or observer, or with a number that cannot be.
    """
    rows = csv_rows.rows(path, "a list of fixations")
    header = _header(path, rows)
    places = _places(path, header)
    pictures: dict[str, int] = {}
    observers: dict[str, int] = {}
    found: list[tuple[int, int, int, list[float]]] = []
    for number, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path} row {number} must have {len(header)} cells, as its header has, received "
                f"{len(row)}: mend or remove the row."
            )
        name, observer = (_word(path, number, row, places, column) for column in _WORDS)
        values = [
            _number(path, number, row[places[column]], column)
            for column in ("x", "y", "latency_s")
            if column in places
        ]
        found.append(
            (
                number,
                pictures.setdefault(name, len(pictures)),
                observers.setdefault(observer, len(observers)),
                values,
            )
        )
    if not found:
        raise DataError(f"{path} must have a row a fixation below its header, received none.")
    values = np.array([each[3] for each in found])
    return FixationTable(
        path=path,
        names=tuple(pictures),
        pictures=np.array([each[1] for each in found], np.int64),
        observers=np.array([each[2] for each in found], np.int64),
        points=values[:, :2],
        latencies=values[:, 2] if "latency_s" in places else None,
        rows=np.array([each[0] for each in found], np.int64),
    )


def _header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, row in rows:
        return [cell.strip().lower() for cell in row]
    raise DataError(f"{path} is empty: it must begin with the header image,subject,x,y,latency_s.")


def _places(path: Path, header: list[str]) -> dict[str, int]:
    """Where each known column stands."""
    places = {}
    for column, names in _NAMES.items():
        found = [place for place, cell in enumerate(header) if cell in names]
        if len(found) > 1 or (not found and column not in _OPTIONAL):
            shown = ", ".join(header)[:80]
            raise DataError(
                f"{path} must have one column {' or '.join(names)} in its first row, received "
                f"{len(found)} in the columns {shown}: mend its header."
            )
        if found:
            places[column] = found[0]
    return places


def _word(path: Path, number: int, row: list[str], places: Mapping[str, int], column: str) -> str:
    word = row[places[column]].strip()
    if not word:
        raise DataError(
            f"{path} row {number} column {column} must not be empty: mend or remove the row."
        )
    return word


def _number(path: Path, number: int, cell: str, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    least = 0.0 if column == "latency_s" else -_LARGEST
    if not least <= value <= _LARGEST:
        allowed = "seconds, at least 0" if column == "latency_s" else "pixels"
        raise DataError(
            f"{path} row {number} column {column} must be a number of {allowed}, received "
            f"{cell[:40]!r}: mend or remove the row."
        )
    return value
