"""Cars in space, made from the body styles of `datasets.rendered.body_styles`.

In a car's own axes z points forward, x to its right, and the ground below its middle is 0.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from datasets.rendered.bodies import Body
from datasets.rendered.body_styles import BODY_STYLES
from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.classes import CAR
from datasets.rendered.street.cutouts import cutout
from datasets.rendered.street.mesh import FLAT, GLASS, LIT, PAINT, PLAIN, WHOLE, Patch, faces
from datasets.rendered.street.raster import clip_polygon
from datasets.rendered.street.triangles import as_faces

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

BODY_PAINT, GLASS_PAINT, DARK, LIGHT_GLASS, TAIL_GLASS, PLATE, RIM, SECOND_PAINT = range(8)
"""What a face of a template is painted with."""

_OUT = 0.012
"""How far windows and lamps stand out of the body, so that they cover it, metres."""


@dataclasses.dataclass(frozen=True)
class _Template:
    """Faces of a body style, without colours."""

    corners: np.ndarray
    paints: np.ndarray


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
    """Draws a class, the usual ones more often."""
    return _drawn(_class_chances(), rng)


@functools.cache
def _class_chances() -> np.ndarray:
    return np.cumsum([_CHANCES.get(body.name, 1) for body in BODY_STYLES])


@functools.cache
def _paint_chances() -> np.ndarray:
    return np.cumsum([share for share, _ in _PAINTS])


def _drawn(chances: np.ndarray, rng: np.random.Generator) -> int:
    """A number with the chance by which the running sum rises there."""
    return int(np.searchsorted(chances, rng.random() * chances[-1], side="right"))


def car_patch(number: int, rng: np.random.Generator, lamps_on: bool, braking: bool) -> Patch:
    """A painted car of class `number` in its own axes."""
    template = _template(number)
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
        template.corners * stretch,
        colours[template.paints],
        CAR,
        materials[template.paints],
        cutouts[template.paints],
        FLAT,
    )


def _paint(rng: np.random.Generator) -> np.ndarray:
    """A paint in the shares in which cars are sold: seven of ten are white, grey or black."""
    colour = np.array(_PAINTS[_drawn(_paint_chances(), rng)][1])
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


@functools.cache
def _template(number: int) -> _Template:
    body = BODY_STYLES[number]
    parts = [
        _shell(body),
        *_side_windows(body),
        _end_windows(body),
        _wheels(body),
        _front_and_rear(body),
        _open_places(body),
    ]
    pieces = [piece for part in parts for piece in part]
    return _Template(
        corners=np.concatenate([corners for corners, _ in pieces]).astype(np.float32),
        paints=np.concatenate([np.full(len(corners), paint) for corners, paint in pieces]),
    )


_Pieces = list[tuple[np.ndarray, int]]


def _placed(body: Body, side_view: np.ndarray, right: float | np.ndarray) -> np.ndarray:
    """Points (along, up) of the side view put `right` metres from the middle, (..., 3)."""
    points = np.empty((*side_view.shape[:-1], 3))
    points[..., 0] = right
    points[..., 1] = side_view[..., 1]
    points[..., 2] = side_view[..., 0] - body.length / 2
    return points


def _on_side(body: Body, side_view: np.ndarray, side: int, out: float = 0.0) -> np.ndarray:
    """Side-view points on the (leaning) left or right side, (..., 3)."""
    half = body.width / 2 - body.inset(side_view[..., 1]) + out
    return _placed(body, side_view, side * half)


def _turned(corners: np.ndarray, side: int) -> np.ndarray:
    """Faces of the right side, given in the order of the left one, turned outwards."""
    return corners if side < 0 else corners[:, [1, 0, 3, 2]]


def _both_sides(body: Body, outline: np.ndarray, out: float, paint: int) -> _Pieces:
    """A side-view polygon filled on both sides."""
    # From the left the front of the car, large x of the side view, is on the left.
    flat = as_faces(outline)
    pieces = []
    for side in (-1, 1):
        corners = _on_side(body, flat, side, out)
        first = corners[:, 1] - corners[:, 0]
        last = corners[:, 3] - corners[:, 0]
        outward = np.cross(last, first)[:, 0] * side
        wrong = outward < 0
        corners[wrong] = corners[wrong][:, [0, 3, 2, 1]]
        pieces.append((corners, paint))
    return pieces


def _shell(body: Body) -> _Pieces:
    outline = np.array(body.outline)
    pieces: _Pieces = []
    box = SECOND_PAINT if body.box is not None else BODY_PAINT
    lower = clip_polygon(outline, axis=1, bound=body.belt, above=False)
    upper = clip_polygon(outline, axis=1, bound=body.belt)
    for part in (lower, upper):
        if len(part) >= 3:
            if body.box is None:
                pieces += _both_sides(body, part, 0.0, BODY_PAINT)
            else:
                bed = clip_polygon(part, axis=0, bound=body.box[1], above=False)
                cab = clip_polygon(part, axis=0, bound=body.box[1])
                pieces += _both_sides(body, bed, 0.0, box)
                pieces += _both_sides(body, cab, 0.0, BODY_PAINT)
    start, stop = outline[:-1], outline[1:]
    across = _strips(body, start, stop, 0.0)
    boxed = np.zeros(len(start), bool) if body.box is None else stop[:, 0] <= body.box[1]
    return [*pieces, (across[~boxed], BODY_PAINT), (across[boxed], SECOND_PAINT)]


def _strips(body: Body, start: np.ndarray, stop: np.ndarray, margin: float) -> np.ndarray:
    """Faces from side to side along pieces of the outline, (n, 4, 3)."""
    a, b = _on_side(body, start, -1), _on_side(body, stop, -1)
    c, d = _on_side(body, stop, 1), _on_side(body, start, 1)
    for ends, sign in (((a, b), 1), ((c, d), -1)):
        for end in ends:
            end[..., 0] += sign * margin
    # Seen from above with the front upwards: rear left, rear right, front right, front left.
    return np.stack([a, d, c, b], axis=1)


def _side_windows(body: Body) -> list[_Pieces]:
    pieces = [_both_sides(body, np.array(glass), _OUT, GLASS_PAINT) for glass in body.side_glass]
    low, high = body.belt + 0.03, body.height - 0.09
    for bottom, top, width in body.pillars:
        post = np.array(
            [(bottom - width / 2, low), (top - width / 2, high), (top + width / 2, high),
             (bottom + width / 2, low)]
        )  # fmt: skip
        pieces.append(_both_sides(body, post, 2 * _OUT, BODY_PAINT))
    for x in body.doors:
        gap = np.array([(x - 0.012, body.sill + 0.08), (x - 0.012, body.belt - 0.05),
                        (x + 0.012, body.belt - 0.05), (x + 0.012, body.sill + 0.08)])  # fmt: skip
        pieces.append(_both_sides(body, gap, _OUT, DARK))
    sill = np.array(
        [(body.wheels[0], body.sill), (body.wheels[0], body.sill + 0.10),
         (body.wheels[1], body.sill + 0.10), (body.wheels[1], body.sill)]
    )  # fmt: skip
    pieces.append(_both_sides(body, sill, _OUT, DARK))
    return pieces


def _end_windows(body: Body) -> _Pieces:
    pieces: _Pieces = []
    for start, stop in body.end_glass:
        edge = np.array(stop) - np.array(start)
        outward = np.array([-edge[1], edge[0]]) / np.hypot(*edge)
        first = np.array([start]) + (0.04 * edge + _OUT * outward)
        last = np.array([stop]) - (0.04 * edge - _OUT * outward)
        pieces.append((_strips(body, first, last, 0.09), GLASS_PAINT))
    return pieces


def _wheels(body: Body) -> _Pieces:
    pieces: _Pieces = []
    radius = body.wheel_radius
    for x in body.wheels:
        for side in (-1, 1):
            for size, out, paint in ((radius * 1.14, 0.02, DARK), (radius, 0.035, RIM)):
                ring = _ring(x, radius if paint == RIM else radius * 1.04, size, paint)
                at = side * (body.width / 2 + out)
                corners = _placed(body, ring, at)
                pieces.append((_turned(corners, side), paint))
            pieces.append((_tread(body, x, side), DARK))
    return pieces


def _ring(x: float, y: float, radius: float, paint: int) -> np.ndarray:
    """A square for a wheel, or the upper part of an octagon for the arch behind it, (n, 4, 2)."""
    if paint == RIM:
        square = [(x + radius, y - radius), (x - radius, y - radius), (x - radius, y + radius),
                  (x + radius, y + radius)]  # fmt: skip
        return np.array([square])
    near, foot = radius * np.tan(np.radians(22.5)), y - 0.3 * radius
    return np.array(
        [
            [(x + radius, foot), (x - radius, foot), (x - radius, y + near),
             (x + radius, y + near)],
            [(x + radius, y + near), (x - radius, y + near), (x - near, y + radius),
             (x + near, y + radius)],
        ]
    )  # fmt: skip


def _tread(body: Body, x: float, side: int) -> np.ndarray:
    """Front and rear of a tyre, which show below the bumpers, (2, 4, 3)."""
    radius = body.wheel_radius
    outer = side * body.width / 2
    left, right = sorted((outer, outer - side * 0.2))
    low, high = 0.02, radius
    rear, front = x - 0.3 * radius - body.length / 2, x + 0.3 * radius - body.length / 2
    return np.array(
        [
            [(left, low, rear), (right, low, rear), (right, high, rear), (left, high, rear)],
            [(right, low, front), (left, low, front), (left, high, front), (right, high, front)],
        ]
    )


def _front_and_rear(body: Body) -> _Pieces:
    wide = body.width / 2
    height = float(np.clip(0.66 * body.belt, 0.55, 0.85))
    plate = max(body.sill + 0.16, 0.36)
    return [
        *(
            (_end_face(body, side * (wide - 0.27), height, 0.34, 0.13, True), LIGHT_GLASS)
            for side in (-1, 1)
        ),
        *(
            (_end_face(body, side * (wide - 0.20), height + 0.10, 0.24, 0.20, False), TAIL_GLASS)
            for side in (-1, 1)
        ),
        (_end_face(body, 0.0, height - 0.06, wide * 0.9, 0.14, True), DARK),
        (_end_face(body, 0.0, plate, 0.52, 0.12, True), PLATE),
        (_end_face(body, 0.0, plate + 0.14, 0.52, 0.12, False), PLATE),
        (_end_face(body, 0.0, body.sill + 0.07, 2 * wide - 0.1, 0.12, False), DARK),
        (_end_face(body, 0.0, body.sill + 0.07, 2 * wide - 0.1, 0.10, True), DARK),
    ]


def _end_face(
    body: Body, right: float, y: float, width: float, height: float, front: bool
) -> np.ndarray:
    """A small upright face before the front or behind the rear, (1, 4, 3)."""
    low, high = y - height / 2, y + height / 2
    reach = [body.end_x(level, front) for level in (low, y, high)]
    out = _OUT if front else -_OUT
    z = (max(reach) if front else min(reach)) + out - body.length / 2
    left, right = right - width / 2, right + width / 2
    if front:
        left, right = right, left
    return np.array([[(left, low, z), (right, low, z), (right, high, z), (left, high, z)]])


def _open_places(body: Body) -> _Pieces:
    """The dark inside of an open cabin or of a cargo bed, as a lid, with seats on it."""
    pieces: _Pieces = []
    opening = body.cabin or (body.cargo and body.cargo[:2])
    if opening is None:
        return pieces
    wide, y = body.width / 2 - 0.13, body.belt + 0.02
    rear, front = opening[0] - body.length / 2, opening[1] - body.length / 2
    lid = [(-wide, y, rear), (wide, y, rear), (wide, y, front), (-wide, y, front)]
    pieces.append((np.array([lid]), DARK))
    if body.cabin is not None:
        top, foot = front - 0.4, front + 0.05
        screen = [(-0.7, y, foot), (0.7, y, foot), (0.6, y + 0.4, top), (-0.6, y + 0.4, top)]
        pieces.append((np.array([screen]), GLASS_PAINT))
        pieces.append((np.array([screen])[:, [1, 0, 3, 2]], GLASS_PAINT))
        for x in (-0.36, 0.36):
            seat = rear + 0.75
            back = [(x - 0.24, y - 0.1, seat), (x + 0.24, y - 0.1, seat),
                    (x + 0.20, y + 0.28, seat), (x - 0.20, y + 0.28, seat)]  # fmt: skip
            pieces.append((np.array([back]), SECOND_PAINT))
            pieces.append((np.array([back])[:, [1, 0, 3, 2]], SECOND_PAINT))
    return pieces
