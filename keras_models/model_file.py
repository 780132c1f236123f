"""A whole model from its `.keras` file, or what is wrong with the file in half a sentence."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import keras

from keras_models.registration import register_layers

# What `zipfile` raises on bytes that are not what was written: flags, methods and lengths lie.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError),
    *(ValueError, RuntimeError, OverflowError),
)


def load_model(path: Path) -> keras.Model:
    """The model, not compiled; no code that is stored in the file is run.

    Raises:
        ValueError: the file is missing or damaged, or holds no model; what it says ends without a
            full stop, so that what to do may follow.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing")
    _check_bytes(path)
    register_layers()
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # what a file says of its layers is built, and may be anything
        raise ValueError(f"{path} cannot be read as a Keras model ({first_line(error)})") from error


def first_line(error: Exception) -> str:
    """The start of what an exception says, without a full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__


def _check_bytes(path: Path) -> None:
    """Reads the archive once to compare its checksums.

    Keras itself meets a wrong byte wherever it happens to read it, as errors of many kinds, and
    says of a file that was cut off that it was not found.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except PermissionError:
        raise ValueError(f"{path} cannot be read: there is no permission to") from None
    except DAMAGE as error:
        raise ValueError(f"{path} is damaged ({first_line(error)})") from error
    if bad is not None:
        raise ValueError(f"{path} is damaged (in its part {bad})")
