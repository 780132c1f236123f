"""Hyperparameters and results of a run, so that TensorBoard compares runs in a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from callbacks.event_writer import event_writer
from callbacks.flat_record import flatten


def write_hparams(
    folder: Path, config: Mapping[str, Any], metrics: Mapping[str, float], run_name: str
) -> None:
    """Writes one row of TensorBoard's table of runs.

    It goes to the part `test` of the folder: TensorBoard makes a column of every curve that
    stands beside the hyperparameters, and those of the epochs would crowd the table.

    Args:
        folder: TensorBoard folder of the run.
        config: as `callbacks.flat_record.flatten` takes it.
        metrics: final results by name, such as "test_accuracy"; written as `result/NAME`.
        run_name: what the row is called.
    """
    with event_writer(folder / "test"):
        hparams.hparams(flatten(config), trial_id=run_name)
        for name, value in metrics.items():
            tf.summary.scalar(f"result/{name}", value, step=0)
