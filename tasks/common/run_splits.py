"""The examples of a run, split again as they were for its training."""

from __future__ import annotations

import dataclasses
import sys

from datasets import core
from tasks.common.resume import read_position
from tasks.common.saved_run import SavedRun


def load_splits(saved: SavedRun) -> core.Splits:
    """The examples of the run, split as they were for its training.

    Where they are not those it was trained on, a warning goes to standard error.

    Raises:
        DataError: the data is gone or cannot be read.
    """
    config = saved.config
    if getattr(config, "decoded_cache", False):
        # Looked at once, so not worth a place on the disk.
        config = dataclasses.replace(config, decoded_cache=False)
    splits = saved.task.load_data(config)
    if _changed(saved, splits):
        print(
            "warning: these are not the training and validation examples that the run started "
            "with: files were added, removed or renamed, so it may have learned from some of the "
            "test examples.",
            file=sys.stderr,
        )
    return splits


def _changed(saved: SavedRun, splits: core.Splits) -> bool:
    """Whether the run's state, if it is still there, names other examples."""
    if not saved.folder.state.is_file():
        return False
    return read_position(saved.folder).data != core.fingerprint([splits.train, splits.validation])
