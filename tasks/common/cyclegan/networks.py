"""The networks that are saved beside the model of a run."""

from __future__ import annotations

import keras

from keras_models.registration import register_layers
from tasks.common.errors import UserError
from tasks.common.run_folder import RunFolder

COMPANIONS = ("depth_to_picture", "depth_discriminator", "picture_discriminator")


def load_companion(folder: RunFolder, name: str) -> keras.Model:
    """One of `COMPANIONS`, as it was when the model of the run was at its best.

    Raises:
        UserError: the file is missing or damaged.
    """
    path = folder.networks / f"{name}.keras"
    register_layers()
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} cannot be read as a Keras model: {first}") from error
