"""Rows of numbers in a CSV file: a header of column names, then a row an example.

Rows are counted as spreadsheets do: the header is row 1.

Tensor contract: values float32 (n, columns), finite, in the order in which the columns were asked
for; labels int64 (n,), class ids.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from datasets.core import DataError
from datasets.vectors import VectorSource

# A table that a person trains on has some MB; one that fills the memory is a mistake.
LARGEST_FILE = 500_000_000
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SHOWN = 40


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a table has to hold.

    Attributes:
        columns: names of the columns of numbers, in the order in which they are wanted.
        label_column: name of the column of classes; None leaves the classes out.
        class_names: by class id; a cell holds a class's id or its name.
        refuse_others: whether columns of other names are refused, or left out.
        largest: the largest number allowed, and its negative the smallest.
    """

    columns: Sequence[str]
    label_column: str | None = None
    class_names: Sequence[str] = ()
    refuse_others: bool = True
    largest: float = float(np.finfo(np.float32).max)


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """One row of a table.

    Attributes:
        number: of the row in the file; the header is row 1.
        values: float32, shape (columns,); None where a cell is faulty.
        label: class id; None where the row is faulty or classes were not asked for.
        fault: one sentence that says what is wrong with the row; None where nothing is.
    """

    number: int
    values: np.ndarray | None
    label: int | None
    fault: str | None = None


def read(path: Path, layout: Layout) -> VectorSource:
    """All rows of a table with their classes.

    Raises:
        DataError: the file is no such table, or holds no row; a row is faulty: the first one.
    """
    found = []
    for row in rows(path, layout):
        if row.fault is not None:
            raise DataError(row.fault)
        found.append(row)
    if not found:
        raise DataError(
            f"{path} must hold at least one row of numbers below its header, received none: name "
            "a table with examples."
        )
    return source(path, found)


def source(path: Path, labelled: Sequence[Row]) -> VectorSource:
    """Rows of the table at `path`, at least one and none faulty, with their classes."""
    return VectorSource(
        np.stack([row.values for row in labelled]),
        np.array([row.label for row in labelled], dtype=np.int64),
        [f"{path.name}, row {row.number}" for row in labelled],
    )


def rows(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows of a table one after another, the faulty ones with what is wrong with them.

    Empty lines are passed over.

    Raises:
        DataError: the file is missing, empty, too large, not UTF-8 or no comma-separated table
            with these columns.
    """
    _check_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, skipinitialspace=True)
            header = [cell.strip() for cell in next(lines, [])]
            places = _places(header, layout, path)
            for cells in lines:
                if cells:
                    yield _row(cells, header, places, layout, path, lines.line_num)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} must be text in UTF-8, received the byte {error.object[error.start]:#04x} "
            "that is none: save the table as CSV in UTF-8."
        ) from None
    except csv.Error as error:
        raise DataError(
            f"{path} is not a comma-separated table ({error}): save it as CSV."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"{path} must be a CSV file, received a path where there is none.")
    size = path.stat().st_size
    if size == 0:
        raise DataError(f"{path} is empty: it must be a CSV file with a header and rows below it.")
    if size > LARGEST_FILE:
        raise DataError(
            f"{path} must have at most {LARGEST_FILE / 1e6:.0f} MB, received {size / 1e6:.0f} MB: "
            "name a smaller table."
        )


def _places(header: list[str], layout: Layout, path: Path) -> dict[str, int]:
    """Where each column that is wanted stands in a row."""
    wanted = [*layout.columns, *([layout.label_column] if layout.label_column else [])]
    missing = [name for name in wanted if name not in header]
    if missing:
        _refuse_delimiter(header, len(wanted), path)
        raise DataError(
            f"{path} must have the column {_listed(missing)} in its first row, received the "
            f"columns {_listed(header)}: add what is missing."
        )
    twice = sorted({name for name in wanted if header.count(name) > 1})
    if twice:
        raise DataError(
            f"{path} must have each column once, received {_listed(twice)} more than once: remove "
            "the copies."
        )
    others = [name for name in header if name not in wanted]
    if others and layout.refuse_others:
        raise DataError(
            f"{path} must have no columns but {', '.join(wanted)}, received also "
            f"{_listed(others)}: remove them."
        )
    return {name: header.index(name) for name in wanted}


def _refuse_delimiter(header: list[str], wanted: int, path: Path) -> None:
    """Says so where the columns seem to be separated by something else than commas."""
    text = ",".join(header)
    for delimiter, name in _OTHER_DELIMITERS.items():
        if text.count(delimiter) > max(0, wanted // 2 - 1):
            raise DataError(
                f"{path} must have its columns separated by commas, received {name}: save the "
                "table as comma-separated CSV."
            )


def _row(
    cells: list[str],
    header: list[str],
    places: dict[str, int],
    layout: Layout,
    path: Path,
    number: int,
) -> Row:
    def faulty(fault: str) -> Row:
        return Row(number, None, None, f"{path}, row {number}{fault}")

    if len(cells) != len(header):
        return faulty(
            f" must have {len(header)} cells as the header has, received {len(cells)}: correct "
            "the row."
        )
    values = np.empty(len(layout.columns), dtype=np.float32)
    for index, name in enumerate(layout.columns):
        value = _number(cells[places[name]], layout.largest)
        if isinstance(value, str):
            return faulty(f", column {name!r} {value}")
        values[index] = value
    if layout.label_column is None:
        return Row(number, values, None)
    label = _class_id(cells[places[layout.label_column]], layout.class_names)
    if isinstance(label, str):
        return faulty(f", column {layout.label_column!r} {label}")
    return Row(number, values, label)


def _number(cell: str, largest: float) -> float | str:
    """The number in a cell, or what is wrong with it as the end of a sentence."""
    text = cell.strip()
    if not text:
        return "must be a number, received an empty cell: fill it in or remove the row."
    try:
        # Python would take "1_000" as well, and digits of every script.
        value = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        value = None
    if value is None:
        return f"must be a number, received {text[:_SHOWN]!r}: correct it or remove the row."
    if not math.isfinite(value):
        return f"must be a finite number, received {text[:_SHOWN]!r}: correct or remove the row."
    if abs(value) > largest:
        return (
            f"must be a number from {-largest:g} to {largest:g}, received {text[:_SHOWN]!r}: "
            "correct it or remove the row."
        )
    return value


def _class_id(cell: str, class_names: Sequence[str]) -> int | str:
    """The class in a cell, or what is wrong with it as the end of a sentence."""
    text = cell.strip()
    if text in class_names:
        return list(class_names).index(text)
    ids = [str(index) for index in range(len(class_names))]
    if text in ids:
        return int(text)
    last = len(class_names) - 1
    return (
        f"must be a class from 0 to {last} or its name ({_listed(class_names)}), received "
        f"{text[:_SHOWN]!r}: correct it or remove the row."
    )


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(repr(name[:_SHOWN]) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
