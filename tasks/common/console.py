"""What the terminal shows, kept in a file as well."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
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


def progress(words: str, at_end: bool = False) -> Callable[[int, int], None]:
    """A function of (done, total) that shows both: on a terminal a line that moves.

    Args:
        words: the line, with `{done}` and `{total}` where the numbers go.
        at_end: print the last line elsewhere too, such as in a log, which is else left alone.
    """

    def show(done: int, total: int) -> None:
        last = done == total
        if sys.stdout.isatty() or (last and at_end):
            line = words.format(done=done, total=total)
            print(line, end="\n" if last else "\r", flush=True)

    return show
