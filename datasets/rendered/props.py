"""Things that stand around: trees, houses, posts, people, and small things before the car.

All are painted flat on the canvas; x and foot are the pixel where a thing stands.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from datasets.rendered.canvas import Colour, scaled

WALLS = ((176, 120, 96), (206, 194, 168), (158, 160, 164), (196, 178, 140), (132, 142, 152))
"""Colours of walls: brick, plaster, concrete, sandstone, slate."""


def jittered(colour: Colour, rng: np.random.Generator, spread: float = 18.0) -> Colour:
    """A colour near this one: mostly lighter or darker, a little of another hue."""
    changed = np.add(colour, rng.normal(0, spread) + rng.normal(0, 0.3 * spread, 3))
    red, green, blue = (int(part) for part in np.clip(changed, 0, 255))
    return red, green, blue


def paint_tree(
    image: Image.Image, x: float, foot: float, size: float, rng: np.random.Generator
) -> None:
    """A fir or a broad-leaved tree, `size` pixels tall."""
    pencil = ImageDraw.Draw(image)
    trunk = jittered((92, 70, 50), rng, 10)
    leaf = jittered((62, 104, 52), rng, 16)
    pencil.rectangle((x - 0.04 * size, foot - 0.5 * size, x + 0.04 * size, foot), fill=trunk)
    if rng.random() < 0.4:
        for level in (0.25, 0.5, 0.75):
            wide, base = 0.34 * (1.15 - level) * size, foot - level * size
            pencil.polygon(
                (x - wide, base, x + wide, base, x, base - 0.38 * size), fill=scaled(leaf, 0.8)
            )
        return
    for shade in (0.8, 1.0, 1.15):
        for _ in range(3):
            u, v = x + rng.normal(0, 0.13) * size, foot - rng.uniform(0.5, 0.9) * size
            r = rng.uniform(0.12, 0.22) * size * (1.6 - 0.6 * shade)
            pencil.ellipse((u - r, v - r, u + r, v + r), fill=scaled(leaf, shade))


def paint_building(
    image: Image.Image, left: float, right: float, top: float, foot: float, rng: np.random.Generator
) -> None:
    """A house seen from the front, with rows of windows and a cornice."""
    pencil = ImageDraw.Draw(image)
    wall = jittered(WALLS[int(rng.integers(len(WALLS)))], rng)
    pencil.rectangle((left, top, right, foot), fill=wall)
    pane = jittered((70, 84, 100), rng, 14)
    step = rng.uniform(0.08, 0.13) * image.height
    share = rng.uniform(0.4, 0.65)
    for x in np.arange(left + 0.3 * step, right - share * step, step):
        for y in np.arange(top + 0.4 * step, foot - 1.2 * step, 1.3 * step):
            pencil.rectangle((x, y, x + share * step, y + 0.75 * step), fill=pane)
    pencil.rectangle((left, top, right, top + 0.12 * step), fill=scaled(wall, 0.7))


def paint_post(
    image: Image.Image, x: float, foot: float, tall: float, rng: np.random.Generator
) -> None:
    """A lamp post, a round sign or a triangular sign."""
    pencil = ImageDraw.Draw(image)
    wide = max(1.0, 0.012 * image.height)
    pencil.rectangle((x - wide / 2, foot - tall, x + wide / 2, foot), fill=(96, 98, 102))
    head, top = 0.055 * image.height, foot - tall
    kind = int(rng.integers(3))
    if kind == 0:
        pencil.rectangle((x, top, x + 2 * head, top + wide * 1.5), fill=(96, 98, 102))
        pencil.ellipse((x + head, top, x + 2.4 * head, top + head / 2), fill=(250, 240, 200))
    elif kind == 1:
        pencil.ellipse((x - head, top - head, x + head, top + head), fill=(200, 40, 40))
        pencil.ellipse(
            (x - 0.6 * head, top - 0.6 * head, x + 0.6 * head, top + 0.6 * head),
            fill=(240, 240, 240),
        )
    else:
        pencil.polygon((x - head, top + head, x + head, top + head, x, top - head), (236, 200, 50))


def paint_bystander(image: Image.Image, x: float, foot: float, rng: np.random.Generator) -> None:
    """A person, a bin or a stack of crates before the wall behind the car."""
    pencil = ImageDraw.Draw(image)
    size = rng.uniform(0.14, 0.24) * image.height
    kind = int(rng.integers(3))
    coat = jittered(COATS[int(rng.integers(len(COATS)))], rng)
    if kind == 0:
        wide, head = 0.13 * size, 0.09 * size
        pencil.rectangle(
            (x - 0.6 * wide, foot - 0.5 * size, x + 0.6 * wide, foot), fill=(44, 46, 58)
        )
        pencil.rectangle((x - wide, foot - 0.82 * size, x + wide, foot - 0.4 * size), fill=coat)
        pencil.ellipse((x - head, foot - size, x + head, foot - 0.8 * size), fill=(196, 150, 122))
    elif kind == 1:
        wide, tall = 0.2 * size, 0.6 * size
        pencil.rectangle((x - wide, foot - tall, x + wide, foot), fill=coat)
        lid = (x - 1.15 * wide, foot - 1.12 * tall, x + 1.15 * wide, foot - tall)
        pencil.rectangle(lid, fill=scaled(coat, 0.6))
    else:
        wide = 0.3 * size
        for level in range(int(rng.integers(1, 4))):
            crate = (x - wide, foot - (level + 1) * wide, x + wide, foot - level * wide)
            pencil.rectangle(crate, fill=(158, 122, 78), outline=(104, 78, 48))


def paint_occluders(image: Image.Image, rng: np.random.Generator) -> None:
    """Up to two small things before the car, most of them at the lower edge of the picture."""
    for _ in range(int(rng.choice([0, 0, 0, 1, 2]))):
        x, foot = rng.uniform(0, image.width), rng.uniform(0.95, 1.05) * image.height
        size = rng.uniform(0.12, 0.2) * image.height
        paint = OCCLUDERS[int(rng.choice(len(OCCLUDERS), p=(0.3, 0.3, 0.25, 0.15)))]
        paint(image, x, foot, size, rng)


def _paint_cone(
    image: Image.Image, x: float, foot: float, size: float, rng: np.random.Generator
) -> None:
    pencil = ImageDraw.Draw(image)
    orange = jittered((232, 104, 30), rng, 10)
    pencil.polygon((x - 0.35 * size, foot, x + 0.35 * size, foot, x, foot - size), fill=orange)
    top, bottom = foot - 0.58 * size, foot - 0.42 * size
    band = (x - 0.15 * size, top, x + 0.15 * size, top, x + 0.2 * size, bottom, x - 0.2 * size,
            bottom)  # fmt: skip
    pencil.polygon(band, fill=(240, 240, 236))


def _paint_bush(
    image: Image.Image, x: float, foot: float, size: float, rng: np.random.Generator
) -> None:
    pencil = ImageDraw.Draw(image)
    leaf = jittered((58, 96, 48), rng, 14)
    for _ in range(6):
        u, v = x + rng.normal(0, 0.6) * size, foot - rng.uniform(0, 0.6) * size
        radius = rng.uniform(0.25, 0.45) * size
        shade = scaled(leaf, rng.uniform(0.8, 1.2))
        pencil.ellipse((u - radius, v - radius, u + radius, v + radius), fill=shade)


def _paint_bollard(
    image: Image.Image, x: float, foot: float, size: float, rng: np.random.Generator
) -> None:
    pencil = ImageDraw.Draw(image)
    wide, grey = 0.13 * size, jittered((90, 90, 94), rng)
    pencil.rectangle((x - wide, foot - size, x + wide, foot), fill=grey)
    pencil.ellipse(
        (x - wide, foot - 1.1 * size, x + wide, foot - 0.9 * size), fill=scaled(grey, 1.2)
    )
    pencil.rectangle(
        (x - wide, foot - 0.75 * size, x + wide, foot - 0.6 * size), fill=(226, 226, 220)
    )


def _paint_pole(
    image: Image.Image, x: float, foot: float, size: float, rng: np.random.Generator
) -> None:
    wide, grey = 0.05 * size, jittered((80, 80, 84), rng)
    ImageDraw.Draw(image).rectangle((x - wide, 0, x + wide, image.height), fill=grey)


COATS = ((168, 52, 44), (52, 84, 140), (70, 110, 74), (206, 176, 88), (110, 108, 112))
"""Colours of coats and bins."""

OCCLUDERS = (_paint_cone, _paint_bush, _paint_bollard, _paint_pole)
