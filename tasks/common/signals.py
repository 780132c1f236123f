"""Ctrl-C and SIGTERM as a request that the work answers when it can."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def noted(announcement: str) -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C or SIGTERM into a request; the function given says if there is one.

    A second one ends the process at once, as usual.

    Args:
        announcement: what the user is told when the request is noted.
    """
    requested: list[int] = []

    def note(number: int, frame: Any) -> None:
        if requested:
            raise KeyboardInterrupt
        requested.append(number)
        print(f"\n{announcement}; press Ctrl-C again to stop at once.", file=sys.stderr)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requested)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
