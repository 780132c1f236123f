"""Colours of a drawn face and what covers parts of it."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from datasets.rendered.canvas import Colour, blended
from datasets.rendered.props import jittered

SKINS: tuple[Colour, ...] = (
    (247, 219, 196),
    (236, 196, 166),
    (219, 172, 136),
    (188, 138, 100),
    (146, 98, 66),
    (98, 64, 44),
)
"""From light to dark, in even steps as people have them."""

HAIRS: tuple[Colour, ...] = (
    (28, 22, 20),
    (62, 40, 26),
    (108, 70, 38),
    (170, 124, 66),
    (214, 180, 116),
    (140, 60, 32),
    (150, 150, 152),
    (222, 220, 216),
)
"""Black, two browns, two blonds, red, grey, white."""

IRISES: tuple[Colour, ...] = ((60, 38, 24), (96, 66, 38), (86, 112, 72), (78, 118, 158))

Glasses = Literal["none", "clear", "dark"]
Hair = Literal["bald", "short", "fringe", "long"]
Beard = Literal["none", "stubble", "full"]


@dataclasses.dataclass(frozen=True)
class FaceLook:
    """What differs from face to face beside its shape.

    Attributes:
        skin, hair, iris, lips, shirt, frame: colours; `frame` is that of the glasses.
        hair_style: `fringe` covers the eyebrows, `long` the rim of the face at the temples.
        parting: side of the fringe that hangs lower, in [-1, 1].
        glasses: `dark` ones cover the eyes.
        round_glasses: their shape.
        beard: drawn on the skin; covers nothing that is marked.
        hand: where a hand covers the face, as (x, y) in half widths of the face, or None.
        light: brightness that the picture gains from left to right and from top to bottom.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    shirt: Colour
    frame: Colour
    hair_style: Hair
    parting: float
    glasses: Glasses
    round_glasses: bool
    beard: Beard
    hand: tuple[float, float] | None
    light: tuple[float, float]


def sample_look(rng: np.random.Generator) -> FaceLook:
    """Another person in another light."""
    skin = jittered(SKINS[int(rng.integers(len(SKINS)))], rng, 7.0)
    hair = jittered(HAIRS[int(rng.integers(len(HAIRS)))], rng, 8.0)
    colours = rng.integers(20, 236, (2, 3))
    side = float(rng.choice([-1.0, 1.0]))
    return FaceLook(
        skin=skin,
        hair=hair,
        iris=jittered(IRISES[int(rng.integers(len(IRISES)))], rng, 8.0),
        lips=blended(skin, (176, 52, 62), rng.uniform(0.25, 0.7)),
        shirt=tuple(int(part) for part in colours[0]),
        frame=blended(tuple(colours[1]), (20, 20, 24), 0.7),
        hair_style=rng.choice(["bald", "short", "fringe", "long"], p=[0.1, 0.45, 0.2, 0.25]),
        parting=rng.uniform(-1, 1),
        glasses=rng.choice(["none", "clear", "dark"], p=[0.68, 0.22, 0.1]),
        round_glasses=bool(rng.random() < 0.5),
        beard=rng.choice(["none", "stubble", "full"], p=[0.7, 0.15, 0.15]),
        hand=(
            (side * rng.uniform(0.35, 0.75), rng.uniform(0.55, 1.05))
            if rng.random() < 0.12
            else None
        ),
        light=(rng.uniform(-0.3, 0.3), rng.uniform(-0.25, 0.1)),
    )
