"""Luma against Pillow's own conversion."""

from __future__ import annotations

import keras
import numpy as np
from PIL import Image

from keras_models.grey import GreyPixels


def test_luma_is_that_of_pillow() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    grey = keras.ops.convert_to_numpy(GreyPixels()(pictures))
    expected = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in pictures])
    assert grey.shape == (2, 5, 7, 1)
    # Pillow gives whole grey levels.
    np.testing.assert_allclose(grey[..., 0], expected, atol=1.0)


def test_a_grey_picture_keeps_its_values() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    grey = keras.ops.convert_to_numpy(GreyPixels()(np.repeat(levels, 3, axis=-1)))
    np.testing.assert_allclose(grey, levels, atol=1e-4)
