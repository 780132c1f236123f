"""From places that people looked at to a map of how much they looked everywhere.

Tensor contract: fixations are (m, 2), x and y in pixels of the picture, from the left upper corner
of its left upper pixel, so that (0.5, 0.5) is that pixel's middle; a map is float32 (height,
width), the density of fixations relative to its highest place, range [0, 1], with 1 somewhere.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.ndimage import gaussian_filter

PICTURE_DEGREES = 1024 / 35
"""Visual angle that the longer side of a picture takes where nothing else is known, in degrees:
that of MIT1003 and MIT300, 1024 pixels wide at 35 pixels a degree (Judd, Durand & Torralba, "A
Benchmark of Computational Models of Saliency to Predict Human Fixations", 2012)."""


MOST_DEGREES = 90.0
"""From straight ahead to the edge of what an eye sees."""
MOST_PIXELS_PER_DEGREE = 1000.0
"""Eight times as fine as the sharpest eye sees: 60 pairs of lines a degree, two pixels each."""

# Standard deviations from its middle at which the Gaussian ends.
_CUT = 4.0


@dataclasses.dataclass(frozen=True)
class Blur:
    """The Gaussian that makes a map of fixations.

    Its standard deviation is given as a visual angle, because the eye sees sharply within about
    one degree of where it points, and a tracker is off by about as much (Le Meur & Baccino,
    "Methods for comparing scanpaths and saliency maps", 2013).

    Attributes:
        degrees: standard deviation, above 0 and at most `MOST_DEGREES`.
        pixels_per_degree: of the stored pictures, at most `MOST_PIXELS_PER_DEGREE`; None takes
            their longer side for `PICTURE_DEGREES`, whatever their number of pixels.
    """

    degrees: float = 1.0
    pixels_per_degree: float | None = None

    def pixels(self, size: tuple[int, int]) -> float:
        """The standard deviation on a picture of (height, width), in its pixels."""
        density = self.pixels_per_degree or max(size) / PICTURE_DEGREES
        return self.degrees * density


def inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which fixations lie on a picture of (height, width), bool (m,)."""
    height, width = size
    x, y = points[:, 0], points[:, 1]
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)


def pixels_of(points: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the pixel under each fixation, int64 (m,) each.

    Those outside of the picture are taken for the nearest pixel.
    """
    height, width = size
    columns = np.clip(np.floor(points[:, 0]), 0, width - 1).astype(np.int64)
    rows = np.clip(np.floor(points[:, 1]), 0, height - 1).astype(np.int64)
    return rows, columns


def fixation_counts(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """How often each pixel of a picture of (height, width) was fixated, float32."""
    counts = np.zeros(size, np.float32)
    np.add.at(counts, pixels_of(points, size), 1.0)
    return counts


def saliency_map(points: np.ndarray, size: tuple[int, int], blur: Blur) -> np.ndarray:
    """The map of some fixations: their counts under a Gaussian, divided by the highest value.

    Nothing comes in over the edge of the picture.

    Args:
        points: at least one fixation.
        size: height and width of the picture.
        blur: width of the Gaussian.

    Raises:
        ValueError: there is no fixation.
    """
    if not len(points):
        raise ValueError("points must hold at least one fixation. Received none.")
    # In float64: far from all fixations the density falls below the smallest float32.
    counts = fixation_counts(points, size).astype(np.float64)
    sigma = blur.pixels(size)
    # Beyond the far side is nothing to mix in, and a kernel of all of a wide blur is too large to
    # hold; its sum does not matter, since the highest value is made 1.
    radius = [min(_CUT * sigma + 0.5, side - 1) for side in size]
    density = gaussian_filter(counts, sigma, mode="constant", radius=[int(r) for r in radius])
    return (density / density.max()).astype(np.float32)
