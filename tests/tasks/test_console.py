"""What the terminal showed, in a file: whole lines, in their last version."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tasks.common.console import copied_to, progress


def logged(path: Path, *pieces: str) -> str:
    with copied_to(path):
        for piece in pieces:
            sys.stdout.write(piece)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def test_all_that_is_printed_is_shown_and_kept(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with copied_to(log):
        print("first")
        print("second", 2, "ü", flush=True)
    print("outside")
    assert log.read_text(encoding="utf-8") == "first\nsecond 2 ü\n"
    assert capsys.readouterr().out == "first\nsecond 2 ü\noutside\n"


def test_a_line_that_overwrites_itself_is_kept_in_its_last_version(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces = ("step 1/3", "\rstep 2/3", "\r", "step 3/3\n", "done\n")
    assert logged(log, *pieces) == "step 3/3\ndone\n"
    assert capsys.readouterr().out == "".join(pieces)


def test_the_codes_that_clear_a_terminals_line_are_not_kept(log: Path) -> None:
    """What the progress callback writes on a terminal."""
    text = logged(log, "\r\x1b[Kstep 1/2", "\r\x1b[Kstep 2/2", "\r\x1b[Kepoch 1 done\n", "next\n")
    assert text == "epoch 1 done\nnext\n"


def test_lines_written_in_pieces_and_several_at_once(log: Path) -> None:
    assert logged(log, "a", "b", "\nc\n\nd", "e\n") == "ab\nc\n\nde\n"


def test_a_second_time_appends(log: Path) -> None:
    logged(log, "before\n")
    assert logged(log, "after\n") == "before\nafter\n"


def test_lines_are_on_disk_at_once(log: Path) -> None:
    """A killed run has its log up to the last line."""
    with copied_to(log):
        print("so far")
        assert log.read_text() == "so far\n"


def test_the_stream_is_put_back_after_an_error(log: Path) -> None:
    before = sys.stdout
    with pytest.raises(RuntimeError), copied_to(log):
        print("seen")
        raise RuntimeError
    assert sys.stdout is before
    assert log.read_text() == "seen\n"


def test_the_stream_still_answers_as_the_terminal_does(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    with copied_to(log):
        assert sys.stdout.isatty()
        assert sys.stdout.write("four") == 4
        sys.stdout.flush()


@pytest.mark.parametrize(
    ("terminal", "at_end", "expected"),
    [
        (True, False, "1 of 2 read\r2 of 2 read\n"),
        (True, True, "1 of 2 read\r2 of 2 read\n"),
        (False, False, ""),
        (False, True, "2 of 2 read\n"),
    ],
)
def test_progress_moves_on_a_terminal_and_leaves_a_log_alone(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, at_end: bool, expected: str
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stdout", stream)
    show = progress("{done} of {total} read", at_end)
    show(1, 2)
    show(2, 2)
    assert stream.getvalue() == expected
