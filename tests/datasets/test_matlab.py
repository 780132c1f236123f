"""MATLAB files against SciPy's reader and writer, and damaged ones."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from datasets import matlab
from datasets.core import DataError


def written(compressed: bool = False, **variables) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, do_compression=compressed)
    return stream.getvalue()


def read(tmp_path: Path, data: bytes, name: str = "x") -> matlab.Value:
    path = tmp_path / "file.mat"
    path.write_bytes(data)
    return matlab.read_variable(path, name)


@pytest.mark.parametrize("compressed", [False, True])
def test_texts_numbers_cells_and_structures(tmp_path, compressed):
    cell = np.empty((2, 2), object)
    cell[:] = [["caf\u00e9 \u65e5\u672c", np.arange(300.0)], [np.int64(-(2**40)), np.zeros((0, 0))]]
    data = written(compressed, before=np.ones(3), x=cell, y={"one": 1, "the_other": "text"})
    text, number, numbers, nothing = read(tmp_path, data)
    assert text == "caf\u00e9 \u65e5\u672c"
    assert number.tolist() == [-(2**40)]
    assert numbers.tolist() == list(range(300))
    assert nothing.tolist() == []
    (structure,) = read(tmp_path, data, "y")
    assert structure["one"].tolist() == [1]
    assert structure["the_other"] == "text"


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_every_type_of_number(tmp_path, kind):
    values = np.array([0, 1, 100, 127], kind)
    np.testing.assert_array_equal(read(tmp_path, written(x=values)), values)


def big_endian_number() -> bytes:
    """The number 258, written by the format's description alone."""
    flags = struct.pack(">IIII", 6, 8, 6, 0)
    sizes = struct.pack(">IIii", 5, 8, 1, 1)
    name = struct.pack(">HH4s", 1, 1, b"x")
    value = struct.pack(">IId", 9, 8, 258.0)
    body = flags + sizes + name + value
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    return header + struct.pack(">II", 14, len(body)) + body


def test_big_endian(tmp_path):
    assert scipy.io.loadmat(io.BytesIO(big_endian_number()))["x"].item() == 258
    assert read(tmp_path, big_endian_number()).tolist() == [258]


def test_the_real_devkit_reads_as_scipy_reads_it(shared_data):
    path = shared_data / "stanford_cars_mini/devkit/cars_train_annos.mat"
    expected = scipy.io.loadmat(path)["annotations"].ravel()
    found = matlab.read_variable(path, "annotations")
    assert len(found) == len(expected) == 629
    for ours, theirs in zip(found, expected, strict=True):
        assert list(ours) == list(theirs.dtype.names)
        for field, value in ours.items():
            number = value if isinstance(value, str) else value.item()
            assert number == theirs[field].item()


def nested(depth: int) -> np.ndarray:
    value = np.array([[1.0]])
    for _ in range(depth):
        cell = np.empty((1, 1), object)
        cell[0, 0] = value
        value = cell
    return value


def unpacking_to_more_than_allowed() -> bytes:
    body = zlib.compress(bytes(matlab.MAX_BYTES + 1))
    return written(x=1)[:128] + struct.pack("<II", 15, len(body)) + body


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "header"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "header"),
        (written(y=1), "no variable x"),
        (written(x=1)[:-5], "cut short"),
        (written(x=nested(9)), "nested too deeply"),
        (written(x=scipy.sparse.eye(3).tocsc()), "class 5"),
        (unpacking_to_more_than_allowed(), "too large"),
    ],
    ids=["empty", "hdf5", "missing", "cut", "nested", "sparse", "bomb"],
)
def test_what_cannot_be_read_is_named(tmp_path, data, why):
    with pytest.raises(DataError, match=why) as caught:
        read(tmp_path, data)
    assert str(caught.value).startswith(str(tmp_path / "file.mat"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        matlab.read_variable(tmp_path / "gone.mat", "x")


def test_a_file_of_absurd_size_is_not_read(tmp_path):
    path = tmp_path / "huge.mat"
    with path.open("wb") as file:
        file.truncate(matlab.MAX_BYTES + 1)
    with pytest.raises(DataError, match="more than"):
        matlab.read_variable(path, "x")


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_bytes_never_raise_anything_else(tmp_path, compressed):
    cell = np.empty((1, 3), object)
    cell[0] = ["text", 7, {"field": "f"}]
    whole = written(compressed, x=cell)
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        hostile = bytearray(whole[: int(random.integers(len(whole) // 2, len(whole) + 1))])
        for place in random.integers(0, len(hostile), 3):
            hostile[place] = random.choice([0, 255, random.integers(256)])
        try:
            read(tmp_path, bytes(hostile))
        except DataError:
            refused += 1
    assert refused > 250
