"""Wheels: tyre, rim, spokes, and the arch they stand in."""

from __future__ import annotations

import numpy as np

from datasets.rendered.bodies import Body
from datasets.rendered.canvas import Canvas, scaled
from datasets.rendered.look import Look
from datasets.rendered.shapes import circle, lifted

TYRE = (30, 30, 32)
TYRE_WIDTH = 0.22


def draw_arch(canvas: Canvas, body: Body, x: float) -> None:
    """Cuts the dark opening of a wheel into the near side."""
    radius = body.wheel_radius * 1.17
    ring = circle((x, body.wheel_radius * 1.04), radius, -30, 210)
    ring[:, 1] = np.maximum(ring[:, 1], body.sill)
    canvas.face(body.near(ring), (16, 16, 18))


def draw_wheel(canvas: Canvas, body: Body, look: Look, x: float, near: bool) -> None:
    """Paints one wheel, its inner edge first; on the far side only its tyre."""
    outside = body.width / 2 - 0.02
    radius = body.wheel_radius
    inner, outer = (TYRE_WIDTH - outside, -outside) if near else (outside, outside - TYRE_WIDTH)
    rolling = circle((x, radius), radius)
    for z in np.linspace(inner, outer, 4):
        canvas.face(body.across(rolling, z), (20, 20, 22))
    canvas.face(body.across(rolling, outer), TYRE)
    if near:
        _draw_rim(canvas, body, look, x, outer)


def _draw_rim(canvas: Canvas, body: Body, look: Look, x: float, z: float) -> None:
    radius = body.wheel_radius
    centre = (x, radius)
    bright = float(canvas.light.on(np.array((0.0, 0.0, -1.0))))
    rim = scaled(look.rim, bright)
    canvas.face(body.across(circle(centre, 0.66 * radius), z), rim)
    if look.spokes == 0:
        canvas.face(body.across(circle(centre, 0.50 * radius), z), scaled(rim, 0.82))
    else:
        for turn in np.arange(look.spokes) * 360.0 / look.spokes:
            half = 0.27 * 360.0 / look.spokes
            gap = np.concatenate(
                [
                    circle(centre, 0.57 * radius, turn - half, turn + half)[::6],
                    circle(centre, 0.22 * radius, turn, turn)[:1],
                ]
            )
            canvas.face(body.across(gap, z), (46, 46, 50))
    canvas.face(body.across(circle(centre, 0.15 * radius), z), scaled(rim, 0.7))


def upright_wheel(
    centre: tuple[float, float, float], radius: float, body: Body
) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of a wheel that hangs across the car: tyre and rim, each (n, 3)."""
    x, y, z = centre
    rings = []
    for size in (radius, 0.62 * radius):
        plane = circle((z, y), size)
        ring = lifted(plane[:, ::-1], 0.0)
        ring[:, 2] = plane[:, 0]
        ring[:, 1] = plane[:, 1]
        ring[:, 0] = x - body.length / 2
        rings.append(ring)
    return rings[0], rings[1]
