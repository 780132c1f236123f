"""Random textures that repeat without a seam, drawn once and looked up by every scene."""

from __future__ import annotations

import functools

import numpy as np

SIDE = 256
"""Rows and columns of a texture; a power of two, so that wrapping round is a bit mask."""


@functools.cache
def noise(number: int, falloff: float = 1.6) -> np.ndarray:
    """Gaussian noise whose spectrum falls with frequency: mean 0, spread 1, float32, (256, 256).

    Args:
        number: which of the endless number of textures.
        falloff: p of an amplitude of 1 / frequency^p: 1.6 is like clouds, 0.6 like grain.
    """
    white = np.random.default_rng([number, round(100 * falloff)]).standard_normal((SIDE, SIDE))
    across = np.fft.fftfreq(SIDE)[:, None]
    frequency = np.hypot(across, np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = np.inf
    filtered = np.fft.irfft2(np.fft.rfft2(white) * frequency**-falloff)
    texture = (filtered / filtered.std()).astype(np.float32)
    texture.setflags(write=False)
    return texture


def looked_up(texture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The texture at texel coordinates, wrapped round, nearest: same shape as `x`."""
    column = np.floor(x).astype(np.int32) & (SIDE - 1)
    row = np.floor(y).astype(np.int32) & (SIDE - 1)
    return texture.ravel().take(row * SIDE + column)


def smoothly_looked_up(texture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same, bilinear, for places where single texels would show."""
    left, low = np.floor(x), np.floor(y)
    right_share, high_share = x - left, y - low
    column, row = left.astype(np.int32) & (SIDE - 1), low.astype(np.int32) & (SIDE - 1)
    right, high = (column + 1) & (SIDE - 1), (row + 1) & (SIDE - 1)
    flat = texture.ravel()
    bottom = flat.take(row * SIDE + column)
    bottom += right_share * (flat.take(row * SIDE + right) - bottom)
    top = flat.take(high * SIDE + column)
    top += right_share * (flat.take(high * SIDE + right) - top)
    return bottom + high_share * (top - bottom)
