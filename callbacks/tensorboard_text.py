"""Records of a run as text in TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from callbacks.event_writer import event_writer
from callbacks.flat_record import flatten


def write_text(folder: Path, name: str, record: Mapping[str, Any]) -> None:
    """Writes a record, such as the configuration or the environment, as a table.

    Args:
        folder: TensorBoard folder of the run.
        name: heading in TensorBoard, such as "config".
        record: as `callbacks.flat_record.flatten` takes it.
    """
    with event_writer(folder):
        tf.summary.text(name, markdown_table(record), step=0)


def markdown_table(record: Mapping[str, Any]) -> str:
    """A record as a Markdown table of two columns."""
    rows = ["| name | value |", "|---|---|"]
    rows += [f"| {_cell(name)} | {_cell(value)} |" for name, value in flatten(record).items()]
    return "\n".join(rows)


def _cell(value: Any) -> str:
    """Text that stays within its cell."""
    return str(value).replace("|", "\\|").replace("\n", " ")
