"""Backgrounds: a place with a horizon, painted flat on the canvas before the car.

`horizon` is the pixel row at the height of the camera.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from datasets.rendered.canvas import Colour, blended, gradient, scaled
from datasets.rendered.props import (
    WALLS,
    jittered,
    paint_building,
    paint_bystander,
    paint_post,
    paint_tree,
)

SceneFunction = Callable[[Image.Image, float, np.random.Generator], None]


def paint_scene(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    """Paints one of the places of `SCENES`, chosen and varied by `rng`."""
    scene = SCENES[int(rng.integers(len(SCENES)))]
    scene(image, float(np.clip(horizon, 0.12 * image.height, 0.72 * image.height)), rng)


def _paint_sky(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    top, bottom = SKIES[int(rng.integers(len(SKIES)))]
    # The sky ends below the horizon, so that gaps between houses show sky down to their feet.
    rows = round(horizon + 0.14 * image.height)
    image.paste(gradient((image.width, rows), jittered(top, rng), jittered(bottom, rng)))
    pencil = ImageDraw.Draw(image)
    white = blended(bottom, (255, 255, 255), 0.55)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(0, image.width), rng.uniform(0, 0.8 * horizon)
        size = rng.uniform(0.02, 0.05) * image.height
        for shift in (-2.0, -1.0, 0.0, 1.0, 2.0):
            u, tall = x + shift * size * 1.3, size * rng.uniform(0.7, 1.3) / (1 + 0.25 * shift**2)
            pencil.ellipse((u - 1.5 * size, y - tall, u + 1.5 * size, y + 0.4 * size), fill=white)


def _paint_ground(
    image: Image.Image, start: float, colour: Colour, rng: np.random.Generator
) -> None:
    rows = image.height - int(start)
    near = scaled(colour, rng.uniform(0.8, 1.15))
    image.paste(gradient((image.width, rows), scaled(colour, 1.05), near), (0, int(start)))
    pencil = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 7))):
        row = start + rng.uniform(0.1, 1.0) ** 1.5 * rows
        # A patch on the ground looks flatter and smaller, the nearer it lies to the horizon.
        wide = rng.uniform(0.15, 0.6) * (row - start) + 0.02 * image.height
        x, stain = rng.uniform(0, image.width), scaled(near, rng.uniform(0.88, 1.1))
        pencil.ellipse((x - wide, row - 0.16 * wide, x + wide, row + 0.16 * wide), fill=stain)


def _paint_road_marks(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    """Dashes or lines that run along the road, wider where they are nearer."""
    pencil = ImageDraw.Draw(image)
    depth = image.height - horizon
    row = horizon + rng.uniform(0.82, 0.97) * depth
    thick, colour = 0.03 * depth, (222, 222, 214)
    if rng.random() < 0.5:
        pencil.line((0, row, image.width, row), fill=colour, width=max(1, round(thick)))
        return
    step = rng.uniform(0.35, 0.6) * image.height
    start = rng.uniform(-step, 0)
    while start < image.width:
        pencil.rectangle((start, row, start + 0.55 * step, row + thick), fill=colour)
        start += step


def paint_street(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    """Houses, a pavement, trees and posts along a road."""
    _paint_sky(image, horizon, rng)
    foot = horizon + 0.05 * image.height
    x = rng.uniform(-0.4, 0) * image.height
    while x < image.width:
        wide = rng.uniform(0.35, 0.9) * image.height
        if rng.random() < 0.8:
            top = horizon - rng.uniform(0.15, 0.75) * image.height
            paint_building(image, x, x + wide, top, foot, rng)
        x += wide
    _paint_ground(image, foot, jittered((152, 146, 138), rng, 10), rng)
    kerb = foot + rng.uniform(0.06, 0.25) * (image.height - foot)
    _paint_ground(image, kerb, jittered((94, 94, 98), rng, 10), rng)
    for _ in range(int(rng.integers(0, 4))):
        x = rng.uniform(0, image.width)
        if rng.random() < 0.5:
            paint_tree(image, x, kerb, rng.uniform(0.3, 0.6) * image.height, rng)
        else:
            paint_post(image, x, kerb, rng.uniform(0.3, 0.6) * image.height, rng)
    if rng.random() < 0.4:
        paint_bystander(image, rng.uniform(0, image.width), kerb, rng)
    _paint_road_marks(image, kerb, rng)


def paint_country(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    """Hills, meadows and trees, and a road or a track."""
    _paint_sky(image, horizon, rng)
    pencil = ImageDraw.Draw(image)
    columns = np.linspace(0, image.width, 25)
    for share in (0.9, 0.35):
        phase, waves = rng.uniform(0, 6.3), rng.uniform(0.6, 1.8)
        rise = rng.uniform(0.03, 0.12) * image.height * (0.4 + share)
        ridge = horizon - rise * (1 + np.sin(phase + waves * columns / image.height))
        hill = blended(jittered((86, 120, 74), rng), (170, 190, 210), 0.5 * share)
        points = np.stack([columns, ridge], axis=1).ravel().tolist()
        pencil.polygon([*points, image.width, image.height, 0, image.height], fill=hill)
    _paint_ground(image, horizon + 0.01 * image.height, jittered((104, 134, 72), rng), rng)
    for _ in range(int(rng.integers(0, 5))):
        foot = horizon + rng.uniform(0.0, 0.08) * image.height
        paint_tree(image, rng.uniform(0, image.width), foot, rng.uniform(0.15, 0.5) * foot, rng)
    road = horizon + rng.uniform(0.12, 0.3) * (image.height - horizon)
    if rng.random() < 0.6:
        _paint_ground(image, road, jittered((104, 102, 104), rng, 10), rng)
        _paint_road_marks(image, road, rng)
    else:
        _paint_ground(image, road, jittered((150, 128, 96), rng, 14), rng)


def paint_garage(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    """A wall with panels or bricks, a door, and a smooth floor."""
    wall = jittered(WALLS[int(rng.integers(len(WALLS)))], rng)
    foot = horizon + rng.uniform(0.03, 0.09) * image.height
    image.paste(gradient((image.width, int(foot) + 1), scaled(wall, 0.75), wall))
    pencil = ImageDraw.Draw(image)
    step, line = rng.uniform(0.05, 0.2) * image.height, scaled(wall, 0.82)
    upright = rng.random() < 0.5
    for position in np.arange(0, image.width if upright else foot, step):
        ends = (position, 0, position, foot) if upright else (0, position, image.width, position)
        pencil.line(ends, fill=line, width=max(1, image.height // 150))
    if rng.random() < 0.6:
        left = rng.uniform(-0.2, 0.8) * image.width
        wide, tall = rng.uniform(0.3, 0.8) * image.height, rng.uniform(0.3, 0.8) * foot
        door = jittered((120, 124, 130), rng, 30)
        pencil.rectangle((left, foot - tall, left + wide, foot), fill=door)
        for y in np.arange(foot - tall, foot, 0.05 * image.height):
            pencil.line((left, y, left + wide, y), fill=scaled(door, 0.8))
    _paint_ground(image, foot, jittered((138, 136, 134), rng, 14), rng)
    if rng.random() < 0.5:
        _paint_bays(image, horizon, foot, rng)
    for _ in range(int(rng.integers(0, 3))):
        low = foot + 0.02 * image.height
        paint_bystander(image, rng.uniform(0, image.width), low, rng)


def _paint_bays(image: Image.Image, horizon: float, foot: float, rng: np.random.Generator) -> None:
    """Parking bays: lines on the floor that meet at the horizon."""
    pencil = ImageDraw.Draw(image)
    vanishing, colour = rng.uniform(0.2, 0.8) * image.width, (214, 206, 168)
    per_row = (image.height - horizon) / max(foot - horizon, 1.0)
    half = 0.012 * image.height
    for x in np.arange(-1.5, 2.5, 0.55) * image.width + rng.uniform(0, 0.5) * image.width:
        top = vanishing + (x - vanishing) / per_row
        pencil.polygon(
            (x - half, image.height, x + half, image.height, top + half / per_row, foot,
             top - half / per_row, foot),
            fill=colour,
        )  # fmt: skip


def paint_coast(image: Image.Image, horizon: float, rng: np.random.Generator) -> None:
    """The sea under a wide sky, a railing, and a promenade."""
    _paint_sky(image, horizon, rng)
    _paint_ground(image, horizon, jittered((62, 112, 140), rng), rng)
    quay = horizon + rng.uniform(0.08, 0.2) * (image.height - horizon)
    _paint_ground(image, quay, jittered((176, 164, 142), rng), rng)
    pencil = ImageDraw.Draw(image)
    if rng.random() < 0.6:
        tall, colour = rng.uniform(0.06, 0.12) * image.height, jittered((210, 210, 210), rng)
        thick = max(1, image.height // 90)
        for x in np.arange(rng.uniform(0, 0.1) * image.height, image.width, 0.13 * image.height):
            pencil.line((x, quay - tall, x, quay), fill=colour, width=thick)
        for share in (0.5, 1.0):
            row = quay - share * tall
            pencil.line((0, row, image.width, row), fill=colour, width=thick)
    else:
        paint_tree(image, rng.uniform(0, image.width), quay, 0.5 * image.height, rng)
    if rng.random() < 0.5:
        paint_bystander(image, rng.uniform(0, image.width), quay, rng)


SKIES = (
    ((86, 146, 214), (196, 222, 240)),
    ((150, 168, 188), (214, 218, 222)),
    ((98, 120, 176), (246, 204, 160)),
    ((184, 196, 206), (226, 228, 226)),
)
"""Colours of the sky, at the top and at the horizon: clear, overcast, evening, hazy."""

SCENES: tuple[SceneFunction, ...] = (paint_street, paint_country, paint_garage, paint_coast)
