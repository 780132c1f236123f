"""A network from its file, or one sentence that says what is wrong with the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from keras_models import model_file
from tasks.common.errors import UserError

if TYPE_CHECKING:
    import keras

REMEDY = "copy it again from where it is sound, or train anew"


def load(path: Path) -> keras.Model:
    """The network in a `.keras` file, not compiled.

    Raises:
        UserError: the file is missing or damaged, or holds no network.
    """
    try:
        return model_file.load_model(path)
    except ValueError as error:
        raise UserError(f"{error}: {REMEDY}.") from error
