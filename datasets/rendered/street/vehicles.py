"""Cars with their paint, lamps and shadows, put on the street."""

from __future__ import annotations

import functools

import numpy as np

from datasets.rendered.body_styles import BODY_STYLES
from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.car_shapes import RIM, template
from datasets.rendered.street.classes import CAR
from datasets.rendered.street.cutouts import cutout
from datasets.rendered.street.mesh import FLAT, GLASS, LIT, PAINT, PLAIN, WHOLE, Patch, faces

_CHANCES = {
    "sedan": 4,
    "hatchback": 4,
    "estate": 3,
    "off-roader": 3,
    "panel van": 2,
    "bus": 0.6,
    "box truck": 0.6,
    "limousine": 0.5,
}

_PAINTS = (
    (22, (232, 233, 232)), (16, (60, 62, 66)), (14, (26, 27, 30)), (14, (168, 172, 176)),
    (10, (112, 116, 122)), (9, (34, 66, 128)), (8, (158, 26, 32)), (4, (70, 128, 176)),
    (3, (44, 84, 62)), (3, (196, 180, 148)), (3, (222, 126, 36)), (2, (226, 190, 50)),
    (2, (104, 60, 44)), (2, (88, 160, 150)),
)  # fmt: skip
"""How common a paint is, and its display colour."""


def add_car(
    assembly: Assembly,
    number: int,
    position: tuple[float, float],
    heading: float,
    rng: np.random.Generator,
    lamps_on: bool = False,
    braking: bool = False,
) -> None:
    """Puts a car on the ground.

    Args:
        assembly: the scene.
        number: its class.
        position: (x, z) of its middle.
        heading: direction it faces, radians from z towards x.
        rng: decides paint and small differences of size.
        lamps_on: whether headlights and rear lights shine.
        braking: whether the brake lights do.
    """
    patch = car_patch(number, rng, lamps_on, braking).moved(
        (position[0], 0.0, position[1]), heading
    )
    assembly.add_instance([patch], CAR, car_class=number)
    _cast_shadow(assembly, number, position, heading)


def sample_car_class(rng: np.random.Generator) -> int:
    """Samples a class, the usual ones more often."""
    return _sampled(_class_chances(), rng)


@functools.cache
def _class_chances() -> np.ndarray:
    return np.cumsum([_CHANCES.get(body.name, 1) for body in BODY_STYLES])


@functools.cache
def _paint_chances() -> np.ndarray:
    return np.cumsum([share for share, _ in _PAINTS])


def _sampled(chances: np.ndarray, rng: np.random.Generator) -> int:
    """A number with the chance by which the running sum rises there."""
    return int(np.searchsorted(chances, rng.random() * chances[-1], side="right"))


def car_patch(number: int, rng: np.random.Generator, lamps_on: bool, braking: bool) -> Patch:
    """A painted car of class `number` in its own axes."""
    shape = template(number)
    paint, second = _paint(rng), _paint(rng)
    bright = (255, 250, 225) if lamps_on else (196, 200, 204)
    rear = (255, 40, 30) if braking or lamps_on else (150, 18, 22)
    colours = np.array(
        [paint, (38, 46, 54), (24, 24, 26), bright, rear, (232, 230, 214), (255, 255, 255), second]
    )
    head, tail = LIT if lamps_on else GLASS, LIT if braking or lamps_on else PLAIN
    materials = np.array([PAINT, GLASS, PLAIN, head, tail, PLAIN, PLAIN, PAINT])
    cutouts = np.full(len(colours), WHOLE)
    cutouts[RIM] = cutout("rim")
    stretch = np.array([rng.uniform(0.98, 1.04), rng.uniform(0.98, 1.05), rng.uniform(0.97, 1.03)])
    return faces(
        shape.corners * stretch,
        colours[shape.paints],
        CAR,
        materials[shape.paints],
        cutouts[shape.paints],
        FLAT,
    )


def _paint(rng: np.random.Generator) -> np.ndarray:
    """A paint in the shares in which cars are sold: seven of ten are white, grey or black."""
    colour = np.array(_PAINTS[_sampled(_paint_chances(), rng)][1])
    return np.clip(colour * rng.uniform(0.85, 1.12) + rng.normal(0, 6, 3), 8, 250)


def car_size(number: int) -> tuple[float, float, float]:
    """Width, height and length of a car class without the small differences, metres."""
    body = BODY_STYLES[number]
    return body.width, body.height, body.length


def _cast_shadow(
    assembly: Assembly, number: int, position: tuple[float, float], heading: float
) -> None:
    body = BODY_STYLES[number]
    forward = np.array([np.sin(heading), 0.0, np.cos(heading)])
    right = np.array([np.cos(heading), 0.0, -np.sin(heading)])
    middle = np.array([position[0], 0.0, position[1]])
    outline = _side_view(number)
    along = middle + outline[:, :1] * forward
    along[:, 1] += outline[:, 1]
    left, right_side = along - body.width / 2.1 * right, along + body.width / 2.1 * right
    assembly.shadow_walls.append(np.stack([left, right_side]))
    assembly.shadow_walls.append(
        np.stack([left[:-1], right_side[:-1], right_side[1:], left[1:]], axis=1)
    )
    assembly.footprints.append((position[0], position[1], body.width / 2, body.length / 2, heading))


@functools.cache
def _side_view(number: int) -> np.ndarray:
    """The outline with its foot, x from the middle of the car, (n, 2)."""
    body = BODY_STYLES[number]
    outline = np.array([(0.2, 0.1), *body.outline, (body.length - 0.2, 0.1)])
    return outline - (body.length / 2, 0.0)
