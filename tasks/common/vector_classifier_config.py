"""The options that every task that classifies rows of numbers adds to the common ones."""

from __future__ import annotations

import dataclasses

from tasks.common.config import TrainConfig
from tasks.common.option_checks import check_split_fractions, check_training, require_shares


@dataclasses.dataclass(frozen=True)
class VectorClassifierConfig(TrainConfig):
    """Options of a task that classifies rows of numbers."""

    validation_fraction: float = 0.15
    """Share of the examples kept for validation where the data has no own split."""
    test_fraction: float = 0.15
    """Share kept for the test where the data has no own split."""
    label_smoothing: float = 0.0
    """This share of a label's weight goes evenly to all classes; 0.1 is Szegedy et al. 2016."""
    dropout: float = 0.2
    """Share of a hidden layer's outputs dropped while training."""


def check_vector_classifier(config: VectorClassifierConfig) -> None:
    """Finds options that are out of range, before any work.

    Raises:
        UserError: the first one found.
    """
    check_training(config)
    check_split_fractions(config)
    require_shares(config, ("dropout", "label_smoothing"))
