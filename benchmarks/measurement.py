"""What is known of one contestant when it has ended, and whether it came to the accuracy."""

from __future__ import annotations

import dataclasses

# A contestant that ends this far below the guide's test accuracy still counts as equal to it.
TOLERANCE = 0.01


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a training, or the filling of the store of features for its stages.

    Attributes:
        name: `head`, `tail` or `features`.
        seconds: it took.
        examples: training pictures that went through, each counted once an epoch or view.
        multiply_adds: of all of it, validation included.
    """

    name: str
    seconds: float
    examples: int
    multiply_adds: int

    @property
    def examples_per_second(self) -> float:
        """Training pictures a second; the stage's validation and start take their time in it."""
        return self.examples / self.seconds

    def rate_share(self, rate: float) -> float:
        """Multiply-adds a second as a share of `rate`."""
        return self.multiply_adds / self.seconds / rate


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One contestant.

    Attributes:
        name: as the tables show it.
        command: the words after the interpreter.
        accuracy: on the test pictures, at the end, as a share.
        start_seconds: from the start of the process to the first stage: imports, pictures, model.
        stages: in order; their names are different.
        training_seconds: from the start of the process to the end of training.
        evaluation_seconds: of the predictions for the test pictures.
        total_seconds: from the start of the process to its end.
        peak_bytes: memory of the process and all it started.
    """

    name: str
    command: tuple[str, ...]
    accuracy: float
    start_seconds: float
    stages: tuple[Stage, ...]
    training_seconds: float
    evaluation_seconds: float
    total_seconds: float
    peak_bytes: int

    def parts(self) -> dict[str, float]:
        """The whole time by what it went to, in seconds; the parts sum to `total_seconds`."""
        parts = {"start": self.start_seconds, "features": 0.0, "head": 0.0, "tail": 0.0}
        for stage in self.stages:
            # Whatever else a recipe trains comes after the head, as the tail does.
            parts[stage.name if stage.name in parts else "tail"] += stage.seconds
        between = self.training_seconds - sum(parts.values())
        after = self.total_seconds - self.training_seconds - self.evaluation_seconds
        return {
            **parts,
            "between": max(0.0, between),
            "evaluation": self.evaluation_seconds,
            "after": max(0.0, after),
        }

    def reached(self, accuracy: float) -> bool:
        """Whether the test accuracy is that one, within `TOLERANCE`."""
        # Shares of few pictures are compared: 0.92 - 0.91 is not 0.01 in binary fractions.
        return self.accuracy >= accuracy - TOLERANCE - 1e-9
