"""Curves of training and validation in one TensorBoard chart, one point an epoch."""

from __future__ import annotations

from pathlib import Path

import keras

# Batches of a fit that are profiled: not the first, which is spent on tracing, and few, because
# a profile of many steps is slow to open.
PROFILED_BATCHES = (3, 6)


class TensorBoardScalars(keras.callbacks.TensorBoard):
    """Keras's TensorBoard callback, with one chart a metric and epochs counted from 1.

    Training goes to `FOLDER/train` and validation to `FOLDER/validation` under the same tag
    `epoch_NAME`, so that TensorBoard draws both into one chart. Everything in the logs is
    written, and `epoch_stage`, the number of the stage.

    Differs from the class it extends: no second set of validation charts over the optimizer's
    iterations (they restart at each stage), and nothing is done at a batch unless it is
    profiled.

    Args:
        folder: TensorBoard folder of the run.
        stage_number: number of the stage, counted from 1.
        profile: whether to record a profile of the batches `PROFILED_BATCHES` of the fit.
    """

    def __init__(self, folder: Path, stage_number: int, profile: bool = False):
        super().__init__(
            log_dir=str(folder),
            write_graph=False,
            update_freq="epoch",
            profile_batch=PROFILED_BATCHES if profile else 0,
        )
        self.stage_number = stage_number
        self.profile = profile

    def on_train_batch_begin(self, batch, logs=None):
        if self.profile:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if self.profile:
            super().on_train_batch_end(batch, logs)

    def on_test_end(self, logs=None):
        """Writes nothing: the epoch's end writes the validation metrics."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch + 1, {**(logs or {}), "stage": self.stage_number})
        for writer in self._writers.values():
            writer.flush()
