"""Whether a network that was loaded from a file is one whose answers are maps."""

from __future__ import annotations

from pathlib import Path

import keras

from keras_models.map_output import map_layer
from tasks.common.errors import UserError
from tasks.common.saved_network import REMEDY


def require_maps(model: keras.Model, path: Path, of_classes: bool) -> None:
    """Sees that a network, loaded from `path`, gives maps: of classes, or of quantities.

    Raises:
        UserError: it does not.
    """
    try:
        found = map_layer(model).unit == "probability"
    except ValueError:
        found = None
    if found is not of_classes:
        wanted = "classes" if of_classes else "quantities"
        raise UserError(
            f"{path} holds a network of another kind, whose answers are no maps of {wanted}: "
            f"{REMEDY}."
        )
