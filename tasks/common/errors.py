"""What ends a command with one sentence instead of a traceback."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """A mistake the user can mend: what, where, what is allowed, what was received, what to do."""


class Diverged(UserError):
    """The loss of a training left the numbers that a computer has."""


class Interrupted(Exception):
    """The user asked a run to stop (Ctrl-C or SIGTERM); the state to resume from is saved."""


# What the operating system says when it is the user's disk or folder that fails, not the code.
_STORAGE_FAULTS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than the file system or the process limit allows",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "there is no permission to write there",
    errno.EPERM: "the operation is not permitted there",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.ENAMETOOLONG: "the name is longer than the file system allows",
}
# The same of what is known to be a place to write to; elsewhere these may be faults of the code.
_PLACE_FAULTS = _STORAGE_FAULTS | {
    errno.EISDIR: "a folder of that name is there",
    errno.EEXIST: "a file of that name is there",
    errno.ENOENT: "there is no such folder, and it cannot be made",
}
# After these nothing else can be written either.
_FAULTS_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def storage_fault(error: OSError, trains: bool) -> str | None:
    """One sentence for a fault of the user's storage; None for any other error.

    Args:
        error: what the system said.
        trains: whether it stopped a training, which writes a run folder and may go on.
    """
    reason = _STORAGE_FAULTS.get(error.errno)
    if reason is None:
        return None
    if not trains:
        where = repr(str(error.filename)) if error.filename else "all that was to be written"
        return f"Could not write {where}: {reason}. Mend that, then give the command again."
    where = f" {error.filename!r}" if error.filename else " to the run folder"
    return (
        f"Could not write{where}: {reason}. Free or choose another place with --runs-dir, "
        "then start again; a run that had begun can go on with --resume."
    )


def output_fault(error: OSError, outputs: Iterable[Path]) -> str | None:
    """One sentence for a command that could not write what it was asked for; None for the rest.

    Args:
        error: what the system said.
        outputs: the files and folders that the user named; a fault of another file is not told.
    """
    name = error.filename
    if name is None:
        reason, where = _STORAGE_FAULTS.get(error.errno), "what was asked for"
    else:
        near = any(_holds(place, name) for place in outputs)
        reason, where = _PLACE_FAULTS.get(error.errno) if near else None, repr(str(name))
    if reason is None:
        return None
    return f"Could not write {where}: {reason}. Make room there or name another place."


def _holds(place: Path, name: str | bytes | int) -> bool:
    """Whether the name is that of the place, of something in it, or of a folder on the way."""
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None
    return path is not None and (path.is_relative_to(place) or place.is_relative_to(path))


def reason_unwritten(error: OSError) -> str:
    """Why one of many files could not be written, in a few words.

    Raises:
        OSError: the error, where none of the others can be written either.
    """
    if error.errno in _FAULTS_OF_THE_DISK:
        raise error
    return _PLACE_FAULTS.get(error.errno) or error.strerror or str(error)
