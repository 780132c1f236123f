"""Which faults of the operating system are the user's to mend, and how they are said."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tasks.common.errors import output_fault, reason_unwritten, storage_fault


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EFBIG, "larger"),
        (errno.ENOTDIR, "not a folder"),
        (errno.ENAMETOOLONG, "longer than"),
    ],
)
def test_a_storage_fault_is_one_sentence_with_file_reason_and_way_out(
    number: int, reason: str
) -> None:
    sentence = storage_fault(fault(number, "runs/x/state.npz"), trains=True)
    assert reason in sentence
    assert "'runs/x/state.npz'" in sentence
    assert "--runs-dir" in sentence
    assert "--resume" in sentence
    assert "\n" not in sentence


def test_a_storage_fault_without_a_file_name() -> None:
    assert "run folder" in storage_fault(fault(errno.ENOSPC), trains=True)


@pytest.mark.parametrize("name", [("runs/x/report/report.md",), ()])
def test_a_storage_fault_of_a_command_has_no_advice_for_a_training(name: tuple[str, ...]) -> None:
    sentence = storage_fault(fault(errno.ENOSPC, *name), trains=False)
    assert "the disk is full" in sentence
    assert sentence.endswith("then give the command again.")
    assert all(part in sentence for part in name)
    assert "--" not in sentence
    assert "run folder" not in sentence


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x"),
        ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)),
        OSError("no number"),
    ],
)
def test_other_faults_are_not_the_users(error: OSError) -> None:
    assert storage_fault(error, trains=True) is None
    assert storage_fault(error, trains=False) is None


def fault(number: int, *name: str) -> OSError:
    return OSError(number, os.strerror(number), *name)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EISDIR, "a folder of that name"),
        (errno.EEXIST, "a file of that name"),
        (errno.ENOENT, "no such folder"),
        (errno.ENOTDIR, "not a folder"),
        (errno.ENAMETOOLONG, "longer than"),
    ],
)
@pytest.mark.parametrize("name", ["out/a.png", "out", "."])
def test_a_fault_of_a_named_output_is_said_without_advice_for_a_training(number, reason, name):
    sentence = output_fault(fault(number, name), [Path("out"), Path("a.csv")])
    assert sentence.startswith(f"Could not write {name!r}: ")
    assert reason in sentence
    assert "--res" not in sentence
    assert "--runs" not in sentence


def test_a_fault_of_another_file_is_not_told_as_one_of_an_output():
    assert output_fault(fault(errno.ENOENT, "model.keras"), [Path("out")]) is None
    assert output_fault(fault(errno.ENOENT), [Path("out")]) is None
    assert output_fault(fault(errno.EPIPE), [Path("out")]) is None
    assert "the disk is full" in output_fault(fault(errno.ENOSPC), [Path("out")])


def test_a_full_disk_ends_the_rest_too():
    with pytest.raises(OSError, match="No space"):
        reason_unwritten(fault(errno.ENOSPC, "a"))
    assert reason_unwritten(OSError("the encoder failed")) == "the encoder failed"
