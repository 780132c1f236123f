"""The sky: a gradient, clouds on a level far above, and the sun's glow."""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.bands import mixed
from datasets.rendered.street.noise import noise, smoothly_looked_up
from datasets.rendered.street.weather import Weather


def sky_light(weather: Weather, rise: np.ndarray) -> np.ndarray:
    """Colour of the clear sky at the sine of an elevation, (k,) to (3, k), linear."""
    share = 1.0 - np.exp(-3.2 * np.maximum(rise, 0.0))
    return mixed(weather.horizon, weather.zenith, share)


def colours(weather: Weather, rays: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Linear light along rays of any length, (3, k) to (3, k)."""
    rays = rays / lengths(rays)
    rise = rays[1]
    light = sky_light(weather, rise)
    towards_sun = np.maximum(weather.sun @ rays, 0.0)
    glow = 0.175 * towards_sun**24 + 0.125 * towards_sun**4
    light += weather.sunlight * glow
    # The clouds lie on a plane; the added rise keeps them from crowding at the horizon.
    flat = 26.0 / (np.maximum(rise, 0.0) + 0.12)
    across, along = rays[0] * flat + shift[0], rays[2] * flat + shift[1]
    density = smoothly_looked_up(noise(1), across, along)
    density += 0.35 * smoothly_looked_up(noise(2), 3.1 * across, 3.1 * along)
    cover = np.clip((density - 1.1 + 2.6 * weather.clouds) * 0.55, 0.0, 1.0)
    cover *= np.clip(rise * 9.0 + 0.15, 0.0, 1.0) * 0.92
    shaded = weather.cloud_light * (0.86 - 0.12 * np.clip(density, -1, 2))
    shaded += weather.sunlight * (0.25 * towards_sun**6)
    return mixed(light, shaded, cover)


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Lengths of vectors, (3, k) to (k,)."""
    return np.sqrt(vectors[0] ** 2 + vectors[1] ** 2 + vectors[2] ** 2)
