"""Looks at every picture of a data set before a run starts, and keeps what it has read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from datasets import check, core, memory
from tasks.common import console


def checked(splits: core.Splits, config: Any) -> core.Splits:
    """The splits as `--limit` leaves them, each picture and what is said of it seen to be sound.

    Args:
        splits: of any pictures.
        config: with `limit`, `seed`, `workers`, `skip_bad_images` and `cache_megabytes`.

    Raises:
        DataError: pictures cannot be read, or what is said of them is wrong, and
            `--skip-bad-images` was not given.
    """
    share = config.cache_megabytes * 1_000_000 // len(("train", "validation", "test"))
    parts = {}
    for name in ("train", "validation", "test"):
        source = getattr(splits, name)
        if config.limit is not None:
            source = core.limit(source, config.limit, config.seed)
        source = memory.Remembered(source, share)
        shown = console.progress(f"checked {{done}} of {{total}} {name} pictures", at_end=True)
        parts[name] = sound(source, config.skip_bad_images, config.workers, shown)
    return core.Splits(**parts, info=splits.info)


def sound(
    source: core.LabelledSource,
    skip_bad: bool,
    workers: int,
    shown: Callable[[int, int], None] | None = None,
) -> core.LabelledSource:
    """The examples of a source that can be read; the others are named.

    Raises:
        DataError: there are such, and `skip_bad` is false; or none is left.
    """
    bad = check.find_bad_pictures(source, shown, workers)
    if not skip_bad:
        check.require_no_bad_pictures(bad)
    for picture in bad:
        print(f"left out {picture.identifier}: {picture.reason}")
    kept = np.delete(np.arange(len(source)), [picture.index for picture in bad])
    if not len(kept):
        raise core.DataError(
            f"No picture of {len(source)} can be read, the first because {bad[0].reason}"
        )
    return core.Subset(source, kept) if bad else source
