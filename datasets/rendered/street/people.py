"""People on foot and on bicycles, as flat parts that face the camera."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.classes import BICYCLIST, PEDESTRIAN
from datasets.rendered.street.cutouts import cutout
from datasets.rendered.street.mesh import (
    CYLINDER,
    FLAT,
    SPHERE,
    WHOLE,
    Patch,
    across_view,
    faces,
)

_SKINS = ((246, 214, 190), (226, 180, 148), (198, 142, 106), (150, 100, 70), (96, 64, 48))
_HAIRS = ((40, 30, 26), (76, 52, 34), (130, 92, 54), (196, 164, 104), (150, 150, 152))
FINE_UP_TO = 30.0
"""Farther away people have no eyes, mouths and hands, metres."""

_TROUSERS = ((44, 54, 84), (34, 34, 40), (92, 84, 74), (130, 120, 100), (70, 80, 100))

_Quad = tuple[tuple[float, float], ...]


@dataclasses.dataclass
class _Figure:
    """Flat parts in metres: x to the right as seen, y up, in front of one another in order."""

    quads: list[_Quad] = dataclasses.field(default_factory=list)
    colours: list[tuple[float, float, float]] = dataclasses.field(default_factory=list)
    cutouts: list[int] = dataclasses.field(default_factory=list)
    roundings: list[int] = dataclasses.field(default_factory=list)

    def part(
        self,
        quad: _Quad,
        colour: tuple[float, float, float],
        shape: int = WHOLE,
        rounding: int = CYLINDER,
    ) -> None:
        self.quads.append(quad)
        self.colours.append(colour)
        self.cutouts.append(shape)
        self.roundings.append(rounding)

    def limb(
        self,
        start: tuple[float, float],
        stop: tuple[float, float],
        widths: tuple[float, float],
        colour: tuple[float, float, float],
    ) -> None:
        """A tapered piece between two joints, the upper one first."""
        # Plain numbers: NumPy is slower than they are on arrays of two.
        across, down = stop[0] - start[0], stop[1] - start[1]
        scale = 0.5 / max(math.hypot(across, down), 1e-6)
        x, y = -down * scale, across * scale
        self.part(
            (
                (stop[0] - x * widths[1], stop[1] - y * widths[1]),
                (stop[0] + x * widths[1], stop[1] + y * widths[1]),
                (start[0] + x * widths[0], start[1] + y * widths[0]),
                (start[0] - x * widths[0], start[1] - y * widths[0]),
            ),
            colour,
        )

    def upright(
        self,
        middle: tuple[float, float],
        width: float,
        height: float,
        colour: tuple[float, float, float],
        shape: int = WHOLE,
        rounding: int = CYLINDER,
    ) -> None:
        """An upright rectangle, or what is cut out of it."""
        x, y = middle
        left, right, low, high = x - width / 2, x + width / 2, y - height / 2, y + height / 2
        self.part(((left, low), (right, low), (right, high), (left, high)), colour, shape, rounding)

    def patch(self, class_id: int, position: np.ndarray, eye: np.ndarray) -> Patch:
        """The parts stood up at `position`, (3,), each a centimetre before the last."""
        flat = np.array(self.quads, dtype=np.float32)
        right = across_view(position[None], eye)[0]
        towards = np.array([-right[2], 0.0, right[0]], dtype=np.float32)
        towards *= -1.0 if towards @ (position - eye) > 0 else 1.0
        order = np.arange(len(flat), dtype=np.float32)[:, None, None] - len(flat) / 2
        corners = position + flat[..., :1] * right + 0.01 * order * towards
        corners[..., 1] += flat[..., 1]
        return faces(
            corners,
            np.array(self.colours),
            class_id,
            cutout=np.array(self.cutouts),
            rounding=np.array(self.roundings),
        )


def _cloth(rng: np.random.Generator) -> tuple[float, float, float]:
    if rng.random() < 0.45:
        grey = rng.uniform(30, 220)
        return (grey, grey * rng.uniform(0.92, 1.0), grey * rng.uniform(0.9, 1.05))
    bright = rng.uniform(90, 230, 3)
    bright[int(rng.integers(3))] *= 0.35
    return (float(bright[0]), float(bright[1]), float(bright[2]))


def _pick(rng: np.random.Generator, choices: tuple) -> tuple[float, float, float]:
    return choices[int(rng.integers(len(choices)))]


def _darker(colour: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def add_person(
    assembly: Assembly,
    position: tuple[float, float, float],
    heading: float,
    rng: np.random.Generator,
    cold: bool = False,
) -> None:
    """Puts a walking or standing person on the ground.

    Args:
        assembly: the scene.
        position: of the feet, (x, y, z).
        heading: direction they walk in, radians from z towards x.
        rng: decides size, pose and clothes.
        cold: whether they wear coats.
    """
    feet = np.asarray(position, dtype=np.float32)
    sideways, facing = turned_to_view(feet, heading, assembly.eye)
    child = rng.random() < 0.12
    tall = rng.uniform(1.05, 1.4) if child else rng.uniform(1.55, 1.93)
    fine = float(np.hypot(*(feet - assembly.eye)[[0, 2]])) < FINE_UP_TO
    figure = _Figure()
    skin, hair, cloth = _pick(rng, _SKINS), _pick(rng, _HAIRS), _cloth(rng)
    trousers = _pick(rng, _TROUSERS)
    stride = rng.uniform(0.05, 0.42) * tall * 0.5
    reach = sideways * stride
    _legs(figure, tall, reach, abs(sideways), trousers, rng)
    coat = rng.random() < (0.75 if cold else 0.2)
    wide = tall * (0.17 + 0.09 * (1 - abs(sideways)))
    sleeve = _darker(cloth, 0.82)
    swing = -0.7 * reach
    for side in (-1, 1):
        shoulder = (side * wide * 0.52 * (1 - abs(sideways) * 0.8), 0.80 * tall)
        hand = (shoulder[0] + side * (swing + 0.01), 0.47 * tall)
        figure.limb(shoulder, hand, (0.055 * tall, 0.04 * tall), sleeve)
        if fine:
            figure.upright(hand, 0.045 * tall, 0.05 * tall, skin, cutout("disc"), SPHERE)
        if side == -1:
            shape = "coat" if coat else "torso"
            low = 0.33 if coat else 0.45
            figure.upright(
                (0.0, (low + 0.835) / 2 * tall), wide, (0.835 - low) * tall, cloth, cutout(shape)
            )
    if rng.random() < 0.3:
        bag = _cloth(rng)
        figure.upright(((0.6 if facing > 0 else -0.5) * wide, 0.62 * tall), 0.13 * tall,
                       0.2 * tall, bag)  # fmt: skip
    head = _head(figure, tall, (sideways, facing), (skin, hair), fine, rng)
    body = figure.patch(PEDESTRIAN, feet, assembly.eye)
    face = feet + np.array([0.0, head, 0.0], np.float32) if facing > -0.3 else None
    assembly.add_instance([body], PEDESTRIAN, face=face)
    _cast_shadow(assembly, feet, tall)


def turned_to_view(position: np.ndarray, heading: float, eye: np.ndarray) -> tuple[float, float]:
    """How far a heading points to the right as the eye sees it, and how far towards the eye."""
    right = across_view(position[None], eye)[0]
    forward = np.array([np.sin(heading), 0.0, np.cos(heading)])
    towards = np.array([right[2], 0.0, -right[0]])
    return float(forward @ right), float(forward @ towards)


def _legs(
    figure: _Figure,
    tall: float,
    reach: float,
    sideways: float,
    colour: tuple[float, float, float],
    rng: np.random.Generator,
) -> None:
    hip, gap = 0.49 * tall, 0.045 * tall * (1 - sideways)
    for side, shade in ((-1, 0.72), (1, 1.0)):
        foot = (side * (gap + reach), 0.035 * tall)
        bend = rng.uniform(0.0, 0.05) * tall * math.copysign(1.0, reach)
        knee = (side * (gap + 0.42 * reach) + bend, 0.27 * tall)
        cloth = _darker(colour, shade)
        figure.limb((side * gap, hip), knee, (0.105 * tall, 0.08 * tall), cloth)
        figure.limb(knee, foot, (0.08 * tall, 0.05 * tall), cloth)
        shoe = (foot[0] + 0.03 * tall * math.copysign(1.0, reach) * sideways, 0.022 * tall)
        figure.upright(shoe, (0.06 + 0.06 * sideways) * tall, 0.044 * tall, (30, 26, 24))


def _head(
    figure: _Figure,
    tall: float,
    turned: tuple[float, float],
    colours: tuple[tuple[float, float, float], tuple[float, float, float]],
    fine: bool,
    rng: np.random.Generator,
) -> float:
    """Neck, hair and face; returns the height of the face's middle."""
    (sideways, facing), (skin, hair) = turned, colours
    y, size = 0.925 * tall, max(0.135 * tall, 0.2)
    disc = cutout("disc")
    figure.upright((0.0, 0.85 * tall), 0.06 * tall, 0.07 * tall, _darker(skin, 0.8))
    figure.upright((0.0, y + 0.008 * tall), size * 0.86, size * 1.12, hair, disc, SPHERE)
    if rng.random() < 0.3:
        figure.upright((0.0, y - 0.02 * tall), size * 0.9, size * 1.2, hair, disc, SPHERE)
    if facing > -0.45:
        x = 0.17 * size * sideways
        wide = size * (0.70 - 0.12 * abs(sideways))
        figure.upright((x, y - 0.09 * size), wide, size * 0.88, skin, disc, SPHERE)
        for side in (-1, 1) if fine else ():
            eye = (x + (side * 0.15 + 0.16 * sideways) * size, y - 0.02 * size)
            figure.upright(eye, 0.10 * size, 0.07 * size, (40, 30, 28), rounding=FLAT)
        if not fine:
            return y
        mouth = (x + 0.16 * sideways * size, y - 0.30 * size)
        figure.upright(mouth, 0.2 * size, 0.05 * size, _darker(skin, 0.6), rounding=FLAT)
    if rng.random() < 0.2:
        figure.upright((0.0, y + 0.36 * size), size * 0.92, size * 0.4, _cloth(rng))
    return y


def add_cyclist(
    assembly: Assembly,
    position: tuple[float, float],
    heading: float,
    rng: np.random.Generator,
) -> None:
    """Puts a person on a bicycle on the road; bicycle and rider are one thing."""
    feet = np.array([position[0], 0.0, position[1]], dtype=np.float32)
    sideways, facing = turned_to_view(feet, heading, assembly.eye)
    figure = _Figure()
    skin, hair, cloth, trousers = (
        _pick(rng, _SKINS), _pick(rng, _HAIRS), _cloth(rng), _pick(rng, _TROUSERS)
    )  # fmt: skip
    frame = _cloth(rng)
    hip, hands, shoulder = (-0.22 * sideways, 0.98), (0.42 * sideways, 1.02), (0.1 * sideways, 1.42)
    _rider_leg(figure, hip, sideways, -1, _darker(trousers, 0.7))
    _frame(figure, sideways, frame)
    wide = 0.24 + 0.18 * (1 - abs(sideways))
    for side in (-1, 1):
        spread = side * wide * 0.45 * (1 - abs(sideways) * 0.9)
        start, stop = (shoulder[0] + spread, shoulder[1] - 0.04), (hands[0] + 1.15 * spread, 1.02)
        figure.limb(start, stop, (0.10, 0.07), _darker(cloth, 0.85))
    back = (
        (hip[0] - wide / 2.3, hip[1] - 0.08),
        (hip[0] + wide / 2.3, hip[1] - 0.08),
        (shoulder[0] + wide / 2, shoulder[1] + 0.06),
        (shoulder[0] - wide / 2, shoulder[1] + 0.06),
    )
    figure.part(back, cloth, cutout("torso"))
    _rider_leg(figure, hip, sideways, 1, trousers)
    head = _rider_head(figure, (shoulder[0] + 0.08 * sideways, 1.60), sideways, facing, skin, hair,
                       rng)  # fmt: skip
    body = figure.patch(BICYCLIST, feet, assembly.eye)
    face = feet + np.array([0.0, head, 0.0], np.float32) if facing > -0.3 else None
    assembly.add_instance([body, *_wheels(feet, heading, assembly.eye)], BICYCLIST, face=face)
    _cast_shadow(assembly, feet, 1.7)


def _rider_leg(
    figure: _Figure,
    hip: tuple[float, float],
    sideways: float,
    side: int,
    colour: tuple[float, float, float],
) -> None:
    spread = side * 0.11 * (1 - abs(sideways))
    pedal = (spread - 0.08 * sideways, 0.14) if side > 0 else (spread + 0.1 * sideways, 0.42)
    knee = (spread + 0.28 * sideways, 0.66 if side > 0 else 0.82)
    start = (hip[0] + spread, hip[1])
    figure.limb(start, knee, (0.16, 0.13), colour)
    figure.limb(knee, pedal, (0.12, 0.08), colour)
    figure.upright((pedal[0] + 0.05 * sideways, pedal[1]), 0.1 + 0.12 * abs(sideways), 0.07,
                   (28, 26, 26))  # fmt: skip


def _frame(figure: _Figure, sideways: float, colour: tuple[float, float, float]) -> None:
    rear, crank, saddle, steer, front = (
        (-0.50, 0.34), (-0.06, 0.30), (-0.22, 0.90), (0.36, 0.86), (0.52, 0.34)
    )  # fmt: skip
    for start, stop in (
        (saddle, crank), (steer, crank), (saddle, rear), (steer, front), (saddle, steer),
        (crank, rear), ((0.36, 1.02), steer),
    ):  # fmt: skip
        first, last = sorted((start, stop), key=lambda point: -point[1])
        figure.limb(
            (first[0] * sideways, first[1]), (last[0] * sideways, last[1] - 0.01), (0.05, 0.05),
            colour,
        )  # fmt: skip
    figure.upright((0.42 * sideways, 1.02), 0.1 + 0.5 * (1 - abs(sideways)), 0.05, (30, 30, 32))


def _rider_head(
    figure: _Figure,
    middle: tuple[float, float],
    sideways: float,
    facing: float,
    skin: tuple[float, float, float],
    hair: tuple[float, float, float],
    rng: np.random.Generator,
) -> float:
    x, y = middle
    disc = cutout("disc")
    figure.upright((x, y), 0.21, 0.27, hair, disc, SPHERE)
    if facing > -0.45:
        figure.upright((x + 0.04 * sideways, y - 0.03), 0.16, 0.21, skin, disc, SPHERE)
    if rng.random() < 0.6:
        figure.upright((x - 0.01 * sideways, y + 0.08), 0.25, 0.15, _cloth(rng), disc, SPHERE)
    return y


def _wheels(feet: np.ndarray, heading: float, eye: np.ndarray) -> tuple[Patch, Patch]:
    """Two wheels in the plane of the bicycle, seen from both sides, and their treads."""
    forward = np.array([np.sin(heading), 0.0, np.cos(heading)])
    up = np.array([0.0, 0.34, 0.0])
    quads = []
    for along in (-0.50, 0.52):
        middle = feet + along * forward + up
        flat = [middle - 0.34 * forward - up, middle + 0.34 * forward - up,
                middle + 0.34 * forward + up, middle - 0.34 * forward + up]  # fmt: skip
        quads += [flat, [flat[1], flat[0], flat[3], flat[2]]]
    discs = faces(np.array(quads), (255, 255, 255), BICYCLIST, cutout=cutout("bicycle wheel"))
    right = across_view(feet[None], eye)[0].astype(np.float64) * 0.03
    treads = []
    for along in (-0.50, 0.52):
        foot = feet + along * forward
        treads.append([foot - right, foot + right, foot + right + 2 * up, foot - right + 2 * up])
    return discs, faces(np.array(treads), (26, 26, 28), BICYCLIST)


def _cast_shadow(assembly: Assembly, feet: np.ndarray, tall: float) -> None:
    x, y, z = (float(part) for part in feet)
    for share, radius in ((0.12, 0.14), (0.3, 0.16), (0.5, 0.2), (0.7, 0.24), (0.92, 0.13)):
        assembly.shadow_balls.append((x, y + share * tall, z, radius))
    assembly.footprints.append((x, z, 0.22, 0.22, 0.0))
