"""Contestants made by hand, whose numbers are round."""

from __future__ import annotations

from typing import Any

from benchmarks.measurement import Measurement, Stage


def contestant(name: str, accuracy: float, training_seconds: float, **changes: Any) -> Measurement:
    """One with a head of 30 s and a tail of 40 s, 5 s of test, 10 s for the rest."""
    numbers = {
        "command": ("-m", name),
        "start_seconds": 8.0,
        "stages": (Stage("head", 30.0, 300, 60), Stage("tail", 40.0, 800, 80)),
        "evaluation_seconds": 5.0,
        "total_seconds": training_seconds + 15.0,
        "peak_bytes": 2_000_000_000,
    }
    return Measurement(
        name, **{**numbers, **changes}, accuracy=accuracy, training_seconds=training_seconds
    )
