"""The rows of a table of comma-separated values that comes from outside."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from datasets.core import DataError

_MAX_BYTES = 512 * 1024 * 1024


def rows(path: Path, what: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not empty, the header's included.

    Args:
        path: the file, UTF-8, with or without a byte order mark.
        what: what the file must be, for messages: `a table of points`.

    Raises:
        DataError: the file is too large, cannot be read or is no such table.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise DataError(
                f"{path} must be {what} of at most {_MAX_BYTES} bytes, received {size}: name "
                "another file."
            )
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path} cannot be read as a table of comma-separated values ({reason}): replace it."
        ) from error
