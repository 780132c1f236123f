"""Stripes and rectangles with edges as soft as a pixel is wide, for patterns on surfaces."""

from __future__ import annotations

import numpy as np


def step(distance: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """0 where a distance is negative, 1 where positive, a slope one pixel wide between."""
    share = distance / pixel
    share += 0.5
    return np.clip(share, 0.0, 1.0, out=share)


def stripe(
    place: np.ndarray, middle: np.ndarray | float, width: np.ndarray | float, pixel: np.ndarray
) -> np.ndarray:
    """1 within width / 2 of the middle: a stripe narrower than a pixel is fainter instead."""
    half = np.asarray(width, dtype=np.float32) / 2
    offset = np.abs(place - np.asarray(middle, dtype=np.float32))
    within = step(half - offset, np.maximum(pixel, 1e-6))
    return within * np.minimum(1.0, 2.0 * half / np.maximum(pixel, 1e-6))


def repeated(
    place: np.ndarray, period: float | np.ndarray, width: float | np.ndarray, pixel: np.ndarray
) -> np.ndarray:
    """1 on stripes about every multiple of the period; their mean where they are too fine."""
    phase = place / period
    offset = np.abs(phase - np.rint(phase)) * period
    sharp = step(width / 2 - offset, np.maximum(pixel, 1e-6))
    fine = np.clip(pixel / period * 2.0 - 0.6, 0.0, 1.0)
    return sharp + fine * (width / period - sharp)


def mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours with a share, (k,), of another; colours are (3, k), or (3, 1) for one of all."""
    # Yes and no as shares would compute in double precision, which nothing here needs.
    blend = (second - first) * share.astype(np.float32, copy=False)
    blend += first
    return blend
