"""Season, time of day and sky: what lights a scene and what dims its distance.

All light is linear; 1 is about the brightest white that the picture shows.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.rendered.street.mesh import column


@dataclasses.dataclass(frozen=True)
class Weather:
    """Light and season of one scene.

    Attributes:
        season: "spring", "summer", "autumn" or "winter".
        snow: share of upward faces that is white.
        sun: unit vector towards the sun, (3,).
        sunlight: colour of the sun's light; near 0 under clouds. All colours float32, (3, 1).
        skylight: colour of the light from above.
        groundlight: colour of the light from below.
        zenith: colour of the sky overhead; likewise `horizon`.
        haze: colour that distance fades to.
        visibility: distance at which 63 % is haze, metres.
        clouds: how much of the sky they cover, in [0, 1].
        cloud_light: their colour.
        lamps: how many windows and lamps are lit, in [0, 1].
        wetness: how dark and smooth the road is, in [0, 1].
    """

    season: str
    snow: float
    sun: np.ndarray
    sunlight: np.ndarray
    skylight: np.ndarray
    groundlight: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    haze: np.ndarray
    visibility: float
    clouds: float
    cloud_light: np.ndarray
    lamps: float
    wetness: float


@dataclasses.dataclass(frozen=True)
class _Hour:
    """A kind of light; colours as displayed, [0, 255]."""

    chance: float
    elevation: tuple[float, float]
    sunlight: float
    sun_colour: tuple[int, int, int]
    skylight: float
    sky_colour: tuple[int, int, int]
    zenith: tuple[int, int, int]
    horizon: tuple[int, int, int]
    visibility: tuple[float, float]
    clouds: tuple[float, float]
    lamps: float


_HOURS = {
    "noon": _Hour(
        0.33, (42, 62), 1.5, (255, 250, 238), 0.42, (205, 222, 255), (70, 128, 208),
        (188, 214, 240), (500, 1200), (0.15, 0.5), 0.0,
    ),
    "afternoon": _Hour(
        0.28, (22, 38), 1.5, (255, 240, 214), 0.38, (205, 222, 255), (84, 138, 206),
        (206, 220, 234), (350, 900), (0.2, 0.6), 0.0,
    ),
    "evening": _Hour(
        0.14, (9, 16), 1.3, (255, 196, 128), 0.30, (190, 200, 246), (98, 128, 186),
        (250, 206, 150), (220, 500), (0.25, 0.6), 0.25,
    ),
    "overcast": _Hour(
        0.13, (40, 60), 0.10, (255, 255, 255), 0.72, (240, 245, 255), (176, 186, 198),
        (216, 220, 224), (200, 500), (0.9, 1.0), 0.08,
    ),
    "mist": _Hour(
        0.05, (20, 40), 0.15, (255, 250, 240), 0.66, (240, 244, 250), (206, 212, 216),
        (218, 221, 222), (60, 110), (0.6, 0.9), 0.15,
    ),
    "dusk": _Hour(
        0.07, (6, 10), 0.05, (255, 180, 150), 0.24, (176, 188, 250), (42, 56, 112),
        (226, 150, 128), (250, 500), (0.2, 0.6), 0.75,
    ),
}  # fmt: skip

_SEASONS = {"spring": 0.27, "summer": 0.33, "autumn": 0.24, "winter": 0.16}


def sample_weather(rng: np.random.Generator) -> Weather:
    """Samples season, hour and sky."""
    season = str(rng.choice(list(_SEASONS), p=list(_SEASONS.values())))
    name = str(rng.choice(list(_HOURS), p=[hour.chance for hour in _HOURS.values()]))
    hour = _HOURS[name]
    elevation = np.radians(rng.uniform(*hour.elevation) * (0.6 if season == "winter" else 1.0))
    azimuth = rng.uniform(-np.pi, np.pi)
    sun = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )
    snow = rng.uniform(0.6, 0.95) if season == "winter" and rng.random() < 0.6 else 0.0
    skylight = hour.skylight * column(hour.sky_colour) * rng.uniform(0.9, 1.1)
    sunlight = hour.sunlight * column(hour.sun_colour) * rng.uniform(0.85, 1.1)
    bounce = (0.45 if snow else 0.22) * (skylight + 0.6 * sunlight)
    horizon = column(hour.horizon)
    grey = rng.uniform(0.0, 0.3)
    return Weather(
        season=season,
        snow=snow,
        sun=sun.astype(np.float32),
        sunlight=_single(sunlight),
        skylight=_single(skylight),
        groundlight=_single(bounce * column((215, 205, 190))),
        zenith=_single((1 - grey) * column(hour.zenith) + grey * horizon),
        horizon=_single(horizon),
        haze=_single(horizon * 0.92),
        visibility=rng.uniform(*hour.visibility),
        clouds=rng.uniform(*hour.clouds),
        cloud_light=_single(np.minimum(horizon * 1.15 + 0.12 * sunlight, 1.0)),
        lamps=hour.lamps,
        wetness=rng.uniform(0.4, 1.0) if name == "overcast" and rng.random() < 0.5 else 0.0,
    )


def _single(colour: np.ndarray) -> np.ndarray:
    # In double precision it would make every picture computed from it twice as slow.
    return np.asarray(colour, dtype=np.float32)
