from __future__ import annotations

import pytest

from callbacks.csv_history import CsvHistory, read_history


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.csv"


def test_rows_and_columns(path):
    history = CsvHistory(path, "head")
    history.on_epoch_end(0, {"loss": 0.5, "accuracy": 0.25, "seconds": 2.0})
    history.on_epoch_end(1, {"loss": 0.25, "accuracy": 1 / 3, "seconds": 1.0})
    assert path.read_text().splitlines() == [
        "epoch,stage,seconds,loss,accuracy",
        "1,head,2,0.5,0.25",
        "2,head,1,0.25,0.3333333",
    ]


def test_a_new_metric_gets_a_column_behind_the_others(path):
    CsvHistory(path, "head").on_epoch_end(0, {"loss": 0.5, "learning_rate": 0.1})
    CsvHistory(path, "tail").on_epoch_end(1, {"learning_rate_tail": 0.01, "loss": 0.25})
    assert path.read_text().splitlines() == [
        "epoch,stage,seconds,loss,learning_rate,learning_rate_tail",
        "1,head,,0.5,0.1,",
        "2,tail,,0.25,,0.01",
    ]


def test_a_run_that_continues_replaces_what_it_trains_again(path):
    for epoch in range(4):
        CsvHistory(path, "all").on_epoch_end(epoch, {"loss": 1.0 + epoch})
    CsvHistory(path, "all").on_epoch_end(2, {"loss": 9.0})
    rows = [(row["epoch"], row["loss"]) for row in read_history(path)]
    assert rows == [("1", "1"), ("2", "2"), ("3", "9")]


@pytest.mark.parametrize("rest", ["3,all,,", "3,all,,0.1", "3,al\n", "3"])
def test_a_last_line_that_was_cut_off_is_dropped(path, rest):
    path.write_text("epoch,stage,seconds,loss\n1,all,,0.5\n2,all,,0.25\n" + rest)
    assert [row["epoch"] for row in read_history(path)] == ["1", "2"]
    CsvHistory(path, "all").on_epoch_end(2, {"loss": 0.125})
    assert path.read_text().splitlines()[-2:] == ["2,all,,0.25", "3,all,,0.125"]


@pytest.mark.parametrize("text", ["", "epoch,sta"])
def test_a_file_without_a_complete_heading_has_no_rows(path, text):
    path.write_text(text)
    assert read_history(path) == []
    CsvHistory(path, "all").on_epoch_end(0, {"loss": 0.5})
    assert path.read_text() == "epoch,stage,seconds,loss\n1,all,,0.5\n"


def test_a_row_of_no_epoch_is_dropped(path):
    path.write_text("epoch,stage,seconds\n1,head,2\n\u00b2,head,2\nx,head,2\n", encoding="utf-8")
    callback = CsvHistory(path, "head")
    callback.on_epoch_end(1, {})
    assert [row["epoch"] for row in read_history(path)] == ["1", "2"]


def test_a_write_that_fails_leaves_the_table_as_it_was(path, monkeypatch):
    CsvHistory(path, "all").on_epoch_end(0, {"loss": 0.5})
    before = path.read_text()

    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr("callbacks.replaced_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        CsvHistory(path, "all").on_epoch_end(1, {"loss": 0.25})
    assert path.read_text() == before
