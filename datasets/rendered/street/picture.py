"""From a view to the picture that a camera takes of it."""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.noise import noise
from datasets.rendered.street.shading import light_at
from datasets.rendered.street.view import View, look_at_corners


def developed(view: View, rng: np.random.Generator) -> np.ndarray:
    """The picture that a camera takes: uint8 RGB, (height, width, 3).

    Inside of a face one point a pixel is looked at, the middle. Where the corners of a pixel see
    something else, they count for half, so that edges come out smooth.

    Args:
        view: of the middles of the pixels.
        rng: decides exposure and noise.
    """
    around = look_at_corners(view)
    row, column = np.nonzero(_edges(view, around))
    first = row * (view.shape[1] + 1) + column
    neighbours = [first, first + 1, first + view.shape[1] + 1, first + view.shape[1] + 2]
    found = np.zeros(around.ids.size, dtype=bool)
    for points in neighbours:
        found[points] = True
    light = light_at(view.with_points(around, np.flatnonzero(found)))
    # Brighter than white counts as white, or a lamp would eat its edge.
    corner = np.minimum(light[:, view.ids.size :], 1.3)
    number = np.cumsum(found) - 1
    mean = sum(corner.take(number[points], axis=1) for points in neighbours) / 4
    light = light[:, : view.ids.size].reshape(3, *view.shape)
    light[:, row, column] = 0.5 * np.minimum(light[:, row, column], 1.3) + 0.5 * mean
    return exposed(light, rng)


def _edges(view: View, around: View) -> np.ndarray:
    """Pixels at one of whose corners something else is seen than in the middle, bool."""
    height, width = view.shape
    seen, corner = view.ids.reshape(view.shape), around.ids.reshape(around.shape)
    edges = np.zeros(view.shape, dtype=bool)
    for down in range(2):
        for across in range(2):
            edges |= corner[down : down + height, across : across + width] != seen
    return edges


def exposed(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Linear light, (3, height, width), as a sensor stores it: exposure, gamma, noise."""
    grey = float(light[:, ::4, ::4].mean())
    aim, spread, falloff = rng.uniform(0.26, 0.34), rng.uniform(0.6, 2.6), rng.uniform(0.02, 0.12)
    # Not all the way to the mean grey, so that dusk stays darker than noon.
    exposure = (aim / max(grey, 1e-3)) ** 0.6
    balance = rng.normal(1.0, 0.018, (3, 1, 1))
    light = light * (exposure * balance).astype(np.float32)
    # A soft shoulder: whites are reached slowly.
    light *= (1.0 + 0.18 * light) / (1.0 + 0.42 * light)
    shown = np.sqrt(light, out=light)
    shown *= 255.0 * 1.06 * _corner_falloff(light.shape[1:], falloff)
    shown += np.float32(spread) * _grain(light.shape[1:], rng)
    np.clip(shown, 0.0, 255.0, out=shown)
    return np.ascontiguousarray(shown.astype(np.uint8).transpose(1, 2, 0))


def _corner_falloff(size: tuple[int, int], strength: float) -> np.ndarray:
    down = np.linspace(-1, 1, size[0], dtype=np.float32)[:, None] ** 2
    across = np.linspace(-1, 1, size[1], dtype=np.float32)[None] ** 2
    return 1.0 - np.float32(strength) * (down + across)


def _grain(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Noise of a sensor, from a texture turned and shifted at random."""
    shift = rng.integers(0, 256, 2)
    rows = (np.arange(size[0]) + shift[0]) % 256
    columns = (np.arange(size[1]) + shift[1]) % 256
    return noise(18, falloff=0.15)[rows[:, None], columns]
