"""The plan of a street: how wide its parts are and where another street crosses it."""

from __future__ import annotations

import dataclasses

import numpy as np

START, END = -8.0, 130.0
"""Where the street begins, behind the camera, and where it ends, metres along z."""

KERB = 0.12
"""Height of the pavement over the road, metres."""

LANE = 3.1
"""Width of a lane, metres; 2.75 m to 3.5 m are usual in towns."""

PARKING = 2.1
"""Width of a lane for parked cars, metres."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """Measures in metres; the middle of the road is x = 0.

    Attributes:
        drives_on: side of the road that traffic keeps to: +1 right, -1 left.
        parking: whether cars may stand at the (left, right) kerb.
        pavement: width of both pavements.
        front: distance from the pavement's edge to the houses on the (left, right).
        crossing: (z from, z to) of the street that crosses, or None.
        opens: whether it goes on to the (left, right).
        zebra: z of a zebra crossing's middle, or None.
        centre_line: whether the lanes are marked.
        paved_front: whether the houses stand behind paving instead of grass.
    """

    drives_on: int
    parking: tuple[bool, bool]
    pavement: float
    front: tuple[float, float]
    crossing: tuple[float, float] | None
    opens: tuple[bool, bool]
    zebra: float | None
    centre_line: bool
    paved_front: bool

    def road_edge(self, side: int) -> float:
        """Distance of the kerb on one side (-1 left, +1 right) from the middle of the road."""
        return LANE + (PARKING if self.parking[(side + 1) // 2] else 0.35)

    def house_line(self, side: int) -> float:
        """Distance of the fronts of the houses from the middle of the road."""
        return self.road_edge(side) + self.pavement + self.front[(side + 1) // 2]

    def gap(self, side: int) -> tuple[float, float] | None:
        """(z from, z to) where the crossing street leaves on one side."""
        return self.crossing if self.opens[(side + 1) // 2] else None

    def stretches(self, side: int, margin: float = 0.0) -> list[tuple[float, float]]:
        """Pieces of the street's length beside which nothing crosses, `margin` kept free."""
        gap = self.gap(side)
        if gap is None:
            return [(START, END)]
        return [(START, gap[0] - margin), (gap[1] + margin, END)]


def sample_layout(rng: np.random.Generator) -> Layout:
    """Samples the plan of a street."""
    start = rng.uniform(16.0, 42.0)
    crossing = (start, start + rng.uniform(6.5, 8.5)) if rng.random() < 0.6 else None
    opens = [(True, True), (True, False), (False, True)][int(rng.integers(3))]
    zebra = None
    if rng.random() < 0.5:
        zebra = crossing[0] - 2.6 if crossing else rng.uniform(11.0, 26.0)
    shallow = rng.random() < 0.3
    front = rng.uniform(0.0, 0.6, 2) if shallow else rng.uniform(1.5, 6.0, 2)
    return Layout(
        drives_on=int(rng.choice([-1, 1])),
        parking=(bool(rng.random() < 0.65), bool(rng.random() < 0.65)),
        pavement=rng.uniform(1.9, 3.8),
        front=(float(front[0]), float(front[1])),
        crossing=crossing,
        opens=opens if crossing else (False, False),
        zebra=zebra,
        centre_line=bool(rng.random() < 0.75),
        paved_front=bool(shallow or rng.random() < 0.1),
    )
