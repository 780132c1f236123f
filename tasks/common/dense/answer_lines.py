"""What is said of each picture in a line: on the terminal, in JSON Lines, in a CSV table.

Files are opened at the first answer, so that a command that finds none leaves older ones alone.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tasks.common.answers import Answer, Write
from tasks.common.dense.mapped import Mapped, WriteMapped
from tasks.common.prediction_files import LateFile
from tasks.common.wording import MISSING, shorten

_NAME_WIDTH, _WORD_WIDTH = 40, 24

Described = dict[str, float | int | str]


@contextlib.contextmanager
def terminal() -> Iterator[tuple[WriteMapped, Callable[[], None]]]:
    """A line per picture on standard output, and one per video: means, most frequent words.

    Yields:
        What writes a picture or takes a frame, and what ends the last video.
    """
    frames: list[Described] = []
    name, started = "", False

    def show(title: str, described: Described) -> None:
        nonlocal started
        widths = [max(len(key), 9) for key in described]
        if not started:
            heads = (f"{key:>{width}}" for key, width in zip(described, widths, strict=True))
            print("  ".join(["file".ljust(_NAME_WIDTH), *heads]))
            started = True
        cells = (
            f"{_shown(value):>{width}}"
            for value, width in zip(described.values(), widths, strict=True)
        )
        print("  ".join([shorten(title, _NAME_WIDTH).ljust(_NAME_WIDTH), *cells]))

    def finish_video() -> None:
        if frames:
            count = f", {len(frames)} frames" if len(frames) > 1 else ", 1 frame"
            show(shorten(name, _NAME_WIDTH - len(count)) + count, summary(frames))
            frames.clear()

    def write(mapped: Mapped) -> None:
        nonlocal name
        if mapped.frame is None or mapped.frame == 0:
            finish_video()
        if mapped.frame is None:
            show(mapped.answer.name, mapped.described)
        else:
            name = mapped.answer.name
            frames.append(mapped.described)

    try:
        yield write, finish_video
    finally:
        finish_video()


def summary(frames: list[Described]) -> Described:
    """What is said of frames together: the mean of numbers, the most frequent of words."""
    together: Described = {}
    for key in frames[0]:
        values = [described[key] for described in frames]
        if any(isinstance(value, str) for value in values):
            together[key] = Counter(values).most_common(1)[0][0]
        else:
            finite = [value for value in values if math.isfinite(value)]
            together[key] = sum(finite) / len(finite) if finite else math.nan
    return together


@contextlib.contextmanager
def json_lines(path: Path) -> Iterator[tuple[WriteMapped, Write]]:
    """A JSON object a picture: `file`, `height`, `width` and what is described, or `error`.

    Of a frame also `frame`, its number, and `seconds`, its time. Numbers that are not finite are
    null.

    Yields:
        What writes a picture with its map, and what writes one that cannot be read.
    """
    with contextlib.closing(LateFile(path)) as file:

        def write(mapped: Mapped) -> None:
            described = {key: _finite(value) for key, value in mapped.described.items()}
            file.write(json.dumps({**_facts(mapped), **described}) + "\n")

        def write_error(answer: Answer) -> None:
            file.hold(json.dumps({"file": answer.name, "error": answer.error}) + "\n")

        yield write, write_error


@contextlib.contextmanager
def csv_table(path: Path) -> Iterator[WriteMapped]:
    """A row a picture or frame: `file`, `frame`, `seconds`, `height`, `width`, what is described.

    The header is written with the first row.
    """
    with contextlib.closing(LateFile(path, errors="surrogateescape", newline="")) as file:
        rows = csv.writer(file)
        started = False

        def write(mapped: Mapped) -> None:
            nonlocal started
            facts = {"file": "", "frame": "", "seconds": "", **_facts(mapped)}
            if not started:
                rows.writerow([*facts, *mapped.described])
                started = True
            values = (
                f"{value:.6g}" if isinstance(value, float) else value
                for value in mapped.described.values()
            )
            rows.writerow([*facts.values(), *values])

        yield write


def _facts(mapped: Mapped) -> dict[str, str | int | float]:
    height, width = mapped.size
    facts: dict[str, str | int | float] = {"file": mapped.answer.name}
    if mapped.frame is not None:
        facts |= {"frame": mapped.frame, "seconds": round(mapped.frame / mapped.answer.rate, 3)}
    return facts | {"height": height, "width": width}


def _finite(value: float | int | str) -> float | int | str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if math.isfinite(value) else None


def _shown(value: float | int | str) -> str:
    if isinstance(value, str):
        return shorten(value, _WORD_WIDTH)
    if not math.isfinite(value):
        return MISSING
    return str(value) if isinstance(value, int) else f"{value:.4g}"
