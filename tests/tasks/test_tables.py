"""Tables keep their columns whatever stands in the cells."""

from __future__ import annotations

import pytest

from tasks.common.tables import escaped, markdown_table, text_table


def test_text_columns_are_aligned():
    table = text_table(["run", "accuracy"], [["a\nlong\x1bname", "9.0 %"], ["b", "100.0 %"]])
    assert table.splitlines() == [
        "run          accuracy",
        "-----------  --------",
        "a long name     9.0 %",
        "b             100.0 %",
    ]


def test_markdown_cells_stay_in_their_place():
    table = markdown_table(["run", "loss"], [["a|b\nc", "<b>1</b>"]])
    assert table.splitlines() == [
        "| run | loss |",
        "| --- | ---: |",
        "| a\\|b c | &lt;b>1&lt;/b> |",
    ]


def test_markdown_signs_stand_for_themselves():
    assert escaped("*_`[x](y)") == "\\*\\_\\`\\[x\\](y)"


@pytest.mark.parametrize("make", [text_table, markdown_table])
def test_rows_must_be_as_long_as_the_header(make):
    with pytest.raises(ValueError):
        make(["one", "two"], [["only one"]])
