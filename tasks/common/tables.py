"""Tables of short texts, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.common.wording import one_line


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns under a ruled header: the first column to the left, the others to the right.

    Args:
        header: one text per column.
        rows: each as long as the header.

    Raises:
        ValueError: a row has more or fewer cells than the header.
    """
    lines = [[one_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([aligned[0], "  ".join("-" * width for width in widths), *aligned[1:]])


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as a Markdown table, in which no cell can break out of its place.

    Args:
        header: one text per column.
        rows: each as long as the header.

    Raises:
        ValueError: a row has more or fewer cells than the header.
    """
    if any(len(row) != len(header) for row in rows):
        raise ValueError(f"rows must have {len(header)} cells each. Received: {rows=}")
    ruler = ["---", *["---:"] * (len(header) - 1)]
    lines = [[escaped(cell) for cell in header], ruler, *([escaped(c) for c in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(cell: str) -> str:
    """One line in which Markdown's and HTML's own characters stand for themselves."""
    text = one_line(cell).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for character in "|*_`[]~":
        text = text.replace(character, f"\\{character}")
    return text
