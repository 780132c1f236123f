"""The shapes of cars in space, made from the body styles of `datasets.rendered.body_styles`.

In a car's own axes z points forward, x to its right, and the ground below its middle is 0.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np

from datasets.rendered.bodies import Body
from datasets.rendered.body_styles import BODY_STYLES
from datasets.rendered.street.raster import clip_polygon
from datasets.rendered.street.triangles import as_faces

BODY_PAINT, GLASS_PAINT, DARK, LIGHT_GLASS, TAIL_GLASS, PLATE, RIM, SECOND_PAINT = range(8)
"""What a face of a template is painted with."""

_OUT = 0.012
"""How far windows and lamps stand out of the body, so that they cover it, metres."""

_END_OUT = 0.03
"""Likewise of windscreens and rear windows, whose edges do not lie on the outline's straight."""


@dataclasses.dataclass(frozen=True)
class Template:
    """Faces of a body style, without colours.

    Attributes:
        corners: float32, (n, 4, 3).
        paints: which of BODY_PAINT to SECOND_PAINT each face has, int64, (n,).
    """

    corners: np.ndarray
    paints: np.ndarray


@functools.cache
def template(number: int) -> Template:
    """The faces of the body style of this number, in the car's own axes."""
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
    return Template(
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
    outline = _cut_at_belt(body)
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


def _cut_at_belt(body: Body) -> np.ndarray:
    """The outline with a point wherever it crosses the belt, where the sides begin to lean."""
    points = [body.outline[0]]
    for start, stop in itertools.pairwise(body.outline):
        if min(start[1], stop[1]) < body.belt < max(start[1], stop[1]):
            share = (body.belt - start[1]) / (stop[1] - start[1])
            points.append((start[0] + share * (stop[0] - start[0]), body.belt))
        points.append(stop)
    return np.array(points)


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
    outline = np.array(body.outline)
    for x in body.doors:
        # A box truck's belt is above its cab, and a door ends where the cab does.
        roof = float(np.interp(x, np.maximum.accumulate(outline[:, 0]), outline[:, 1]))
        low, high = body.sill + 0.08, min(body.belt, roof) - 0.05
        gap = np.array([(x - 0.012, low), (x - 0.012, high), (x + 0.012, high), (x + 0.012, low)])
        pieces.append(_both_sides(body, gap, _OUT, DARK))
    if body.box is not None:
        return pieces
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
        first = np.array([start]) + (0.04 * edge + _END_OUT * outward)
        last = np.array([stop]) - (0.04 * edge - _END_OUT * outward)
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
