"""Finds the pictures that cannot be read before a training starts, and takes them out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from datasets.core import DataError, LabelledSource, Source, Subset

# So many pictures are handed to the threads at a time, which bounds what waits in memory and how
# long an interrupt takes.
CHUNK_PER_WORKER = 8


@dataclasses.dataclass(frozen=True)
class BadPicture:
    """A picture that cannot be read.

    Attributes:
        index: where it stands in its source.
        identifier: what its source calls it.
        reason: one sentence that names it.
    """

    index: int
    identifier: str
    reason: str


def find_bad_pictures(
    source: Source, on_progress: Callable[[int, int], None] | None = None, workers: int = 2
) -> list[BadPicture]:
    """Decodes every example once and lists those that fail; no picture is kept.

    Args:
        source: what to check.
        on_progress: called with the number of examples done and of all, now and then and at the
            end.
        workers: threads that decode at the same time; each holds one picture.

    Returns:
        The unreadable examples by ascending index.
    """
    bad: list[BadPicture] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="check-pictures") as pool:
        chunk = CHUNK_PER_WORKER * workers
        for start in range(0, len(source), chunk):
            indices = range(start, min(start + chunk, len(source)))
            reasons = pool.map(lambda index: _why_unreadable(source, index), indices)
            for index, reason in zip(indices, reasons, strict=True):
                if reason is not None:
                    bad.append(BadPicture(index, source.identifier(index), reason))
            if on_progress is not None:
                on_progress(indices.stop, len(source))
    return bad


def without(source: LabelledSource, bad: Sequence[BadPicture]) -> LabelledSource:
    """`source` without the pictures in `bad`, in the same order.

    Raises:
        DataError: a class had examples and has none left.
    """
    if not bad:
        return source
    kept = np.delete(np.arange(len(source)), [picture.index for picture in bad])
    lost = np.setdiff1d(source.labels, source.labels[kept])
    if len(lost):
        first = next(picture for picture in bad if source.labels[picture.index] in lost)
        raise DataError(
            f"Class {lost[0]} has no readable picture left without the {len(bad)} unreadable ones, "
            f"of which the first of such a class is {first.identifier}: replace its pictures or "
            "remove the class."
        )
    return Subset(source, kept)


def require_no_bad_pictures(bad: Sequence[BadPicture]) -> None:
    """Checks that nothing was found.

    Raises:
        DataError: how many pictures cannot be read, the first of them and why, and what to do.
    """
    if bad:
        count = "1 picture" if len(bad) == 1 else f"{len(bad)} pictures"
        first = bad[0].reason.rstrip(".")
        raise DataError(
            f"{count} cannot be read, the first because {first}; or train without such pictures "
            "by --skip-bad-images, which lists them."
        )


def _why_unreadable(source: Source, index: int) -> str | None:
    try:
        source.example(index)
    except DataError as error:
        return str(error)
    return None
