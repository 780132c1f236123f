"""Whatever lies in place of a store: it is noticed, said in one line and made right."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from datasets import array_store
from tests.datasets.stores import (
    BLOCK_ROWS,
    KEY,
    ROW_BYTES,
    SHAPE,
    Filling,
    Stopped,
    filling_until,
    finished,
    never,
    opened,
    rows,
)

pytestmark = pytest.mark.usefixtures("small_blocks")


def assert_rebuilt(folder: Path, capfd: pytest.CaptureFixture, first: int | None = None) -> None:
    """The store is repaired from row `first` on, says so in one line and is right thereafter."""
    rebuilding = Filling(rows())
    np.testing.assert_array_equal(opened(folder, rebuilding), rows())
    assert len(rebuilding.firsts) == 1
    if first is not None:
        assert rebuilding.firsts == [first]
    line = f"its rows from {rebuilding.firsts[0]} of 23 on are computed again.\n"
    printed = capfd.readouterr().out
    assert printed.endswith(line)
    assert printed.count("\n") == 1
    assert str(finished(folder)) in printed
    np.testing.assert_array_equal(opened(folder, never), rows())
    assert {path.name for path in folder.iterdir()} == {KEY[:16], f"{KEY[:16]}.lock"}


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("row", range(23))
def test_a_flipped_bit_in_the_rows(tmp_path: Path, capfd: pytest.CaptureFixture, row: int) -> None:
    opened(tmp_path, Filling(rows()))
    flip(finished(tmp_path) / "rows.bin", row * ROW_BYTES + row)
    assert_rebuilt(tmp_path, capfd, first=row // BLOCK_ROWS * BLOCK_ROWS)


def test_a_flipped_bit_in_the_record(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    opened(tmp_path, Filling(rows()))
    record = finished(tmp_path) / "record.json"
    sound = record.read_bytes()
    assert len(sound) > 150
    for place in range(0, len(sound), 3):
        record.write_bytes(sound)
        flip(record, place)
        assert_rebuilt(tmp_path, capfd)


@pytest.mark.parametrize("byte_count", [0, 1, 5 * ROW_BYTES, 23 * ROW_BYTES - 1])
def test_truncated_rows(tmp_path: Path, capfd: pytest.CaptureFixture, byte_count: int) -> None:
    opened(tmp_path, Filling(rows()))
    os.truncate(finished(tmp_path) / "rows.bin", byte_count)
    assert_rebuilt(tmp_path, capfd, first=byte_count // ROW_BYTES // BLOCK_ROWS * BLOCK_ROWS)


@pytest.mark.parametrize("name", ["rows.bin", "record.json"])
@pytest.mark.parametrize("instead", ["nothing", "folder", "noise"])
def test_a_file_that_is_missing_or_something_else(
    tmp_path: Path, capfd: pytest.CaptureFixture, name: str, instead: str
) -> None:
    opened(tmp_path, Filling(rows()))
    path = finished(tmp_path) / name
    path.unlink()
    if instead == "folder":
        path.mkdir()
    elif instead == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(700))
    assert_rebuilt(tmp_path, capfd, first=0)


@pytest.mark.parametrize("name", [KEY[:16], f"{KEY[:16]}.part"])
@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_something_else_under_the_name_of_the_store(
    tmp_path: Path, capfd: pytest.CaptureFixture, name: str, what: str
) -> None:
    folder, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("a file of the user")
    path = folder / name
    if what == "file":
        path.write_text("text")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(elsewhere)
    assert_rebuilt(folder, capfd, first=0)
    assert (elsewhere / "kept").exists()


def changed(document: dict, **fields: object) -> str:
    return json.dumps({**document, **fields})


HOSTILE = {
    "no JSON": lambda sound: "rows: 23",
    "not text": lambda sound: "\udcff\udc80",
    "nothing": lambda sound: "",
    "null": lambda sound: "null",
    "a list": lambda sound: json.dumps([sound]),
    "a number": lambda sound: "1e999",
    "deep": lambda sound: "[" * 200_000,
    "a huge whole number": lambda sound: '{"rows": ' + "9" * 10_000 + "}",
    "no fields": lambda sound: "{}",
    "too many rows": lambda sound: changed(sound, rows=10**30),
    "more rows than check sums": lambda sound: changed(sound, rows=20),
    "negative rows": lambda sound: changed(sound, rows=-4),
    "rows as text": lambda sound: changed(sound, rows="23"),
    "rows as a fraction": lambda sound: changed(sound, rows=23.0),
    "rows as a truth": lambda sound: changed(sound, rows=True, checksums=[1]),
    "rows as not a number": lambda sound: changed(sound, rows=float("nan")),
    "check sums as text": lambda sound: changed(sound, checksums="sixsix"),
    "check sums of text": lambda sound: changed(sound, checksums=["6"] * 6),
    "check sums of nothing": lambda sound: changed(sound, checksums=[None] * 6),
    "check sums of huge numbers": lambda sound: changed(sound, checksums=[10**400] * 6),
    "check sums of lists": lambda sound: changed(sound, checksums=[[]] * 6),
    "too few check sums": lambda sound: changed(sound, checksums=sound["checksums"][:-1]),
    "too many check sums": lambda sound: changed(sound, checksums=sound["checksums"] * 2),
    "a store of another kind": lambda sound: changed(sound, store=[1, 2]),
    "a store without a key": lambda sound: changed(sound, store={"version": 1}),
    "a block of no rows": lambda sound: changed(sound, store={**sound["store"], "block_rows": 0}),
}


@pytest.mark.parametrize("part", [False, True], ids=["finished", "part"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_record(
    tmp_path: Path, capfd: pytest.CaptureFixture, kind: str, part: bool
) -> None:
    opened(tmp_path, Filling(rows()))
    record = finished(tmp_path) / "record.json"
    text = HOSTILE[kind](json.loads(record.read_text()))
    record.write_bytes(text.encode("utf-8", "surrogateescape"))
    if part:
        finished(tmp_path).rename(tmp_path / f"{KEY[:16]}.part")
    assert_rebuilt(tmp_path, capfd, first=0)


def test_check_sums_that_only_equal_whole_numbers_do_no_harm(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        opened(tmp_path, filling_until(6, Stopped))
    record = tmp_path / f"{KEY[:16]}.part" / "record.json"
    sound = json.loads(record.read_text())
    record.write_text(changed(sound, checksums=[float(one) for one in sound["checksums"]]))
    np.testing.assert_array_equal(opened(tmp_path, Filling(rows())), rows())


def test_a_part_that_was_damaged_goes_on_where_it_is_right(
    tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    with pytest.raises(Stopped):
        opened(tmp_path, filling_until(18, Stopped))
    flip(tmp_path / f"{KEY[:16]}.part" / "rows.bin", 9 * ROW_BYTES)
    assert_rebuilt(tmp_path, capfd, first=8)


@pytest.mark.parametrize(
    "foreign",
    [
        {"key": KEY[:16] + "6" * 48},
        {"shape": (24, 3, 2)},
        {"shape": (23, 2, 3)},
        {"shape": (23, 6)},
        {"dtype": "int32"},
        {"dtype": ">f4"},
        {"dtype": "float64"},
    ],
    ids=str,
)
def test_a_foreign_store_of_the_same_name(
    tmp_path: Path, capfd: pytest.CaptureFixture, foreign: dict
) -> None:
    array = np.zeros(foreign.get("shape", SHAPE), foreign.get("dtype", "float32"))
    opened(tmp_path, Filling(array), **foreign)
    assert_rebuilt(tmp_path, capfd, first=0)


def test_a_store_of_another_version(
    tmp_path: Path, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tmp_path, Filling(rows()))
    monkeypatch.setattr(array_store, "VERSION", array_store.VERSION + 1)
    assert_rebuilt(tmp_path, capfd, first=0)


def test_an_array_in_use_stays_readable_while_its_store_is_repaired(tmp_path: Path) -> None:
    """Were the file shortened, reading what was mapped would kill the process."""
    shape = (6, 4096)
    expected = rows(shape)
    array = opened(tmp_path, Filling(expected), shape=shape)
    with (finished(tmp_path) / "rows.bin").open("r+b") as file:
        file.seek(2 * 4096 * 4)
        file.write(b"damage")

    def fill(first: int) -> Iterator[np.ndarray]:
        assert (tmp_path / f"{KEY[:16]}.part" / "rows.bin").stat().st_size == 6 * 4096 * 4
        np.testing.assert_array_equal(array[3:], expected[3:])
        yield expected[first:]

    repaired = opened(tmp_path, fill, shape=shape)
    np.testing.assert_array_equal(repaired, expected)
    np.testing.assert_array_equal(array, expected)
