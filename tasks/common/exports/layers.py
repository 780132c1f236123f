"""All layers of a model."""

from __future__ import annotations

from collections.abc import Iterator

import keras


def every_layer(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Each layer of the model; in place of a nested model, its layers."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from every_layer(layer)
        else:
            yield layer
