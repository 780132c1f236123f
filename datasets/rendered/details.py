"""Details that a car may carry; each is painted on any body that has the place for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from datasets.rendered.bodies import Body
from datasets.rendered.canvas import Canvas, blended, scaled
from datasets.rendered.look import Look
from datasets.rendered.shapes import lifted, rounded
from datasets.rendered.wheels import TYRE, upright_wheel


@dataclasses.dataclass(frozen=True)
class Detail:
    """A thing on a car.

    Attributes:
        name: as in a class name, "with" it.
        place: "top", "side", "front" or "rear"; decides when it is painted.
        draw: paints it.
        fits: whether a body has the place for it.
        overhang: how far it reaches out of the body to the rear, to the front and over the roof,
            metres.
    """

    name: str
    place: str
    draw: Callable[[Canvas, Body, Look], None]
    fits: Callable[[Body], bool]
    overhang: tuple[float, float, float]


def draw_roof_rack(canvas: Canvas, body: Body, look: Look) -> None:
    """Two rails, cross-bars, and suitcases tied to them."""
    rear, front, y = _roof(body)
    wide = body.width / 2 - body.lean - 0.04
    front = min(front, rear + 3.2)
    for x in np.linspace(rear + 0.1, front - 0.1, 3):
        canvas.box((x - 0.04, y, -wide), (x + 0.04, y + 0.12, wide), (70, 70, 74))
    cases = np.linspace(rear + 0.05, front - 0.05, 4)
    colours = (look.second_paint, (120, 84, 52), (70, 88, 76))
    for start, stop, colour, tall in zip(
        cases, cases[1:], colours, (0.30, 0.22, 0.36), strict=False
    ):
        canvas.box(
            (start + 0.02, y + 0.12, -wide * 0.8),
            (stop - 0.02, y + 0.12 + tall, wide * 0.8),
            colour,
        )


def draw_roof_box(canvas: Canvas, body: Body, look: Look) -> None:
    """A long closed box with a pointed nose, on two bars."""
    rear, front, y = _roof(body)
    middle, wide = 0.5 * (rear + front), 0.5 * body.width - body.lean - 0.10
    half = min(1.05, 0.62 * (front - rear))
    for x in (middle - 0.5 * half, middle + 0.5 * half):
        canvas.box((x - 0.04, y, -wide), (x + 0.04, y + 0.10, wide), (60, 60, 64))
    low, high = y + 0.10, y + 0.46
    side = rounded(
        (
            (middle - half, low), (middle - half, high - 0.06), (middle - half + 0.15, high),
            (middle + 0.35 * half, high), (middle + half, low + 0.12), (middle + half, low),
        ),
        0.25,
    )  # fmt: skip
    shade = float(canvas.light.on(np.array((0.0, 0.0, -1.0))))
    top = float(canvas.light.on(np.array((0.0, 1.0, 0.0))))
    for z in np.linspace(wide, -wide, 7):
        canvas.face(lifted(side, z), scaled(look.second_paint, top))
    canvas.face(lifted(side, -wide), scaled(look.second_paint, shade))
    seam = np.array([(middle - half, low + 0.13, -wide), (middle + half, low + 0.10, -wide)])
    canvas.line(seam, scaled(look.second_paint, 0.5), 0.03)


def draw_roof_sign(canvas: Canvas, body: Body, look: Look) -> None:
    """A lit sign with a chequered board, as taxis have."""
    rear, front, y = _roof(body)
    x = rear + 0.55 * (front - rear)
    half, tall = 0.46, 0.32
    canvas.box((x - 0.3, y, -0.16), (x + 0.3, y + 0.05, 0.16), (40, 40, 40))
    canvas.box((x - half, y + 0.05, -0.16), (x + half, y + 0.05 + tall, 0.16), (255, 226, 120))
    for column in range(6):
        for row in range(2):
            left, low = x - half + column * half / 3, y + 0.13 + row * 0.09
            if (column + row) % 2:
                square = [(left, low), (left + half / 3, low), (left + half / 3, low + 0.09),
                          (left, low + 0.09)]  # fmt: skip
                canvas.face(lifted(np.array(square), -0.165), (24, 24, 24))


def draw_light_bar(canvas: Canvas, body: Body, look: Look) -> None:
    """A low bar across the roof with two flashing lamps."""
    rear, front, y = _roof(body)
    x = rear + 0.6 * (front - rear)
    wide = body.width / 2 - body.lean - 0.06
    canvas.box((x - 0.30, y, -wide), (x + 0.30, y + 0.07, wide), (36, 36, 40))
    for low, high, colour in ((0.05, wide, (70, 120, 255)), (-wide, -0.05, (70, 120, 255))):
        canvas.box((x - 0.26, y + 0.07, low), (x + 0.26, y + 0.27, high), colour)
    glow = np.array([(x - 0.18, y + 0.13), (x + 0.18, y + 0.13), (x + 0.18, y + 0.21),
                     (x - 0.18, y + 0.21)])  # fmt: skip
    canvas.face(lifted(glow, -wide - 0.01), (214, 232, 255))


def draw_ladder(canvas: Canvas, body: Body, look: Look) -> None:
    """A ladder that stands on edge along the near side of the roof."""
    rear, front, y = _roof(body)
    z = -(body.width / 2 - body.lean - 0.10)
    front = min(front + 0.25, rear + 3.8)
    low, high = y + 0.12, y + 0.50
    metal = scaled((206, 208, 212), 0.9)
    for x in (rear + 0.3, front - 0.4):
        canvas.box((x - 0.04, y, z), (x + 0.04, y + 0.14, -z), (60, 60, 64))
    for height in (low, high):
        canvas.line(np.array([(rear - 0.1, height, z), (front, height, z)]), metal, 0.07)
    for x in np.arange(rear + 0.05, front, 0.30):
        canvas.line(np.array([(x, low, z), (x, high, z)]), metal, 0.045)


def draw_spoiler(canvas: Canvas, body: Body, look: Look) -> None:
    """A wing on two posts over the tail."""
    x, y = body.deck[0] - body.length / 2, body.deck[1]
    wide = body.width / 2 - 0.10
    dark = scaled(look.second_paint, 0.9)
    for z in (wide * 0.6, -wide * 0.6):
        canvas.box((x + 0.06, y - 0.05, z - 0.04), (x + 0.20, y + 0.32, z + 0.04), (34, 34, 36))
    plate = (x - 0.26, y + 0.22), (x + 0.28, y + 0.44)
    canvas.box((*plate[0], wide - 0.02), (*plate[1], wide + 0.02), dark)
    canvas.box((x - 0.22, y + 0.29, -wide), (x + 0.26, y + 0.36, wide), dark)
    canvas.box((*plate[0], -wide - 0.02), (*plate[1], 0.02 - wide), dark)


def draw_spare_wheel(canvas: Canvas, body: Body, look: Look) -> None:
    """A wheel that hangs outside on the rear end."""
    y = 0.5 * (body.sill + body.height) - 0.02
    # Off the middle, as on many real cars: so it shows at every angle that the camera takes.
    z = -0.40
    radius = min(0.40, 0.92 * body.wheel_radius)
    inside = body.end_x(y, front=False)
    inner, _ = upright_wheel((inside - 0.06, y, z), radius, body)
    tyre, rim = upright_wheel((inside - 0.34, y, z), radius, body)
    for start in range(len(tyre) - 1):
        tread = (inner[start], inner[start + 1], tyre[start + 1], tyre[start])
        canvas.face(np.array(tread), TYRE)
    if canvas.camera.yaw < 0:
        canvas.face(tyre, (44, 44, 46))
        canvas.face(rim, blended(look.rim, (90, 90, 90), 0.3))


def draw_side_stripe(canvas: Canvas, body: Body, look: Look) -> None:
    """A broad two-coloured band along the side."""
    low = body.sill + 0.36
    rear, front = body.end_x(low, front=False) + 0.03, body.end_x(low, front=True) - 0.03
    light = (240, 240, 236) if sum(look.paint) < 400 else (26, 30, 60)
    for start, stop, colour in ((0.0, 0.12, light), (0.12, 0.19, look.second_paint)):
        band = ((rear, low + start), (rear, low + stop), (front, low + stop), (front, low + start))
        canvas.face(body.near(band), colour)


def draw_bull_bar(canvas: Canvas, body: Body, look: Look) -> None:
    """A frame of tubes with two lamps before the front end."""
    front, wide = body.length / 2, body.width / 2 - 0.12
    x = front + 0.20
    low, high = body.sill + 0.02, body.sill + 0.62
    metal = (150, 152, 156)
    for z in (wide, 0.35 * wide, -0.35 * wide, -wide):
        post = np.array([(front - 0.15, low, z), (x, low, z), (x, high, z), (x - 0.12, high, z)])
        canvas.line(post, metal, 0.08)
    for y in (low + 0.25, high):
        canvas.line(np.array([(x, y, wide), (x, y, -wide)]), metal, 0.08)
    for z in (0.45 * wide, -0.45 * wide):
        canvas.box((x - 0.04, high, z - 0.13), (x + 0.08, high + 0.22, z + 0.13), (248, 240, 190))


def _roof(body: Body) -> tuple[float, float, float]:
    """The roof's rear end, front end and height in the camera's frame."""
    rear, front, y = body.roof
    return rear - body.length / 2, front - body.length / 2, y - 0.03


def _has_roof(body: Body) -> bool:
    return body.roof is not None


def _has_deck(body: Body) -> bool:
    return body.deck is not None


def _has_steep_rear(body: Body) -> bool:
    return body.roof is not None and body.cargo is None and body.box is None and body.lean < 0.23


def _is_any(body: Body) -> bool:
    return True


DETAILS = (
    Detail("roof rack", "top", draw_roof_rack, _has_roof, (0.0, 0.0, 0.5)),
    Detail("roof box", "top", draw_roof_box, _has_roof, (0.0, 0.0, 0.45)),
    Detail("roof sign", "top", draw_roof_sign, _has_roof, (0.0, 0.0, 0.38)),
    Detail("light bar", "top", draw_light_bar, _has_roof, (0.0, 0.0, 0.28)),
    Detail("ladder", "top", draw_ladder, _has_roof, (0.0, 0.0, 0.5)),
    Detail("spoiler", "top", draw_spoiler, _has_deck, (0.1, 0.0, 0.0)),
    Detail("spare wheel", "rear", draw_spare_wheel, _has_steep_rear, (0.4, 0.0, 0.0)),
    Detail("side stripe", "side", draw_side_stripe, _is_any, (0.0, 0.0, 0.0)),
    Detail("bull bar", "front", draw_bull_bar, _is_any, (0.0, 0.3, 0.0)),
)
