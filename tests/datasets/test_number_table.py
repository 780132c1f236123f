"""Tables of numbers: what is read, and each fault named by row and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets import number_table
from datasets.core import DataError
from datasets.number_table import Layout

LAYOUT = Layout(("width", "height"), "kind", ("small", "large"), largest=1000)
GOOD = "width,kind,height\n1,0,2.5\n-3,large,4e2\n\n5,1,6\n"


@pytest.fixture
def table(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_columns_come_in_the_order_asked_for(table) -> None:
    source = number_table.read(table(GOOD), LAYOUT)
    np.testing.assert_array_equal(source.features, np.float32([[1, 2.5], [-3, 400], [5, 6]]))
    np.testing.assert_array_equal(source.labels, [0, 1, 1])
    # As a spreadsheet counts them: the header is row 1, and the empty line is row 4.
    assert list(source.names) == ["table.csv, row 2", "table.csv, row 3", "table.csv, row 5"]


def test_a_byte_order_mark_spaces_and_quotes_do_no_harm(table) -> None:
    text = '\ufeff"width", kind ,height\r\n "7" ,"0", 8 \r\n'
    source = number_table.read(table(text), LAYOUT)
    np.testing.assert_array_equal(source.features, [[7, 8]])


def test_classes_and_other_columns_may_be_left_out(table) -> None:
    path = table("id,height,width,kind\n1,2,3,?\n")
    layout = Layout(("width", "height"), refuse_others=False)
    row = next(number_table.rows(path, layout))
    np.testing.assert_array_equal(row.values, [3, 2])
    assert row.label is None
    assert row.fault is None


FAULTS = {
    "missing column": ("width,kind\n1,0\n", r"must have the column 'height'"),
    "no header": ("1,0,2\n3,1,4\n", r"must have the column 'width', 'height', 'kind'"),
    "extra column": ("width,height,kind,colour\n1,2,0,3\n", r"received also 'colour'"),
    "column twice": ("width,height,kind,width\n1,2,0,3\n", r"received 'width' more than once"),
    "text": ("width,height,kind\n1,2,0\n1,high,0\n", r"row 3, column 'height'.*'high'"),
    "decimal comma": ('width,height,kind\n1,"2,5",0\n', r"row 2, column 'height'.*'2,5'"),
    "underscore": ("width,height,kind\n1_0,2,0\n", r"row 2, column 'width'.*'1_0'"),
    "empty cell": ("width,height,kind\n1,,0\n", r"row 2, column 'height'.*empty cell"),
    "NaN": ("width,height,kind\nnan,2,0\n", r"row 2, column 'width'.*finite number.*'nan'"),
    "infinite": ("width,height,kind\n1,-inf,0\n", r"row 2, column 'height'.*finite"),
    "too large": ("width,height,kind\n1,1e30,0\n", r"row 2, column 'height'.*from -1000 to 1000"),
    "wrong class": ("width,height,kind\n1,2,2\n", r"row 2, column 'kind'.*from 0 to 1.*'2'"),
    "class with fraction": ("width,height,kind\n1,2,0.5\n", r"row 2, column 'kind'.*'0.5'"),
    "short row": ("width,height,kind\n1,2,0\n1,2\n", r"row 3 must have 3 cells.*received 2"),
    "long row": ("width,height,kind\n1,2,0,9\n", r"row 2 must have 3 cells.*received 4"),
    "semicolons": ("width;height;kind\n1;2;0\n", r"separated by commas, received semicolons"),
    "tabs": ("width\theight\tkind\n1\t2\t0\n", r"separated by commas, received tabs"),
    "empty file": ("", r"is empty"),
    "header alone": ("width,height,kind\n", r"at least one row"),
    "not UTF-8": (b"width,height,kind\n1,2,\xe9\n", r"UTF-8, received the byte 0xe9"),
    "UTF-16": (GOOD.encode("utf-16"), r"UTF-8, received the byte 0xff"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(64), r"UTF-8"),
    "null bytes": (b"\0" * 40, r"column 'width'|not a comma-separated table"),
    "endless cell": ('width,height,kind\n"' + "1" * 200_000, r"not a comma-separated table"),
}


@pytest.mark.parametrize(("content", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_one_sentence_with_its_place(table, content, message: str) -> None:
    path = table(content)
    with pytest.raises(DataError, match=message) as caught:
        number_table.read(path, LAYOUT)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 500


def test_a_file_that_is_missing_a_folder_or_too_large(table, tmp_path, monkeypatch) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(DataError, match="must be a CSV file"):
            number_table.read(path, LAYOUT)
    monkeypatch.setattr(number_table, "LARGEST_FILE", 10)
    with pytest.raises(DataError, match="at most 0 MB"):
        number_table.read(table(GOOD), LAYOUT)


def test_a_faulty_row_does_not_hide_the_others(table) -> None:
    path = table("width,height,kind\n1,2,0\nx,2,0\n3,4,1\n")
    found = list(number_table.rows(path, LAYOUT))
    assert [row.number for row in found] == [2, 3, 4]
    assert [row.fault is None for row in found] == [True, False, True]
    assert found[1].values is None
