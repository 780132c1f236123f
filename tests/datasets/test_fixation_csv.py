"""Lists of fixations, sound and hostile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.core import DataError
from datasets.fixation_csv import read_fixations
from tests.datasets.fixation_lists import write_list


def test_a_list_is_read(tmp_path: Path) -> None:
    rows = ["b.jpg,7,1.5,2.5,0.2,0.1", "", "a.jpg,x,3,4,1e0,0", "b.jpg,x,-5,9,0,0.3"]
    table = read_fixations(write_list(tmp_path, rows))
    assert table.names == ("b.jpg", "a.jpg")
    assert table.pictures.tolist() == [0, 1, 0]
    assert table.observers.tolist() == [0, 1, 1]
    assert table.points.tolist() == [[1.5, 2.5], [3, 4], [-5, 9]]
    assert table.latencies.tolist() == [0.2, 1, 0]
    assert table.rows.tolist() == [2, 4, 5]


def test_columns_are_found_by_name_and_times_may_be_missing(tmp_path: Path) -> None:
    path = write_list(tmp_path, ["3,4,note,a,p"], "Y,X,comment,observer,picture")
    table = read_fixations(path)
    assert table.points.tolist() == [[4, 3]]
    assert table.names == ("p",)
    assert table.latencies is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.jpg,1,2,3,0.2", "row 3 must have 6 cells, as its header has, received 5"),
        ("a.jpg,1,2,3,0.2,0.1,9", "row 3 must have 6 cells"),
        (",1,2,3,0.2,0.1", "row 3 column image must not be empty"),
        ("a.jpg, ,2,3,0.2,0.1", "row 3 column subject must not be empty"),
        ("a.jpg,1,left,3,0.2,0.1", "row 3 column x must be a number of pixels, received 'left'"),
        ("a.jpg,1,2,nan,0.2,0.1", "row 3 column y must be a number of pixels, received 'nan'"),
        ("a.jpg,1,inf,3,0.2,0.1", "row 3 column x"),
        ("a.jpg,1,2,1e300,0.2,0.1", "row 3 column y"),
        ("a.jpg,1,2,3,-0.2,0.1", "column latency_s must be a number of seconds, at least 0"),
        ("a.jpg,1,2,3,,0.1", "row 3 column latency_s"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, row: str, told: str) -> None:
    path = write_list(tmp_path, ["a.jpg,1,2,3,0.2,0.1", row])
    with pytest.raises(DataError, match=r"fixations\.csv row 3 ") as caught:
        read_fixations(path)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"image,subject,x,y\n", "must have a row a fixation"),
        (b"image,subject,x\na,1,2\n", "one column y in its first row, received 0"),
        (b"image,name,subject,x,y\na,b,1,2,3\n", "received 2 in the columns"),
        (b"\xff\xfe\x00i", "cannot be read as a table"),
        (b'image,subject,x,y\n"' + b"a" * 200_000 + b'",1,2,3\n', "cannot be read as a table"),
    ],
)
def test_what_is_no_such_list_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "fixations.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_fixations(path)
    assert told in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv cannot be read"):
        read_fixations(tmp_path / "nowhere.csv")


def test_windows_files_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "fixations.csv"
    path.write_bytes("\ufeffimage,subject,x,y\r\na,1,2,3\r\n".encode())
    np.testing.assert_array_equal(read_fixations(path).points, [[2, 3]])
