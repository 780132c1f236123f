"""Finds, before any work, that a place to write to can be no such place."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.common.errors import UserError

# What the names of unfinished files, which lie beside the finished ones, are longer by.
_LONGER = len("..unfinished")


def require_file(path: Path, option: str) -> None:
    """Sees that a file can be written, whether it is there or not; `option` is who named it.

    Raises:
        UserError: a folder is there, or it lies where nothing can be written.
    """
    if _is_folder(path):
        raise UserError(f"{option} must lead to a file. Received: the folder {path}.")
    _require_way(path, option)


def require_folder(path: Path, option: str) -> None:
    """Sees that a folder is there to be written to or can be made; `option` is who named it.

    Raises:
        UserError: a file is there, or it lies where nothing can be written.
    """
    if os.path.lexists(path) and not _is_folder(path):
        raise UserError(f"{option} must be a folder. Received: the file {path}.")
    _require_way(path / "file", option)


def _require_way(path: Path, option: str) -> None:
    """Looks at the folders that lead to a file, as far as they are there."""
    there = next((part for part in path.absolute().parents if os.path.lexists(part)), Path("/"))
    if not _is_folder(there):
        raise UserError(f"{option} must lie in a folder. Received: {path}, but {there} is none.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(
            f"{option} must lie where files may be written. Received: {path}, but there is no "
            f"permission to write to {there}."
        )
    longest = os.pathconf(there, "PC_NAME_MAX") - _LONGER
    for name in path.absolute().relative_to(there).parts:
        if len(os.fsencode(name)) > longest:
            raise UserError(
                f"{option} must have names of at most {longest} bytes. Received: {name}, "
                f"{len(os.fsencode(name))} bytes."
            )


def _is_folder(path: Path) -> bool:
    """Whether a folder is there; False also for names that no folder can have."""
    try:
        return path.is_dir()
    except OSError:
        return False
