"""Which faults of the operating system are the user's to mend, and how they are said."""

from __future__ import annotations

import errno
import os

import pytest

from tasks.common.errors import storage_fault


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EFBIG, "larger"),
        (errno.ENOTDIR, "not a folder"),
    ],
)
def test_a_storage_fault_is_one_sentence_with_file_reason_and_way_out(
    number: int, reason: str
) -> None:
    sentence = storage_fault(OSError(number, os.strerror(number), "runs/x/state.npz"))
    assert reason in sentence
    assert "'runs/x/state.npz'" in sentence
    assert "--runs-dir" in sentence
    assert "--resume" in sentence
    assert "\n" not in sentence


def test_a_storage_fault_without_a_file_name() -> None:
    assert "run folder" in storage_fault(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x"),
        ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)),
        OSError("no number"),
    ],
)
def test_other_faults_are_not_the_users(error: OSError) -> None:
    assert storage_fault(error) is None
