"""The names of a model's outputs, which travel inside every export."""

from __future__ import annotations

import types
from collections.abc import Sequence

import keras

KEYS = types.MappingProxyType({"probabilities": "class_names", "points": "output_names"})
"""What the names are called inside an export, by what the model gives."""


def check(model: keras.Model, names: Sequence[str]) -> None:
    """Sees that there is one storable name per output of the model.

    Raises:
        ValueError: the count is not that of the model's outputs, or a name has a line break
            (label files keep one name a line).
    """
    columns = model.output_shape[-1]
    if len(names) != columns:
        raise ValueError(
            f"names must have one name per output of the model, {columns}. "
            f"Received: {len(names)} names"
        )
    for name in names:
        if "\n" in name or "\r" in name:
            raise ValueError(f"names must not contain line breaks. Received: {name!r}")
