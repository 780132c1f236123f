"""Traffic signs and lights, drawn flat; shapes and colours as the Vienna Convention has them."""

from __future__ import annotations

from collections.abc import Callable

from PIL import ImageDraw, ImageFont

Pencil = ImageDraw.ImageDraw

RED, BLUE, YELLOW, WHITE, BLACK = (
    (196, 24, 32),
    (20, 76, 166),
    (250, 200, 20),
    (246, 246, 246),
    (20, 20, 20),
)


def _written(pencil: Pencil, s: int, text: str, size: float, colour: tuple[int, int, int]) -> None:
    font = ImageFont.load_default(round(size * s))
    pencil.text((s / 2, s / 2), text, fill=colour, font=font, anchor="mm", stroke_width=s // 60,
                stroke_fill=colour)  # fmt: skip


def _limit(text: str) -> Callable[[Pencil, int], None]:
    def draw(pencil: Pencil, s: int) -> None:
        pencil.ellipse((0, 0, s, s), fill=RED)
        pencil.ellipse((0.14 * s, 0.14 * s, 0.86 * s, 0.86 * s), fill=WHITE)
        _written(pencil, s, text, 0.46, BLACK)

    return draw


def _stop(pencil: Pencil, s: int) -> None:
    for inset, colour in ((0.0, WHITE), (0.04, RED)):
        near, far = 0.29 * s, 0.71 * s
        low, high = inset * s, (1 - inset) * s
        pencil.polygon(
            [(near, low), (far, low), (high, near), (high, far), (far, high), (near, high),
             (low, far), (low, near)],
            fill=colour,
        )  # fmt: skip
    _written(pencil, s, "STOP", 0.30, WHITE)


def _warning(pencil: Pencil, s: int) -> None:
    pencil.polygon([(0.5 * s, 0.04 * s), (s, 0.92 * s), (0, 0.92 * s)], fill=RED)
    inner = [(0.5 * s, 0.27 * s), (0.81 * s, 0.81 * s), (0.19 * s, 0.81 * s)]
    pencil.polygon(inner, fill=WHITE)
    pencil.rectangle((0.46 * s, 0.42 * s, 0.54 * s, 0.64 * s), fill=BLACK)
    pencil.ellipse((0.45 * s, 0.68 * s, 0.55 * s, 0.77 * s), fill=BLACK)


def _give_way(pencil: Pencil, s: int) -> None:
    pencil.polygon([(0, 0.08 * s), (s, 0.08 * s), (0.5 * s, 0.96 * s)], fill=RED)
    inner = [(0.19 * s, 0.19 * s), (0.81 * s, 0.19 * s), (0.5 * s, 0.73 * s)]
    pencil.polygon(inner, fill=WHITE)


def _no_entry(pencil: Pencil, s: int) -> None:
    pencil.ellipse((0, 0, s, s), fill=RED)
    pencil.rectangle((0.16 * s, 0.40 * s, 0.84 * s, 0.60 * s), fill=WHITE)


def _no_stopping(pencil: Pencil, s: int) -> None:
    pencil.ellipse((0, 0, s, s), fill=RED)
    pencil.ellipse((0.12 * s, 0.12 * s, 0.88 * s, 0.88 * s), fill=BLUE)
    pencil.line((0.18 * s, 0.18 * s, 0.82 * s, 0.82 * s), fill=RED, width=round(0.11 * s))


def _straight_on(pencil: Pencil, s: int) -> None:
    pencil.ellipse((0, 0, s, s), fill=BLUE)
    pencil.rectangle((0.44 * s, 0.40 * s, 0.56 * s, 0.84 * s), fill=WHITE)
    pencil.polygon([(0.5 * s, 0.12 * s), (0.72 * s, 0.44 * s), (0.28 * s, 0.44 * s)], fill=WHITE)


def _parking(pencil: Pencil, s: int) -> None:
    pencil.rounded_rectangle((0, 0, s, s), radius=0.1 * s, fill=BLUE)
    _written(pencil, s, "P", 0.8, WHITE)


def _crossing(pencil: Pencil, s: int) -> None:
    pencil.rounded_rectangle((0, 0, s, s), radius=0.1 * s, fill=BLUE)
    pencil.polygon([(0.5 * s, 0.1 * s), (0.9 * s, 0.86 * s), (0.1 * s, 0.86 * s)], fill=WHITE)
    pencil.ellipse((0.45 * s, 0.30 * s, 0.55 * s, 0.40 * s), fill=BLACK)
    pencil.line((0.50 * s, 0.40 * s, 0.48 * s, 0.60 * s), fill=BLACK, width=round(0.06 * s))
    pencil.line((0.48 * s, 0.60 * s, 0.38 * s, 0.78 * s), fill=BLACK, width=round(0.05 * s))
    pencil.line((0.48 * s, 0.60 * s, 0.62 * s, 0.78 * s), fill=BLACK, width=round(0.05 * s))


def _priority(pencil: Pencil, s: int) -> None:
    for inset, colour in ((0.0, WHITE), (0.12, YELLOW)):
        low, high = inset * s, (1 - inset) * s
        middle = 0.5 * s
        pencil.polygon([(middle, low), (high, middle), (middle, high), (low, middle)], fill=colour)


def _light(lit: int) -> Callable[[Pencil, int], None]:
    def draw(pencil: Pencil, s: int) -> None:
        pencil.rounded_rectangle((0, 0, s, s), radius=0.12 * s, fill=(16, 18, 18))
        colours = ((255, 60, 40), (255, 190, 40), (60, 255, 130))
        for number, colour in enumerate(colours):
            shown = colour if number == lit else tuple(part // 5 for part in colour)
            top = (0.045 + 0.32 * number) * s
            # The plate is three times as high as wide, so a circle is drawn three times as wide.
            pencil.ellipse((0.13 * s, top, 0.87 * s, top + 0.27 * s), fill=shown)

    return draw


SIGNS = {
    "limit 30": _limit("30"),
    "limit 50": _limit("50"),
    "limit 20": _limit("20"),
    "stop": _stop,
    "warning": _warning,
    "give way": _give_way,
    "no entry": _no_entry,
    "no stopping": _no_stopping,
    "straight on": _straight_on,
    "parking": _parking,
    "crossing": _crossing,
    "priority": _priority,
}
"""Name of a sign -> what draws it on a square of side s."""

LIGHTS = {"red light": _light(0), "amber light": _light(1), "green light": _light(2)}
"""Likewise of traffic lights, squeezed to a square."""

PLATES = {**SIGNS, **LIGHTS}
