"""Paints a car of any body style, from the far side to the near side."""

from __future__ import annotations

import numpy as np

from datasets.rendered.bodies import Body
from datasets.rendered.canvas import Canvas, blended, scaled
from datasets.rendered.details import Detail
from datasets.rendered.look import Look
from datasets.rendered.parts import draw_ends, draw_side
from datasets.rendered.shapes import circle, lifted
from datasets.rendered.wheels import draw_arch, draw_wheel

TOWARDS_US = (0.0, 0.0, -1.0)


def draw_car(canvas: Canvas, body: Body, details: tuple[Detail, ...], look: Look) -> None:
    """Paints the car with its shadow; what is hidden is painted first and painted over."""

    def draw_details(place: str) -> None:
        for detail in details:
            if detail.place == place:
                detail.draw(canvas, body, look)

    front_is_near = canvas.camera.yaw > 0
    draw_shadow(canvas, body)
    for x in body.wheels:
        draw_wheel(canvas, body, look, x, near=False)
    draw_details("rear" if front_is_near else "front")
    draw_shell(canvas, body, look)
    draw_details("top")
    draw_near_side(canvas, body, look)
    draw_details("side")
    for x in body.wheels:
        draw_arch(canvas, body, x)
        draw_wheel(canvas, body, look, x, near=True)
    draw_ends(canvas, body, look)
    draw_details("front" if front_is_near else "rear")


def draw_shadow(canvas: Canvas, body: Body) -> None:
    """Darkens the ground under the car and on the side away from the sun."""
    half, wide = body.length / 2, body.width / 2
    shift = -canvas.light.sun * 0.35 * body.height
    corners = [(-half, -wide), (half, -wide), (half, wide), (-half, wide)]
    ground = np.array([(x, 0.0, z) for x, z in corners])
    canvas.darken([ground * 1.05 + (shift[0], 0.0, shift[2])], 0.35, 0.12)
    canvas.darken([ground * 0.97], 0.55, 0.06)


def draw_shell(canvas: Canvas, body: Body, look: Look) -> None:
    """Paints the faces that run across the car: bonnet, glass, roof and both ends."""
    curve = body.curve
    near, far = body.near(curve), body.far(curve)
    along = np.diff(curve, axis=0)
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-9)
    normals = lifted(np.stack([-along[:, 1] / length, along[:, 0] / length], axis=1), 0.0)
    seen = canvas.camera.sees(normals, near[:-1])
    brightness = canvas.light.on(normals)
    canvas.face(far, scaled(look.paint, canvas.light.ambient * 0.55))
    order = np.argsort(-canvas.camera.depth((near[:-1] + near[1:]) / 2))
    for index in order[seen[order]]:
        quad = np.array([near[index], near[index + 1], far[index + 1], far[index]])
        colour = _shell_colour(body, look, curve[index : index + 2].mean(axis=0))
        canvas.face(quad, scaled(colour, brightness[index]))
    _draw_end_glass(canvas, body, look)
    if body.cabin:
        _draw_open_cabin(canvas, body, look)
    if body.cargo:
        _draw_cargo_bed(canvas, body)


def _shell_colour(body: Body, look: Look, point: np.ndarray) -> tuple[int, int, int]:
    if body.box and point[0] <= body.box[1] and point[1] > body.sill + 0.3:
        return look.second_paint
    if point[1] < body.sill + 0.12:
        return scaled(look.paint, 0.45)
    return look.paint


def _draw_end_glass(canvas: Canvas, body: Body, look: Look) -> None:
    for start, stop in body.end_glass:
        ends = np.array([start, stop])
        across, up = ends[1] - ends[0]
        normal = np.array([[-up, across, 0.0]]) / np.hypot(across, up)
        near, far = body.near(ends), body.far(ends)
        if not canvas.camera.sees(normal, near[:1])[0]:
            continue
        margin = 0.07 * (far - near)
        sky = blended(look.glass, (205, 225, 240), 0.25 + 0.45 * float(normal[0, 1]))
        quad = np.array(
            [near[0] + margin[0], near[1] + margin[1], far[1] - margin[1], far[0] - margin[0]]
        )
        lower, upper = (0, 1) if start[1] < stop[1] else (1, 0)
        colours = {lower: look.glass, upper: sky}
        canvas.shaded_face(quad, colours[upper], colours[lower])
        canvas.line(np.concatenate([quad, quad[:1]]), (25, 25, 28), 0.025)


def _draw_open_cabin(canvas: Canvas, body: Body, look: Look) -> None:
    rear, front = body.cabin
    y, wide = body.belt - 0.02, body.width / 2 - 0.14
    corners = [(rear, y, -wide), (front, y, -wide), (front, y, wide), (rear, y, wide)]
    opening = np.array(corners) - (body.length / 2, 0.0, 0.0)
    canvas.face(opening, (34, 30, 30))
    leather = scaled(look.second_paint, 0.75)
    middle = -body.length / 2
    for x in (rear + 0.30, rear + 0.95):
        for z in (0.36, -0.36):
            canvas.box((middle + x, 0.6, z - 0.24), (middle + x + 0.14, 1.08, z + 0.24), leather)
            canvas.box((middle + x, 1.12, z - 0.12), (middle + x + 0.1, 1.26, z + 0.12), leather)
    if look.driver:
        draw_head(canvas, (middle + rear + 1.22, 1.16, -0.36))
    _draw_windscreen_frame(canvas, body, look)


def _draw_windscreen_frame(canvas: Canvas, body: Body, look: Look) -> None:
    front = body.cabin[1]
    foot, top = front + 0.05, front - 0.50
    frame = np.array(
        [
            (foot, body.belt - 0.03, -0.74),
            (top, body.belt + 0.40, -0.60),
            (top, body.belt + 0.40, 0.60),
            (foot, body.belt - 0.03, 0.74),
        ]
    ) - (body.length / 2, 0.0, 0.0)
    canvas.face(frame, blended(look.glass, (190, 215, 230), 0.65))
    canvas.line(frame, scaled(look.trim, 0.8), 0.07)


def _draw_cargo_bed(canvas: Canvas, body: Body) -> None:
    rear, front, _ = body.cargo
    y, wide = body.belt - 0.02, body.width / 2 - 0.10
    corners = [(rear, y, -wide), (front, y, -wide), (front, y, wide), (rear, y, wide)]
    canvas.face(np.array(corners) - (body.length / 2, 0.0, 0.0), (44, 44, 46))


def draw_head(canvas: Canvas, centre: tuple[float, float, float]) -> None:
    """Paints a person's head, 24 cm tall."""
    skin, hair = (188, 140, 112), (62, 44, 34)
    ring = lifted(circle(centre[:2], 0.12), centre[2])
    canvas.face(ring, skin)
    canvas.face(lifted(circle(centre[:2], 0.125, 20, 200), centre[2]), hair)


def draw_near_side(canvas: Canvas, body: Body, look: Look) -> None:
    """Paints the side towards the camera with its windows, doors and lamps."""
    draw_side(canvas, body, look, float(canvas.light.on(np.array(TOWARDS_US))))
