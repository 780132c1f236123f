"""What ends a command with one sentence instead of a traceback."""

from __future__ import annotations

import errno


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
}


def storage_fault(error: OSError) -> str | None:
    """One sentence for a fault of the user's storage; None for any other error."""
    reason = _STORAGE_FAULTS.get(error.errno)
    if reason is None:
        return None
    where = f" {error.filename!r}" if error.filename else " to the run folder"
    return (
        f"Could not write{where}: {reason}. Free or choose another place with --runs-dir, "
        "then start again; a run that had begun can go on with --resume."
    )
