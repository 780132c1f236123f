"""Names and numbers as a reader sees them: one line, bounded length, units, no false digits."""

from __future__ import annotations

import math

MISSING = "–"


def one_line(text: str) -> str:
    """`text` with every run of white space or control characters made into one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shorten(text: str, length: int) -> str:
    """At most `length` characters of `text`, on one line, with the middle left out.

    The middle, because names of one family often differ at the end alone, as in
    "Audi S5 Convertible 2012" and "Audi S5 Coupe 2012".

    Raises:
        ValueError: `length` leaves no room for a character on both sides of the ellipsis.
    """
    if length < 3:
        raise ValueError(f"length must be at least 3. Received: {length=}")
    line = one_line(text)
    if len(line) <= length:
        return line
    tail = (length - 1) // 2
    head = length - 1 - tail
    return f"{line[:head].rstrip()}…{line[-tail:].lstrip()}"


def percent(share: float | None) -> str:
    """A share in [0, 1] as a percentage with one decimal; a dash where it is not defined."""
    return MISSING if share is None or math.isnan(share) else f"{100 * share:.1f} %"


def decimal(value: float | None) -> str:
    """A number with three decimals; a dash where it is not defined."""
    return MISSING if value is None or math.isnan(value) else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: "4.2 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
