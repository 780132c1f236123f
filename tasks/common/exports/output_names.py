"""The names of a model's outputs, which travel inside every export."""

from __future__ import annotations

import types
from collections.abc import Sequence

import keras

KEYS = types.MappingProxyType(
    {
        "probabilities": "class_names",
        "points": "output_names",
        "probability_maps": "class_names",
        "class_maps": "class_names",
        "maps": "channel_names",
    }
)
"""What the names are called inside an export, by what the model gives."""

_TENSORS = types.MappingProxyType({"probability_maps": "probabilities", "class_maps": "classes"})


def tensor(output: str) -> str:
    """What the output is called inside an export, by what the model gives."""
    return _TENSORS.get(output, output)


def check(model: keras.Model, names: Sequence[str]) -> None:
    """Sees that there is one storable name per output of the model.

    Raises:
        ValueError: the count is not that of the model's outputs, or a name has a line break
            (label files keep one name a line).
    """
    columns = model.output_shape[-1]
    if not gives_ids(model) and len(names) != columns:
        raise ValueError(
            f"names must have one name per output of the model, {columns}. "
            f"Received: {len(names)} names"
        )
    for name in names:
        if "\n" in name or "\r" in name:
            raise ValueError(f"names must not contain line breaks. Received: {name!r}")


def gives_ids(model: keras.Model) -> bool:
    """Whether the output is class ids, which have no column a class."""
    return "int" in keras.backend.standardize_dtype(model.outputs[0].dtype)
