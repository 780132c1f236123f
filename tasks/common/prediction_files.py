"""Where a classifier's answers go: lines of a terminal, JSON Lines, CSV, annotated pictures.

Each function gives another one, which takes an answer and writes it at once, so that a command
that is stopped has written all it knew. Files are opened at the first answer: a command that finds
none, such as one with a mistyped path, leaves older ones as they were. Names go into files as they
are, with bytes that are no UTF-8 escaped (JSON) or unchanged (CSV). `called` is what the names of
examples are: `file`, `row`.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from datasets.core import DataError
from tasks.common import annotated_pictures
from tasks.common.answers import Answer, Write
from tasks.common.errors import reason_unwritten
from tasks.common.predict_options import PredictOptions
from tasks.common.wording import one_line, percent, shorten

NAME_WIDTH, CLASS_WIDTH = 40, 24


class LateFile:
    """A text file that is opened, and so emptied, at the first answer; closed by `close`.

    What is written is on disk at the end of each line.
    """

    def __init__(self, path: Path, **options: str) -> None:
        """Touches nothing.

        Args:
            path: of the file; folders that are not there are made with it.
            options: for `open`, such as `newline`.
        """
        self._path, self._options = path, options
        self._held: list[str] = []
        self._file: TextIO | None = None

    def write(self, text: str) -> None:
        """Writes what belongs to an answer.

        Raises:
            OSError: it cannot be written.
        """
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8", buffering=1, **self._options)
            self._file.writelines(self._held)
            self._held.clear()
        self._file.write(text)

    def hold(self, text: str) -> None:
        """Writes what is no answer: kept until there is one, and left out where none comes.

        Raises:
            OSError: it cannot be written.
        """
        if self._file is None:
            self._held.append(text)
        else:
            self._file.write(text)

    def close(self) -> None:
        """Ends the file, if there was an answer."""
        if self._file is not None:
            self._file.close()


@contextlib.contextmanager
def writers(
    options: PredictOptions, class_names: Sequence[str], called: str = "file"
) -> Iterator[list[Write]]:
    """All that the options of `tasks.predict` ask for but annotated pictures."""
    with contextlib.ExitStack() as stack:
        found = [terminal(class_names, min(options.top, len(class_names)), called)]
        if options.json is not None:
            lines = json_lines(options.json, class_names, options.top, called)
            found.append(stack.enter_context(lines))
        if options.csv is not None:
            table = csv_table(options.csv, class_names, called)
            found.append(stack.enter_context(table))
        yield found


def terminal(class_names: Sequence[str], top: int, called: str = "file") -> Write:
    """A line per example on standard output, under a header; unreadable ones on standard error."""
    width = min(CLASS_WIDTH, max(len("class"), *map(len, class_names)))
    header = [called.ljust(NAME_WIDTH), *[f"{'class':{width}} {'share':>8}"] * top]
    print("  ".join(header))

    def write(answer: Answer) -> None:
        if answer.error is not None:
            print(f"not read: {one_line(answer.error)}", file=sys.stderr)
            return
        cells = [shorten(answer.name, NAME_WIDTH).ljust(NAME_WIDTH)]
        for class_id, probability in answer.top(top):
            name = shorten(class_names[class_id], width)
            cells.append(f"{name:{width}} {percent(probability):>8}")
        print("  ".join(cells))

    return write


@contextlib.contextmanager
def json_lines(
    path: Path, class_names: Sequence[str], top: int, called: str = "file"
) -> Iterator[Write]:
    """A JSON object a line: `file`, `class`, `probability` and `top`, or `file` and `error`."""
    with contextlib.closing(LateFile(path)) as file:

        def write(answer: Answer) -> None:
            if answer.error is not None:
                file.hold(json.dumps({called: answer.name, "error": answer.error}) + "\n")
                return
            ranking = [
                {"class": class_names[class_id], "probability": probability}
                for class_id, probability in answer.top(top)
            ]
            file.write(json.dumps({called: answer.name, **ranking[0], "top": ranking}) + "\n")

        yield write


@contextlib.contextmanager
def csv_table(path: Path, class_names: Sequence[str], called: str = "file") -> Iterator[Write]:
    """A row a readable example: `file`, `class`, and the probability of every class."""
    with contextlib.closing(LateFile(path, errors="surrogateescape", newline="")) as file:
        rows = csv.writer(file)
        started = False

        def write(answer: Answer) -> None:
            nonlocal started
            if answer.output is None:
                return
            if not started:
                rows.writerow(
                    [called, "class", *(f"probability of {name}" for name in class_names)]
                )
                started = True
            best = class_names[answer.top(1)[0][0]]
            shares = (f"{share:.6g}" for share in answer.output)
            rows.writerow([answer.name, best, *shares])

        yield write


def annotated_copies(folder: Path, class_names: Sequence[str], top: int) -> Write:
    """An annotated copy a readable picture; one that cannot be made is named on standard error.

    What is given raises OSError where no further copy could be written either.
    """

    def write(answer: Answer) -> None:
        if answer.error is not None or answer.picture is None:
            return
        ranking = [(class_names[class_id], share) for class_id, share in answer.top(top)]
        try:
            annotated_pictures.write_copy(folder, answer.picture, ranking)
        except DataError as error:
            print(f"not annotated: {one_line(str(error))}", file=sys.stderr)
        except OSError as error:
            said = f"the copy of {answer.name}: {reason_unwritten(error)}"
            print(f"not written: {one_line(said)}", file=sys.stderr)

    return write
