"""Arrays on disk: computed once, gone on with, and refused where they cannot be."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from datasets import array_store
from datasets.core import DataError
from tests.datasets.stores import (
    KEY,
    ROW_BYTES,
    SHAPE,
    Filling,
    Stopped,
    assert_one_sentence,
    filling_until,
    finished,
    never,
    opened,
    rows,
)

pytestmark = pytest.mark.usefixtures("small_blocks")


@pytest.mark.parametrize("chunk", [1, 3, 4, 9, 23])
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int64", "bool"])
def test_the_rows_come_back(tmp_path: Path, dtype: str, chunk: int) -> None:
    expected = rows(dtype=dtype)
    for fill in (Filling(expected, chunk), never):
        array = opened(tmp_path / "new" / "folder", fill, dtype=dtype)
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("shape", [(1,), (7,), (1, 1), (5, 40), (2, 3, 4, 5)])
def test_any_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    for fill in (Filling(rows(shape), 2), never):
        np.testing.assert_array_equal(opened(tmp_path, fill, shape=shape), rows(shape))


def test_chunks_need_not_be_contiguous(tmp_path: Path) -> None:
    expected = rows((23, 2, 3)).transpose(0, 2, 1)
    np.testing.assert_array_equal(opened(tmp_path, Filling(expected)), expected)
    np.testing.assert_array_equal(opened(tmp_path, never), expected)


def test_the_array_is_mapped_and_cannot_be_written_to(tmp_path: Path) -> None:
    array = opened(tmp_path, Filling(rows()))
    assert isinstance(array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_stores_of_different_keys_live_side_by_side(tmp_path: Path) -> None:
    other = "f" * 64
    opened(tmp_path, Filling(rows()))
    opened(tmp_path, Filling(rows() + 1), key=other)
    np.testing.assert_array_equal(opened(tmp_path, never), rows())
    np.testing.assert_array_equal(opened(tmp_path, never, key=other), rows() + 1)


def test_show_is_told_of_every_chunk(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    opened(tmp_path, Filling(rows(), 10), show=lambda *numbers: told.append(numbers))
    assert told == [(0, 23), (10, 23), (20, 23), (23, 23)]
    opened(tmp_path, never, show=never)


def test_nothing_but_the_store_and_its_lock_is_left(tmp_path: Path) -> None:
    opened(tmp_path, Filling(rows()))
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    name = KEY[:16]
    assert left == {name, f"{name}/rows.bin", f"{name}/record.json", f"{name}.lock"}
    assert (finished(tmp_path) / "rows.bin").read_bytes() == rows().tobytes()


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stopped, OSError, DataError])
@pytest.mark.parametrize("done", [0, 3, 6, 12, 21])
def test_what_fill_raises_comes_through_and_the_next_call_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture, done: int, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        opened(tmp_path, filling_until(done, error))
    assert array_store.bytes_missing(tmp_path, KEY, SHAPE, "float32") == (23 - done) * ROW_BYTES
    rest = Filling(rows())
    np.testing.assert_array_equal(opened(tmp_path, rest), rows())
    assert rest.firsts == [done]
    assert capfd.readouterr().out == ""


def test_what_show_raises_comes_through_and_the_next_call_goes_on(tmp_path: Path) -> None:
    def show(done: int, total: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path, Filling(rows()), show=show)
    rest, told = Filling(rows()), []
    opened(tmp_path, rest, show=lambda done, total: told.append(done))
    assert rest.firsts == [9]
    assert told == [9, 12, 15, 18, 21, 23]


# Refused


class Disk:
    """What `shutil.disk_usage` gives."""

    def __init__(self, free: int) -> None:
        self.free = free


def with_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(array_store.shutil, "disk_usage", lambda path: Disk(free))


def test_a_disk_without_room_is_refused_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = 23 * ROW_BYTES + array_store.RESERVE_BYTES
    with_free(monkeypatch, need - 1)
    with pytest.raises(DataError, match=r"552 bytes.*67\.1 MB.*67\.1 MB free") as refused:
        opened(tmp_path, never)
    assert_one_sentence(str(refused.value), tmp_path)
    with_free(monkeypatch, need)
    np.testing.assert_array_equal(opened(tmp_path, Filling(rows())), rows())
    with_free(monkeypatch, 0)
    np.testing.assert_array_equal(opened(tmp_path, never), rows())


def test_what_is_there_already_needs_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stopped):
        opened(tmp_path, filling_until(18, Stopped))
    need = 5 * ROW_BYTES
    assert array_store.bytes_missing(tmp_path, KEY, SHAPE, "float32") == need
    with_free(monkeypatch, need + array_store.RESERVE_BYTES - 1)
    with pytest.raises(DataError, match="120 bytes"):
        opened(tmp_path, never)
    with_free(monkeypatch, need + array_store.RESERVE_BYTES)
    opened(tmp_path, Filling(rows()))
    assert array_store.bytes_missing(tmp_path, KEY, SHAPE, "float32") == 0


def test_missing_bytes_of_what_was_never_begun(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert array_store.bytes_missing(folder, KEY, (10**9, 1000), "float16") == 2 * 10**12
    assert not folder.exists()


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_folder_that_is_a_file(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    for call in (
        lambda: opened(file / below, never),
        lambda: array_store.require_room(file / below, 1),
    ):
        with pytest.raises(DataError, match=r"File exists|Not a directory") as refused:
            call()
        assert_one_sentence(str(refused.value), file / below)
    assert file.read_text() == "text"


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that can be seen and not written to, for which the superuser steps down."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such rights")
    superuser = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        if superuser:
            os.seteuid(65534)
        yield Path(name)
        if superuser:
            os.seteuid(0)
        Path(name).chmod(0o755)


@pytest.mark.parametrize("below", ["", "new"])
def test_a_folder_that_cannot_be_written_to(read_only_folder: Path, below: str) -> None:
    folder = read_only_folder / below
    with pytest.raises(DataError, match="Permission denied") as refused:
        opened(folder, never)
    assert_one_sentence(str(refused.value), folder)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda first: iter(()), "rows=0"),
        (lambda first: iter([rows()[:22]]), "rows=22"),
        (lambda first: iter([rows(), rows()[:1]]), "rows=24"),
        (lambda first: iter([rows((24, 3, 2))]), "rows=24"),
        (lambda first: iter([rows((23, 2, 3))]), r"shape=\(23, 2, 3\)"),
        (lambda first: iter([rows((3, 2))]), r"shape=\(3, 2\)"),
        (lambda first: iter([rows(dtype="float64")]), "dtype=float64"),
    ],
)
def test_a_fill_that_breaks_its_promise(tmp_path: Path, fault: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        opened(tmp_path, fault)
    np.testing.assert_array_equal(opened(tmp_path, Filling(rows())), rows())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"key": "abc"}, "key=abc"),
        ({"key": "../../../../etc/passwd"}, "hexadecimal"),
        ({"key": KEY + "\n"}, "hexadecimal"),
        ({"shape": ()}, r"shape=\(\)"),
        ({"shape": (0, 3)}, r"shape=\(0, 3\)"),
        ({"shape": (3, -1)}, r"shape=\(3, -1\)"),
        ({"dtype": "object"}, "dtype=object"),
    ],
)
def test_malformed_arguments(tmp_path: Path, wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        opened(tmp_path, never, **wrong)
    assert not list(tmp_path.iterdir())
