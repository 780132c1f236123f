"""What every car has on its near side and at its ends: windows, doors, lamps, grille, plate."""

from __future__ import annotations

import numpy as np

from datasets.rendered.bodies import Body
from datasets.rendered.canvas import Canvas, Colour, blended, scaled
from datasets.rendered.look import Look
from datasets.rendered.shapes import rounded

GAP = (30, 30, 34)


def draw_side(canvas: Canvas, body: Body, look: Look, brightness: float) -> None:
    """Paints the near side of the body; `brightness` is that of its faces."""
    paint = scaled(look.paint, brightness)
    curve = body.curve
    canvas.shaded_face(body.near(curve), scaled(paint, 1.12), scaled(paint, 0.62))
    if body.box:
        _draw_cargo_box(canvas, body, scaled(look.second_paint, brightness))
    _draw_side_glass(canvas, body, look, paint)
    _draw_shoulder(canvas, body, paint)
    _draw_doors(canvas, body, look, paint)
    _draw_sill(canvas, body, look)
    _draw_side_lamps(canvas, body, look)


def _draw_cargo_box(canvas: Canvas, body: Body, colour: Colour) -> None:
    rear, front = body.box
    low = body.sill + 0.28
    sheet = ((rear, low), (rear, body.height), (front, body.height), (front, low))
    canvas.shaded_face(body.near(sheet), scaled(colour, 1.08), scaled(colour, 0.85))
    for x in np.linspace(rear, front, 5)[1:-1]:
        canvas.line(body.near(((x, low), (x, body.height))), scaled(colour, 0.8), 0.03)
    edge = body.near((*sheet, sheet[0]))
    canvas.line(edge, _edge_colour(colour), 0.06)


def _edge_colour(colour: Colour) -> Colour:
    """The colour of a frame around a sheet of this colour: darker, or lighter on black."""
    return scaled(colour, 0.65) if sum(colour) > 150 else blended(colour, (255, 255, 255), 0.25)


def _draw_side_glass(canvas: Canvas, body: Body, look: Look, paint: Colour) -> None:
    for outline in body.side_glass:
        glass = rounded(outline, 0.12, reach=0.12)
        low, high = glass[:, 1].min(), glass[:, 1].max()
        canvas.shaded_face(body.near(glass), blended(look.glass, (190, 212, 228), 0.45), look.glass)
        _draw_reflection(canvas, body, look, glass)
        if look.driver:
            _draw_driver(canvas, body, glass)
        for foot, top, width in body.pillars:
            post = ((foot, low), (top, high), (top + width, high), (foot + width, low))
            canvas.face(body.near(post), scaled(paint, 0.8) if width > 0.09 else GAP)
        canvas.line(body.near(np.concatenate([glass, glass[:1]])), scaled(look.trim, 0.8), 0.035)


def _draw_reflection(canvas: Canvas, body: Body, look: Look, glass: np.ndarray) -> None:
    low, high = glass[:, 1].min(), glass[:, 1].max()
    middle = 0.5 * (glass[:, 0].min() + glass[:, 0].max())
    rise = high - low
    streak = [
        (middle + share * rise, low + 0.12 * rise + 0.76 * rise * up)
        for share, up in ((-0.55, 0), (-0.15, 1), (0.15, 1), (-0.25, 0))
    ]
    canvas.face(body.near(streak), blended(look.glass, (220, 232, 240), 0.40))


def _draw_driver(canvas: Canvas, body: Body, glass: np.ndarray) -> None:
    low, high = glass[:, 1].min(), glass[:, 1].max()
    seat = max(foot for foot, _, _ in body.pillars) if body.pillars else glass[:, 0].mean()
    x, radius = min(seat + 0.42, glass[:, 0].max() - 0.6), min(0.13, 0.3 * (high - low))
    angles = np.linspace(0, 2 * np.pi, 13)
    head = np.stack(
        [x + radius * np.cos(angles), low + 0.5 * (high - low) + radius * np.sin(angles)], axis=1
    )
    canvas.face(body.near(head), (112, 86, 74))
    shoulders = ((x - 0.22, low), (x - 0.12, low + 0.12), (x + 0.12, low + 0.12), (x + 0.2, low))
    canvas.face(body.near(shoulders), (52, 52, 66))


def _draw_shoulder(canvas: Canvas, body: Body, paint: Colour) -> None:
    """The bright line that the sky leaves on the shoulder, and the crease below it."""
    y = min(body.belt, 1.25) - 0.10
    front, rear = body.end_x(y - 0.1, front=True), body.end_x(y, front=False)
    start = body.box[1] if body.box else rear
    bright = blended(paint, (255, 255, 255), 0.35)
    canvas.line(body.near(((start + 0.12, y), (front - 0.35, y - 0.06))), bright, 0.035)
    y = body.sill + 0.32
    lower = body.wheels[0] + 1.3 * body.wheel_radius, body.wheels[1] - 1.3 * body.wheel_radius
    canvas.line(body.near(((lower[0], y), (lower[1], y))), scaled(paint, 0.75), 0.03)


def _draw_doors(canvas: Canvas, body: Body, look: Look, paint: Colour) -> None:
    top = min(body.belt, 1.4)
    for x in body.doors:
        canvas.line(body.near(((x, top), (x, body.sill + 0.12))), scaled(paint, 0.42), 0.022)
    for x in body.doors[:-1]:
        handle = ((x + 0.08, top - 0.17), (x + 0.28, top - 0.17))
        canvas.line(body.near(handle), look.trim, 0.045)
    if body.doors:
        x = body.doors[-1] - 0.12
        mirror = ((x, top + 0.02), (x + 0.02, top + 0.17), (x + 0.2, top + 0.14), (x + 0.2, top))
        canvas.face(body.near(mirror) - (0.0, 0.0, 0.16), scaled(paint, 0.7))


def _draw_sill(canvas: Canvas, body: Body, look: Look) -> None:
    low = body.sill
    rear, front = body.end_x(low + 0.2, front=False), body.end_x(low + 0.2, front=True)
    for start, stop, high in (
        (rear, body.wheels[0], 0.24),
        (body.wheels[0], body.wheels[1], 0.10),
        (body.wheels[1], front, 0.24),
    ):
        band = ((start, low + high), (stop, low + high), (stop, low), (start, low))
        inner = np.clip(np.array(band), (rear + 0.04, 0), (front - 0.04, 9))
        canvas.face(body.near(inner), scaled(look.trim, 0.5))


def _draw_side_lamps(canvas: Canvas, body: Body, look: Look) -> None:
    y = lamp_height(body)
    rear, front = body.end_x(y, front=False), body.end_x(y, front=True)
    lamp = ((front - 0.30, y + 0.05), (front - 0.05, y + 0.07), (front - 0.01, y - 0.08))
    canvas.face(body.near(lamp), headlight_colour(look))
    lamp = ((rear + 0.02, y + 0.20), (rear + 0.16, y + 0.20), (rear + 0.12, y), (rear + 0.02, y))
    canvas.face(body.near(lamp), (188, 24, 24))


def lamp_height(body: Body) -> float:
    """Height of the lamps: a little over the wheels."""
    return min(2.0 * body.wheel_radius, 0.92)


def headlight_colour(look: Look) -> Colour:
    """Glaring when they are on."""
    return (255, 250, 215) if look.lamps_on else (214, 220, 224)


def draw_ends(canvas: Canvas, body: Body, look: Look) -> None:
    """Paints grille, plate and lamps on the end that the camera sees, if it sees one."""
    front = canvas.camera.yaw > 0
    y = lamp_height(body)
    x = body.end_x(y, front=front) - body.length / 2
    normal = np.array([[1.0 if front else -1.0, 0.0, 0.0]])
    if not canvas.camera.sees(normal, np.array([[x, y, 0.0]]))[0]:
        return
    half = body.width / 2
    lamp = headlight_colour(look) if front else (196, 22, 22)
    heights = (y - 0.08, y + 0.09) if front else (y + 0.02, y + 0.2)
    for z in (half - 0.30, 0.30 - half):
        _draw_patch(canvas, body, front, heights, (z - 0.22, z + 0.22), lamp)
    if front:
        _draw_patch(canvas, body, front, (y - 0.10, y + 0.06), (-0.5, 0.5), (26, 26, 28))
        _draw_patch(canvas, body, front, (y - 0.035, y - 0.005), (-0.48, 0.48), look.trim)
    low = body.sill
    _draw_patch(
        canvas, body, front, (low, low + 0.22), (-0.96 * half, 0.96 * half), scaled(look.trim, 0.5)
    )
    plate = (y - 0.28, y - 0.16)
    _draw_patch(canvas, body, front, plate, (-0.26, 0.26), (232, 232, 222))
    _draw_patch(canvas, body, front, (plate[0] + 0.04, plate[1] - 0.04), (-0.2, 0.2), (60, 60, 60))


def _draw_patch(
    canvas: Canvas,
    body: Body,
    front: bool,
    y: tuple[float, float],
    z: tuple[float, float],
    colour: Colour,
) -> None:
    """Fills the part of the front or rear end between two heights and two depths."""
    out = 0.01 if front else -0.01
    low, high = (body.end_x(height, front) - body.length / 2 + out for height in y)
    quad = [(low, y[0], z[0]), (high, y[1], z[0]), (high, y[1], z[1]), (low, y[0], z[1])]
    canvas.face(np.array(quad), colour)
