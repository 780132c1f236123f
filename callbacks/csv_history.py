"""One row an epoch in a table that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import keras

from callbacks.replaced_file import replacing

FIRST_COLUMNS = ("epoch", "stage", "seconds")


class CsvHistory(keras.callbacks.Callback):
    """Keeps `metrics.csv`: a row for each epoch of the run, over all its stages and restarts.

    Columns are `epoch` (counted from 1), `stage` (its name), `seconds`, then all the logs in
    order of their first appearance, in seven significant digits, about what float32 holds. A
    column once there stays where it is; a metric that an epoch has not is left empty. When a run
    continues, the rows of epochs that are trained again are dropped. The file is replaced whole,
    so a reader or a kill never meets half of it.

    Args:
        path: the file; its folder must exist.
        stage: name of the stage.
    """

    def __init__(self, path: Path, stage: str):
        super().__init__()
        self.path = path
        self.stage = stage

    def on_epoch_end(self, epoch, logs=None):
        rows = [row for row in read_history(self.path) if int(row["epoch"]) <= epoch]
        values = {name: f"{value:.7g}" for name, value in (logs or {}).items()}
        rows.append({**values, "epoch": str(epoch + 1), "stage": self.stage})
        with replacing(self.path) as temporary:
            temporary.write_text(_text(rows), encoding="utf-8", newline="")


def read_history(path: Path) -> list[dict[str, str]]:
    """The complete rows of a table that `CsvHistory` wrote; none if there is no file.

    A last line without a line end, or with fewer fields than columns, was cut off and is left
    out. Fields are text; a metric that an epoch did not have is the empty text.
    """
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    rows = list(csv.reader(lines))
    if not rows or "epoch" not in rows[0]:
        return []
    columns = rows[0]
    return [
        dict(zip(columns, row, strict=True))
        for row in rows[1:]
        if len(row) == len(columns) and row[columns.index("epoch")].isdecimal()
    ]


def _text(rows: list[dict[str, str]]) -> str:
    """The table as text, with the union of the rows' columns."""
    columns = list(dict.fromkeys([*FIRST_COLUMNS, *(name for row in rows for name in row)]))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
