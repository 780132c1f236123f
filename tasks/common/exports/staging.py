"""A file or folder that appears under its name only once it is complete."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A hidden place beside `path` to write to, moved to `path` when the block ends well.

    Beside, so that the move is a rename within one file system and never a copy. When the block
    raises, what it wrote is removed and `path` is as it was. The place has a fixed name, so that
    what a killed process left there is removed by the next attempt.

    Args:
        path: the final place. A file replaces a file and a folder a folder.
    """
    unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(unfinished)
    try:
        yield unfinished
        _move_into_place(unfinished, path)
    finally:
        _remove(unfinished)


def _move_into_place(source: Path, path: Path) -> None:
    """Renames `source` to `path`, putting an older folder back if that fails."""
    # os.replace cannot replace a folder that holds something: the older one steps aside first.
    previous = path.with_name(f".{path.name}.previous")
    if source.is_dir() and path.is_dir():
        _remove(previous)
        path.replace(previous)
        try:
            source.replace(path)
        except OSError:
            previous.replace(path)
            raise
    else:
        source.replace(path)
    _remove(previous)


def _remove(path: Path) -> None:
    """Removes a file or a whole folder; nothing there is no error."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
