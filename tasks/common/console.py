"""What the terminal shows, kept in a file as well."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

# What a terminal is told to clear the line that is about to be written again.
_CLEAR_LINE = "\x1b[K"


class _Copying:
    """A text stream that also writes complete lines to a file, without a terminal's overwriting."""

    def __init__(self, stream: TextIO, file: TextIO) -> None:
        self._stream = stream
        self._file = file
        self._line = ""

    def write(self, text: str) -> int:
        """Writes to both; of a line that overwrites itself the file gets the last version."""
        self._stream.write(text)
        self._line += text.replace(_CLEAR_LINE, "")
        *complete, self._line = self._line.split("\n")
        for line in complete:
            self._file.write(line.rpartition("\r")[2] + "\n")
        if complete:
            self._file.flush()
        self._line = self._line.rpartition("\r")[2]
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def copied_to(path: Path) -> Iterator[None]:
    """Appends all that is printed inside to the file at `path`."""
    with path.open("a", encoding="utf-8") as file:
        before = sys.stdout
        sys.stdout = _Copying(before, file)
        try:
            yield
        finally:
            sys.stdout = before
