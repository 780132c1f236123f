"""A network from its file, or one sentence that says what is wrong with the file."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import keras

from keras_models.registration import register_layers
from tasks.common.errors import UserError

# What `zipfile` raises on bytes that are not what was written: flags, methods and lengths lie.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError),
    *(ValueError, RuntimeError, OverflowError),
)
REMEDY = "copy it again from where it is sound, or train anew"


def load(path: Path) -> keras.Model:
    """The network in a `.keras` file, not compiled.

    Raises:
        UserError: the file is missing or damaged, or holds no network.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing: {REMEDY}.")
    _check_bytes(path)
    register_layers()
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read as a Keras model ({_first_line(error)}): {REMEDY}."
        ) from error


def _check_bytes(path: Path) -> None:
    """Reads the archive once to compare its checksums.

    Keras itself meets a wrong byte wherever it happens to read it, as errors of many kinds, and
    says of a file that was cut off that it was not found.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except PermissionError:
        raise UserError(f"{path} cannot be read: there is no permission to.") from None
    except _DAMAGE as error:
        raise UserError(f"{path} is damaged ({_first_line(error)}): {REMEDY}.") from error
    if bad is not None:
        raise UserError(f"{path} is damaged (in its part {bad}): {REMEDY}.")


def _first_line(error: Exception) -> str:
    """The start of what an exception says, without a full stop."""
    lines = str(error).splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
