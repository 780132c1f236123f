"""The ground: asphalt with its markings, paving, grass, gravel and snow.

The road is the plane y = 0; pavements are faces above it. Markings follow common practice in
Europe: dashes 3 m long every 9 m, zebra stripes 0.5 m wide along the road.
"""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.bands import mixed, repeated, step, stripe
from datasets.rendered.street.classes import ROAD, TREE
from datasets.rendered.street.layout import LANE, Layout
from datasets.rendered.street.mesh import column
from datasets.rendered.street.noise import looked_up, noise, smoothly_looked_up
from datasets.rendered.street.weather import Weather

_ASPHALT = column((122, 122, 125))
_WHITE = column((236, 236, 230))
_SNOW = column((238, 240, 246))
_GRASS = {
    "spring": column((122, 156, 74)),
    "summer": column((126, 146, 74)),
    "autumn": column((140, 134, 72)),
    "winter": column((124, 122, 84)),
}


def is_road(layout: Layout, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Whether places on the plane y = 0 belong to the road, bool, (k,)."""
    road = (x > -layout.road_edge(-1)) & (x < layout.road_edge(1))
    for side in (-1, 1):
        gap = layout.gap(side)
        if gap is not None:
            road |= (side * x > 0) & (z > gap[0]) & (z < gap[1])
    return road


def ground_classes(layout: Layout, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Class ids of places on the plane y = 0: road, or grass, which counts as tree; (k,)."""
    return np.where(is_road(layout, x, z), ROAD, TREE).astype(np.uint8)


def reflectances(
    layout: Layout,
    weather: Weather,
    x: np.ndarray,
    z: np.ndarray,
    pixel: tuple[np.ndarray, np.ndarray],
    shift: np.ndarray,
) -> np.ndarray:
    """Colour of the ground at places (x, z), linear, (3, k).

    Args:
        layout: plan of the street.
        weather: for the season.
        x: (k,); likewise `z`.
        pixel: size of a pixel on the ground across and along the street, metres, (k,) each.
        shift: where the textures begin.
    """
    road = is_road(layout, x, z)
    surface = np.empty((3, len(x)), dtype=np.float32)
    on = np.flatnonzero(road)
    off = np.flatnonzero(~road)
    surface[:, on] = _road(layout, weather, x[on], z[on], (pixel[0][on], pixel[1][on]), shift)
    surface[:, off] = _grass(weather, x[off], z[off], pixel[1][off], shift)
    return surface


def _road(
    layout: Layout,
    weather: Weather,
    x: np.ndarray,
    z: np.ndarray,
    pixel: tuple[np.ndarray, np.ndarray],
    shift: np.ndarray,
) -> np.ndarray:
    stains = smoothly_looked_up(noise(3), x * 7.0 + shift[0], z * 2.2 + shift[1])
    grain = looked_up(noise(4, falloff=0.6), x * 34.0, z * 34.0) * np.clip(0.16 / pixel[1], 0, 1)
    tracks = np.abs(np.abs(np.abs(x) - LANE / 2) - 0.75)
    bright = 1.0 + 0.06 * stains + 0.055 * grain - 0.07 * np.clip(1.0 - tracks / 0.4, 0.0, 1.0)
    patch = smoothly_looked_up(noise(5), x * 3.0 + shift[1], z * 3.0 + shift[0])
    bright -= 0.14 * (patch > 1.5)
    crack = np.abs(smoothly_looked_up(noise(8), x * 9.0 + shift[0], z * 9.0 - shift[0]))
    bright -= 0.18 * np.clip(1.0 - crack / 0.035, 0.0, 1.0) * np.clip(0.1 / pixel[1], 0, 1)
    bright *= 1.0 - 0.42 * weather.wetness
    surface = _ASPHALT * bright
    worn = np.clip(0.86 + 0.12 * stains + 0.10 * grain, 0.35, 1.0)
    surface = mixed(surface, _WHITE, _markings(layout, x, z, pixel) * worn)
    if weather.snow:
        drift = smoothly_looked_up(noise(6), x * 5.0 + shift[0], z * 1.2 + shift[1])
        depth = np.clip(weather.snow * 0.9 - 0.55 + 0.4 * drift + 0.5 * tracks, 0.0, 0.85)
        surface = mixed(surface, _SNOW, depth)
    return surface


def _markings(
    layout: Layout, x: np.ndarray, z: np.ndarray, pixel: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Share of white paint, (k,)."""
    across, along = pixel
    free = np.ones(len(x), dtype=np.float32)
    if layout.crossing is not None:
        low, high = layout.crossing
        free -= step(z - low, along) * step(high - z, along)
    paint = np.zeros(len(x), dtype=np.float32)
    if layout.centre_line:
        dashes = repeated(z, 9.0, 3.0, along)
        paint = np.maximum(paint, stripe(x, 0.0, 0.13, across) * dashes)
    for side in (-1, 1):
        if layout.parking[(side + 1) // 2]:
            bays = repeated(z, 6.1, 0.12, along) * step(side * x - LANE, across)
            line = stripe(side * x, LANE, 0.10, across)
            paint = np.maximum(paint, np.maximum(line, bays))
        elif layout.centre_line:
            edge = layout.road_edge(side) - 0.28
            paint = np.maximum(paint, stripe(side * x, edge, 0.11, across))
    if layout.zebra is not None:
        within = step(1.6 - np.abs(z - layout.zebra), along)
        paint *= 1.0 - step(2.1 - np.abs(z - layout.zebra), along)
        paint = np.maximum(paint, within * repeated(x - 0.25, 1.0, 0.5, across))
    if layout.crossing is not None:
        for start, lane in ((layout.crossing[0] - 0.7, 1), (layout.crossing[1] + 0.7, -1)):
            if layout.zebra is not None and lane == 1:
                start = layout.zebra - 2.6
            own = step(lane * layout.drives_on * x, across)
            inside = step(LANE - np.abs(x), across)
            paint = np.maximum(paint, stripe(z, start, 0.4, along) * own * inside)
    return paint * free


def _grass(
    weather: Weather, x: np.ndarray, z: np.ndarray, pixel: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    patches = smoothly_looked_up(noise(7), x * 6.0 + shift[0], z * 6.0 + shift[1])
    blades = looked_up(noise(9, falloff=0.6), x * 30.0, z * 18.0) * np.clip(0.2 / pixel, 0, 1)
    bright = np.clip(1.0 + 0.14 * patches + 0.22 * blades, 0.2, 2.0)
    surface = _GRASS[weather.season] * bright
    if weather.snow:
        depth = np.clip(weather.snow + 0.25 * patches + 0.1 * blades, 0.0, 1.0)
        surface = mixed(surface, _SNOW, depth)
    return surface


def paved(
    colour: np.ndarray,
    weather: Weather,
    x: np.ndarray,
    z: np.ndarray,
    pixel: tuple[np.ndarray, np.ndarray],
    shift: np.ndarray,
) -> np.ndarray:
    """Colour of a pavement laid in slabs, linear, (3, k), from its mean colour, (3, k)."""
    stains = smoothly_looked_up(noise(3), x * 5.0 + shift[1], z * 5.0 + shift[0])
    grain = looked_up(noise(4, falloff=0.6), x * 40.0, z * 40.0) * np.clip(0.16 / pixel[1], 0, 1)
    # Each slab has a brightness of its own.
    tone = looked_up(noise(10, falloff=0.6), np.floor(x / 0.5) * 7.0, np.floor(z / 0.5) * 3.0)
    tone *= np.clip(0.5 / pixel[1] - 0.5, 0.0, 1.0)
    joints = np.maximum(repeated(x, 0.5, 0.025, pixel[0]), repeated(z, 0.5, 0.025, pixel[1]))
    bright = (1.0 + 0.08 * stains + 0.07 * grain + 0.035 * tone) * (1.0 - 0.42 * joints)
    bright *= 1.0 - 0.35 * weather.wetness
    surface = colour * bright
    if weather.snow:
        depth = np.clip(weather.snow * 1.1 - 0.25 + 0.35 * stains, 0.0, 0.95)
        surface = mixed(surface, _SNOW, depth)
    return surface
