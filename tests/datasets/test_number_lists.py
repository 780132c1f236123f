"""Lists of numbers out of a pickle that is never run: NumPy's own, and an enemy's."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from datasets.number_lists import NotNumberListsError, read_number_lists


def objects(lists: list) -> np.ndarray:
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_body(body: bytes, count: int = 2) -> bytes:
    """An `.npy` file of that many objects whose pickle is `body`."""
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + body


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_what_numpy_writes_is_read(protocol: int) -> None:
    lists = [[1, 2, 300], [70_000, 5], [7], [], list(range(2500))]
    body = pickle.dumps(objects(lists), protocol)
    assert read_number_lists(with_body(body, len(lists))) == lists


def test_numpys_own_file_is_read_and_so_is_a_name_of_numpy_1() -> None:
    lists = [[1, 2], [3]]
    data = saved(objects(lists))
    assert read_number_lists(data) == lists
    # Protocol 3 spells the module out, as NumPy 1 wrote it.
    body = pickle.dumps(objects(lists), 3)
    old = body.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != body
    assert read_number_lists(with_body(old)) == lists


class Runs:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_would_run_a_command_runs_nothing(tmp_path: Path, protocol: int) -> None:
    place = tmp_path / "ran"
    body = pickle.dumps(Runs(os.system, f"touch {place}"), protocol)
    with pytest.raises(NotNumberListsError):
        read_number_lists(with_body(body))
    hidden = pickle.dumps(objects([[1], Runs(os.mkdir, str(place))]), protocol)
    with pytest.raises(NotNumberListsError):
        read_number_lists(with_body(hidden))
    assert not place.exists()
    # The same bytes do run where they are unpickled: the test can fail.
    pickle.loads(hidden)
    assert place.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (pickle.dumps(Runs(eval, "1"), 2), "__builtin__ eval.*run code"),
        (pickle.dumps(OrderedDict(a=[1]), 2), "collections OrderedDict.*run code"),
        (pickle.dumps(Runs(eval, "1"), 5), "eval.*run code"),
        (pickle.dumps([[1], [2]], 2), "not the array"),
        (pickle.dumps({"a": [1]}, 2), "no operation"),
        (pickle.dumps(objects([[1], [2.5]]), 3), "no operation BINFLOAT"),
        (pickle.dumps(objects([[1], ["a"]]), 3), "not a list of whole numbers"),
        (pickle.dumps(objects([[1], [True]]), 3), "not a list of whole numbers"),
        (pickle.dumps(objects([[1], [None]]), 3), "not a list of whole numbers"),
        (pickle.dumps(objects([[1], [[2]]]), 3), "not a list of whole numbers"),
        (pickle.dumps(objects([[1], 2]), 3), "not a list of whole numbers"),
        (pickle.dumps(objects([[1], [2**70]]), 3), "no operation LONG1"),
        (pickle.dumps(objects([[1], [2], [3]]), 3), "not the array that its header announces"),
        (pickle.dumps(np.arange(2), 4), "not the array"),
        (b"", "cut off"),
        (b"\x80\x02", "cut off"),
        (b"\xff\xff", "damaged"),
        (b"\x80\x02.", "operand is missing"),
        (b"\x80\x02e.", "mark is missing"),
        (b"\x80\x02K\x01(K\x02e.", "only lists can grow"),
        (b"\x80\x02K\x01K\x02b.", "only arrays have a state"),
        (b"\x80\x02K\x01)R.", "no function"),
        (b"\x80\x02(h\x00.", "unknown value"),
        (b"\x80\x02X\xff\xff\xff\x7fa.", "damaged"),
    ],
)
def test_anything_else_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(NotNumberListsError, match=said):
        read_number_lists(with_body(body))


def test_every_cut_and_every_changed_byte_gives_lists_or_the_error() -> None:
    """Never another exception, whatever the damage."""
    data = saved(objects([[1, 2, 300], [70_000], []]))
    for end in range(len(data)):
        with pytest.raises(NotNumberListsError):
            read_number_lists(data[:end])
    random = np.random.default_rng(0)
    for _ in range(3000):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 2):
            damaged[place] = random.integers(256)
        try:
            lists = read_number_lists(bytes(damaged))
        except NotNumberListsError:
            continue
        assert all(isinstance(number, int) for numbers in lists for number in numbers)


def test_one_list_cannot_stand_for_many() -> None:
    """Each reference takes two bytes, and would be a list of a million numbers to count."""
    shared = list(range(1000))
    with pytest.raises(NotNumberListsError, match="twice"):
        read_number_lists(with_body(pickle.dumps(objects([shared, shared]), 3)))


def test_an_announced_size_takes_no_memory_and_deep_nesting_no_stack() -> None:
    files = (
        saved(objects([[1], [2]])).replace(b"(2,)", b"(9999999999999,)"),
        with_body(b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."),
        with_body(b"\x80\x02\x8b" + struct.pack("<I", 2**31 - 1) + b"\x01."),
    )
    tracemalloc.start()
    try:
        for file in files:
            with pytest.raises(NotNumberListsError):
                read_number_lists(file)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


def test_an_array_of_plain_numbers_is_refused_and_so_is_one_of_two_dimensions() -> None:
    with pytest.raises(NotNumberListsError, match="int64"):
        read_number_lists(saved(np.arange(3)))
    square = np.empty((1, 1), object)
    square[0, 0] = [1]
    with pytest.raises(NotNumberListsError, match="one-dimensional"):
        read_number_lists(saved(square))
    with pytest.raises(NotNumberListsError, match="header"):
        read_number_lists(b"PK\x03\x04 no array at all")
