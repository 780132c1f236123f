"""The raised pavements with their kerbs, and what lies between them and the houses."""

from __future__ import annotations

from datasets.rendered.street.assembly import Assembly
from datasets.rendered.street.classes import PAVEMENT
from datasets.rendered.street.layout import KERB, Layout
from datasets.rendered.street.mesh import PAVED, PLAIN, faces

_CORNER = 1.2
"""The pavement goes round the corner into the crossing street by this much, metres."""

_SIDE_LENGTH = 40.0


def add_pavements(assembly: Assembly, layout: Layout) -> None:
    """Adds both pavements, interrupted where another street crosses, and along that one too."""
    for side in (-1, 1):
        near, far = layout.road_edge(side), layout.house_line(side)
        if not layout.paved_front:
            far = near + layout.pavement
        for start, stop in layout.stretches(side):
            _add_slab(assembly, side, (near, far), (start, stop))
        gap = layout.gap(side)
        if gap is not None:
            for start, stop in ((gap[0] - _CORNER, gap[0]), (gap[1], gap[1] + _CORNER)):
                _add_slab(assembly, side, (far, far + _SIDE_LENGTH), (start, stop))


def _add_slab(
    assembly: Assembly, side: int, across: tuple[float, float], along: tuple[float, float]
) -> None:
    left, right = sorted((side * across[0], side * across[1]))
    start, stop = along
    top = [(left, KERB, start), (right, KERB, start), (right, KERB, stop), (left, KERB, stop)]
    edge = side * across[0]
    # From the road the outside of the kerb is seen: on the right side that is from the left.
    first, last = (stop, start) if side > 0 else (start, stop)
    kerb = [(edge, 0, first), (edge, 0, last), (edge, KERB, last), (edge, KERB, first)]
    end = [(left, 0, start), (right, 0, start), (right, KERB, start), (left, KERB, start)]
    assembly.add(faces([top], (176, 172, 166), PAVEMENT, PAVED))
    assembly.add(faces([kerb, end], (196, 193, 186), PAVEMENT, PLAIN))
