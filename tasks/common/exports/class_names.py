"""The class names that travel inside every export."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def check(model: keras.Model, class_names: Sequence[str]) -> None:
    """Sees that there is one storable name per output of the model.

    Raises:
        ValueError: the count is not that of the model's outputs, or a name has a line break
            (label files keep one name a line).
    """
    classes = model.output_shape[-1]
    if len(class_names) != classes:
        raise ValueError(
            f"class_names must have one name per output of the model, {classes}. "
            f"Received: {len(class_names)} names"
        )
    for name in class_names:
        if "\n" in name or "\r" in name:
            raise ValueError(f"class_names must not contain line breaks. Received: {name!r}")
