"""Tables of points: the two forms, and each fault named by row and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.core import DataError
from datasets.landmark_csv import read_table
from tests.datasets.landmark_tables import write_table


def test_both_forms_are_read(tmp_path: Path) -> None:
    rows = {"one.jpg": [1, 2.5, 0, 0], "two": [-3, 4, 5, 60]}
    plain = read_table(write_table(tmp_path / "plain.csv", rows))
    muct = read_table(write_table(tmp_path / "muct.csv", rows, "name", tag=True))
    for table in (plain, muct):
        assert table.names == ("one.jpg", "two")
        assert table.lines == (2, 3)
        assert table.points.dtype == np.float32
        assert table.points.tolist() == [[[1, 2.5], [0, 0]], [[-3, 4], [5, 60]]]


def test_a_mark_at_the_beginning_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(b"\xef\xbb\xbfimage,x00,y00\r\n\r\none,1,2\r\n\r\n")
    table = read_table(path)
    assert table.lines == (3,)
    assert table.points.tolist() == [[[1, 2]]]


FAULTS = {
    "": "is empty",
    "image,x00,y00\n": "row a picture below its header",
    "photo,x00,y00\na,1,2\n": "must begin with a column name or image",
    "image,x00\na,1\n": "two columns a point",
    "image,x00,x01\na,1,2\n": "column 3 must be y00, received 'x01'",
    "image,x00,y00,x02,y02\na,1,2,3,4\n": "column 4 must be x01, received 'x02'",
    "image,x00,y00\na,1\n": "line 2 must have 3 cells.*received 2",
    "image,x00,y00\na,1,2\na,3,4\n": "line 3 must name another picture.*'a' as in line 2",
    "image,x00,y00\n,1,2\n": "line 2 must name another picture",
    "image,x00,y00\na,1,2\nb,here,2\n": "line 3 column x00 must be a number.*'here'",
    "image,x00,y00\na,1,nan\n": "line 2 column y00 must be a number.*'nan'",
    "image,x00,y00\na,1,1e300\n": "line 2 column y00",
    "image,x00,y00\na,inf,1\n": "line 2 column x00",
    "image,x00,y00\na,,1\n": "line 2 column x00.*''",
}


@pytest.mark.parametrize("text", FAULTS)
def test_each_fault_is_named_with_its_place(text: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=f"points.csv.*{FAULTS[text]}") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x01", b'image,x00,y00\n"' + b"a" * 200_000])
def test_what_is_no_text_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_table(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv cannot be read"):
        read_table(tmp_path / "none.csv")
