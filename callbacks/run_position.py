"""Where a fit stands in its run.

A run is a sequence of stages, each one or more calls of `model.fit` (a killed run continues with
a new one). Keras counts the batches of a fit from zero; a run counts on.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class RunPosition:
    """Where one call of `model.fit` begins, and how large an epoch is.

    Attributes:
        steps_per_epoch: batches of a whole epoch, positive.
        batch_size: examples in a whole batch, positive.
        examples_per_epoch: examples in a whole epoch; the last batch may be smaller than the
            others.
        first_epoch: epochs of the run that are complete when the fit begins: `initial_epoch`.
        first_batch: batches of the epoch `first_epoch` that were trained before the fit begins,
            in [0, steps_per_epoch); not zero only after resuming in the middle of an epoch.
        first_step: batches of the run that were trained before the fit begins.
    """

    steps_per_epoch: int
    batch_size: int
    examples_per_epoch: int
    first_epoch: int = 0
    first_batch: int = 0
    first_step: int = 0

    def __post_init__(self):
        for name in ("steps_per_epoch", "batch_size", "examples_per_epoch"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be positive. Received: {self}")
        if not 0 <= self.first_batch < self.steps_per_epoch:
            raise ValueError(f"`first_batch` must be in [0, steps_per_epoch). Received: {self}")

    def batches_done(self, epoch: int, batch: int) -> int:
        """Batches of `epoch` that are trained when Keras reports the end of `batch`.

        Args:
            epoch: epoch of the run, counted from 0 as by Keras.
            batch: batch of this fit's epoch, counted from 0 as by Keras.

        Returns:
            A count in [1, steps_per_epoch] when the data has the announced length.
        """
        return batch + 1 + (self.first_batch if epoch == self.first_epoch else 0)

    def step(self, epoch: int, batch: int) -> int:
        """Batches of the run that are trained when Keras reports the end of `batch`."""
        first_step_of_first_epoch = self.first_step - self.first_batch
        steps_of_whole_epochs = (epoch - self.first_epoch) * self.steps_per_epoch
        return first_step_of_first_epoch + steps_of_whole_epochs + self.batches_done(epoch, batch)

    def examples(self, batches: int) -> int:
        """Examples in the first `batches` batches of an epoch."""
        return min(batches * self.batch_size, self.examples_per_epoch)
