"""Depth that is stored as a grey picture: which number is how many metres.

Tensor contract: depth is float32, (height, width), metres along the camera's axis; 0 is unknown.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image

from datasets import images
from datasets.core import DataError

METRES_PER_UNIT = {8: 10 / 255, 16: 1 / 1000}
"""By bits a pixel. 8: NYU Depth V2 as often copied, 255 is 10 m. 16: millimetres, as the test part
of the copy that Alhashim & Wonka 2018 publish, and as depth cameras write them."""


def read_depth(path: str | Path, metres_per_unit: float | None = None) -> np.ndarray:
    """Reads a grey picture of 8 or 16 bits as depth.

    Args:
        path: the file.
        metres_per_unit: what the stored numbers are multiplied by; None goes by the bits,
            `METRES_PER_UNIT`.

    Returns:
        float32 (height, width), metres; 0 is unknown.

    Raises:
        DataError: the file cannot be read, is stored turned, is not grey, or knows no depth at all.
    """
    stored, bits = _stored(Path(path))
    if not stored.any():
        raise DataError(f"{path} must know the depth of a pixel, received 0 everywhere: remove it.")
    scale = METRES_PER_UNIT[bits] if metres_per_unit is None else metres_per_unit
    return stored.astype(np.float32) * np.float32(scale)


def require_scale(metres_per_unit: float | None) -> None:
    """Checks a scale before any file is read.

    Raises:
        DataError: it is not a positive number.
    """
    if metres_per_unit is not None and not 0 < metres_per_unit < math.inf:
        raise DataError(
            "The metres of one stored unit of depth must be above 0 and finite, received "
            f"{metres_per_unit}: leave them out for the usual scales."
        )


def _stored(path: Path) -> tuple[np.ndarray, int]:
    """The numbers as they are stored, and their bits."""
    height, width = images.picture_size(path)
    if height * width > images.MAX_PIXELS:
        raise DataError(
            f"{path} declares {width} x {height} pixels, at most {images.MAX_PIXELS} are allowed: "
            "make it smaller or remove it."
        )
    try:
        with Image.open(path, formats=images.FORMATS) as picture:
            images.require_map_upright(picture, path)
            picture.load()
            mode, values = picture.mode, np.array(picture)
    except DataError:
        raise
    except Exception as error:  # decoders fail in many ways on hostile bytes: all mean "damaged"
        raise DataError(
            f"{path} cannot be decoded, it is cut short or damaged ({images.one_line(error)}): "
            "replace or remove it."
        ) from error
    if mode == "L":
        return values, 8
    # Pillow reads 16 bits as "I;16", older versions as 32-bit "I".
    if mode.startswith("I") and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max:
        return values, 16
    raise DataError(
        f"{path} must be a grey picture with 8 or 16 bits a pixel, received Pillow's mode {mode}: "
        "save the depth itself, not a coloured picture of it."
    )
