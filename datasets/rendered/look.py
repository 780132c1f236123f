"""What differs from picture to picture and has nothing to do with the class."""

from __future__ import annotations

import colorsys
import dataclasses

import numpy as np

from datasets.rendered.camera import Camera
from datasets.rendered.canvas import Colour, Light

FULL_TURN = 34.0
"""Largest angle between the line of sight and the car's side, degrees."""


@dataclasses.dataclass(frozen=True)
class Look:
    """Pose, paint, light and small differences of shape.

    Attributes:
        camera: where it stands; zoom and shift follow from the car, see `Camera.fitted`.
        reach: distance of the camera in lengths of the car.
        share: of the picture that the car fills.
        offset: of the car in the free space of the picture, (across, down), in [-1, 1].
        stretch: factors of length, height and wheel size.
        light: sun and sky.
        paint: of the body.
        second_paint: of stripes, boxes and other things that are carried.
        glass: colour of the windows where they reflect nothing.
        trim: of bumpers, frames and handles: black, grey or chrome.
        rim: of the wheels.
        spokes: number of spokes; 0 is a plain disc.
        lamps_on: whether the headlights shine.
        driver: whether someone sits inside.
    """

    camera: Camera
    reach: float
    share: float
    offset: tuple[float, float]
    stretch: tuple[float, float, float]
    light: Light
    paint: Colour
    second_paint: Colour
    glass: Colour
    trim: Colour
    rim: Colour
    spokes: int
    lamps_on: bool
    driver: bool


def paint_colour(rng: np.random.Generator) -> Colour:
    """A car's paint: white to black in four of ten cars, else of any hue."""
    hue, saturation, value = rng.random(), rng.uniform(0.45, 0.95), rng.uniform(0.35, 0.95)
    if rng.random() < 0.4:
        saturation, value = rng.uniform(0.0, 0.08), rng.uniform(0.15, 0.97)
    return _rgb(hue, saturation, value)


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def sample_look(rng: np.random.Generator) -> Look:
    """Samples a look; the numbers taken from `rng` do not depend on any class."""
    camera = Camera(
        yaw=float(np.radians(FULL_TURN) * rng.uniform(-1, 1)),
        height=rng.uniform(1.0, 2.9),
        distance=1.0,
        mirrored=bool(rng.random() < 0.5),
        roll=float(np.radians(rng.uniform(-3.5, 3.5))),
    )
    return Look(
        camera=camera,
        reach=rng.uniform(1.5, 3.0),
        share=rng.uniform(0.80, 0.97),
        offset=(rng.uniform(-1, 1), rng.uniform(-0.35, 0.55)),
        stretch=(rng.uniform(0.94, 1.06), rng.uniform(0.95, 1.06), rng.uniform(0.93, 1.07)),
        light=sample_light(rng),
        paint=paint_colour(rng),
        second_paint=paint_colour(rng),
        glass=_rgb(rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.4), rng.uniform(0.12, 0.32)),
        trim=_rgb(0.6, 0.03, float(rng.choice([0.12, 0.25, 0.8]))),
        rim=_rgb(0.6, 0.03, rng.uniform(0.45, 0.9)),
        spokes=int(rng.choice([0, 5, 6, 8])),
        lamps_on=bool(rng.random() < 0.25),
        driver=bool(rng.random() < 0.6),
    )


def sample_light(rng: np.random.Generator) -> Light:
    """A sun above the car on the camera's side, or a cloudy sky without one."""
    azimuth, elevation = rng.uniform(-1.2, 1.2), rng.uniform(0.5, 1.2)
    sun = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            -np.cos(azimuth) * np.cos(elevation),
        ]
    )
    return Light(sun=sun, ambient=rng.uniform(0.6, 0.8), diffuse=rng.uniform(0.15, 0.5))
