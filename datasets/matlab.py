"""Reads texts, numbers, cells and structures from a MATLAB file (version 5 to 7.2).

SciPy reads such files too, but 1.17 ends the whole process on some damaged ones, and annotations
may come from anywhere. Here nothing is believed: each length is checked against what is there.

Source: MathWorks, "MAT-File Format", the chapter on level 5 files; the numbers of types and classes
are those of its tables "MAT-File Data Types" and "MATLAB Array Types".
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from datasets.core import DataError

# Far above the largest file of annotations (a megabyte), packed or unpacked.
MAX_BYTES = 64 * 1024 * 1024
# A structure in a cell in a structure ...: annotations have two levels.
MAX_DEPTH = 6

HEADER_BYTES = 128
INT8, MATRIX, COMPRESSED = 1, 14, 15
NUMBER_FORMATS = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
TEXT_ENCODINGS = {1: "latin-1", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
CELL_CLASS, STRUCTURE_CLASS, TEXT_CLASS = 1, 2, 4
NUMBER_CLASSES = range(6, 16)

Value = str | np.ndarray | list


class _DamagedError(Exception):
    """What is wrong with the bytes."""


def read_variable(path: str | Path, name: str) -> Value:
    """One variable of a MATLAB file.

    Returns:
        A text as str; numbers as an array of shape (n,), of whatever type they are stored in; a
        cell array as a list of values; an array of structures as a list of dictionaries. All in
        MATLAB's order, column by column.

    Raises:
        DataError: the file cannot be read, is damaged, of another version, or lacks the variable.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _DamagedError(f"it has more than {MAX_BYTES} bytes")
        data = path.read_bytes()
        order = _byte_order(data)
        rest = data[HEADER_BYTES:]
        while rest:
            kind, body, rest = _element(rest, order, padded=False)
            if kind == COMPRESSED:
                kind, body, _ = _element(_unpacked(body), order)
            if kind == MATRIX and _name(body, order) == name:
                return _value(body, order, MAX_DEPTH)
        raise _DamagedError(f"it has no variable {name}")
    except (OSError, _DamagedError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as a MATLAB file of version 5 to 7.2 ({error}): replace it."
        ) from error


def _byte_order(data: bytes) -> str:
    order = {b"IM": "<", b"MI": ">"}.get(data[126:HEADER_BYTES])
    if order is None or struct.unpack_from(order + "H", data, 124)[0] != 0x0100:
        raise _DamagedError("its header is not that of such a file")
    return order


def _unpacked(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    unpacked = stream.decompress(data, MAX_BYTES)
    if not stream.eof:
        raise _DamagedError("a compressed part is cut short or too large")
    return unpacked


def _element(data: bytes, order: str, padded: bool = True) -> tuple[int, bytes, bytes]:
    """Type and content of the first data element, and the bytes after it.

    Elements are padded to 8 bytes, but compressed ones, which stand at the file's top level, are
    not. Nor need they be there otherwise: the size of a matrix is a multiple of 8.
    """
    if len(data) < 8:
        raise _DamagedError("it is cut short")
    first, size = struct.unpack_from(order + "II", data)
    if first >> 16:  # the small form: size and type share a word, four bytes of content follow
        size = first >> 16
        if size > 4:
            raise _DamagedError("the size of a small element does not hold")
        return first & 0xFFFF, data[4 : 4 + size], data[8:]
    if size > len(data) - 8:
        raise _DamagedError("it is cut short")
    end = 8 + (size + -size % 8 if padded else size)
    return first, data[8 : 8 + size], data[end:]


def _header(body: bytes, order: str) -> tuple[int, list[int], str, bytes]:
    """Class, dimensions and name of a matrix, and the elements after them."""
    _, flags, body = _element(body, order)
    _, dimensions, body = _element(body, order)
    _, name, body = _element(body, order)
    if len(flags) != 8 or len(dimensions) % 4:
        raise _DamagedError("the head of a matrix does not hold")
    matrix_class = struct.unpack(order + "II", flags)[0] & 0xFF
    sizes = np.frombuffer(dimensions, order + "i4").tolist()
    if len(sizes) < 2 or min(sizes) < 0:
        raise _DamagedError("the dimensions of a matrix do not hold")
    return matrix_class, sizes, name.decode("latin-1"), body


def _name(body: bytes, order: str) -> str:
    return _header(body, order)[2]


def _value(body: bytes, order: str, depth: int) -> Value:
    if not body:  # how an empty cell is written
        return np.zeros(0)
    if depth == 0:
        raise _DamagedError("it is nested too deeply")
    matrix_class, sizes, _, rest = _header(body, order)
    count = math.prod(sizes)
    if matrix_class == CELL_CLASS:
        return _matrices(rest, order, depth, count)[0]
    if matrix_class == STRUCTURE_CLASS:
        return _structures(rest, order, depth, count)
    if matrix_class == TEXT_CLASS:
        return _text(rest, order)
    if matrix_class in NUMBER_CLASSES:
        return _numbers(rest, order, count)
    raise _DamagedError(f"it holds an array of class {matrix_class}, not text, number or structure")


def _matrices(rest: bytes, order: str, depth: int, count: int) -> tuple[list[Value], bytes]:
    if count > len(rest) // 8:  # each takes 8 bytes or more
        raise _DamagedError("it is cut short")
    values = []
    view = memoryview(rest)
    for _ in range(count):
        kind, body, view = _element(view, order)
        if kind != MATRIX:
            raise _DamagedError("a cell or field is not a matrix")
        values.append(_value(bytes(body), order, depth - 1))
    return values, bytes(view)


def _structures(rest: bytes, order: str, depth: int, count: int) -> list[dict[str, Value]]:
    _, length, rest = _element(rest, order)
    kind, names, rest = _element(rest, order)
    width = int.from_bytes(length, "little" if order == "<" else "big")
    if len(length) != 4 or kind != INT8 or width == 0 or len(names) % width:
        raise _DamagedError("the field names of a structure do not hold")
    starts = range(0, len(names), width)
    fields = [names[i : i + width].split(b"\0")[0].decode("latin-1") for i in starts]
    if not fields:
        raise _DamagedError("a structure has no fields")
    values, _ = _matrices(rest, order, depth, count * len(fields))
    return [
        dict(zip(fields, values[i : i + len(fields)], strict=True))
        for i in range(0, len(values), len(fields))
    ]


def _text(rest: bytes, order: str) -> str:
    kind, data, _ = _element(rest, order)
    if kind not in TEXT_ENCODINGS:
        raise _DamagedError(f"a text is stored as type {kind}")
    encoding = TEXT_ENCODINGS[kind]
    if encoding in ("utf-16", "utf-32"):
        encoding += "-le" if order == "<" else "-be"
    return data.decode(encoding)


def _numbers(rest: bytes, order: str, count: int) -> np.ndarray:
    kind, data, _ = _element(rest, order)
    if kind not in NUMBER_FORMATS:
        raise _DamagedError(f"a number is stored as type {kind}")
    number = np.dtype(order + NUMBER_FORMATS[kind])
    if len(data) != count * number.itemsize:
        raise _DamagedError("a matrix has another size than its dimensions say")
    return np.frombuffer(data, number)
