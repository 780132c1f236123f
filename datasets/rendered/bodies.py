"""Body styles: side views of cars in metres, invented for this project from common proportions.

x runs from the rear bumper (0) to the front, y from the ground up.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from datasets.rendered.shapes import lifted, rounded

Points = tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class Body:
    """A body style. All lengths in metres.

    Attributes:
        name: of the body style.
        outline: side view from the rear bumper over the roof to the front bumper.
        width: of the car.
        belt: height at which the windows begin and above which the sides lean inwards.
        lean: how far the sides lean inwards at the roof.
        wheels: x of the rear and the front axle.
        wheel_radius: with the tyre.
        side_glass: outline of the side windows, or several of them.
        pillars: (x at the bottom, x at the top, width) of posts that divide the side windows.
        end_glass: pieces of the outline, each from point to point, that are glass from side to
            side: windscreen and rear window.
        doors: x of the gaps between doors.
        roof: (x from, x to, y) of the flat part that can carry something; None without a roof.
        deck: (x, y) where a spoiler stands.
        cabin: (x from, x to) of an open cabin; None under a roof.
        cargo: (x from, x to, y of the floor) of an open cargo bed; None without one.
        box: (x from, x to) of a cargo box in a colour of its own; None without one.
        roundness: of the outline's corners, see `shapes.rounded`.
    """

    name: str
    outline: Points
    width: float
    belt: float
    lean: float
    wheels: tuple[float, float]
    wheel_radius: float
    side_glass: tuple[Points, ...]
    pillars: tuple[tuple[float, float, float], ...]
    end_glass: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    doors: tuple[float, ...]
    roof: tuple[float, float, float] | None = None
    deck: tuple[float, float] | None = None
    cabin: tuple[float, float] | None = None
    cargo: tuple[float, float, float] | None = None
    box: tuple[float, float] | None = None
    roundness: float = 0.3

    @functools.cached_property
    def length(self) -> float:
        """From bumper to bumper."""
        return max(x for x, _ in self.outline)

    @functools.cached_property
    def height(self) -> float:
        """From the ground to the roof."""
        return max(y for _, y in self.outline)

    @functools.cached_property
    def sill(self) -> float:
        """Lower edge of the sides."""
        return min(y for _, y in self.outline)

    @functools.cached_property
    def curve(self) -> np.ndarray:
        """The outline with rounded corners, shape (n, 2)."""
        return rounded(self.outline, self.roundness, closed=False)

    def inset(self, y: np.ndarray) -> np.ndarray:
        """How far the side stands inwards at height y."""
        rise = max(self.height - self.belt, 0.3)
        return self.lean * np.clip((y - self.belt) / rise, 0.0, 1.0)

    def near(self, points: Points | np.ndarray) -> np.ndarray:
        """Side-view points put on the near side, in the camera's frame: (n, 2) to (n, 3)."""
        plane = np.asarray(points, dtype=np.float64)
        return self._placed(plane, self.inset(plane[:, 1]) - self.width / 2)

    def far(self, points: Points | np.ndarray) -> np.ndarray:
        """Side-view points put on the far side, in the camera's frame: (n, 2) to (n, 3)."""
        plane = np.asarray(points, dtype=np.float64)
        return self._placed(plane, self.width / 2 - self.inset(plane[:, 1]))

    def across(self, points: Points | np.ndarray, z: float | np.ndarray) -> np.ndarray:
        """Side-view points put at depth z from the middle of the car: (n, 2) to (n, 3)."""
        return self._placed(np.asarray(points, dtype=np.float64), z)

    def _placed(self, plane: np.ndarray, z: float | np.ndarray) -> np.ndarray:
        points = lifted(plane, z)
        points[:, 0] -= self.length / 2
        return points

    def end_x(self, y: float, front: bool) -> float:
        """x of the outline's front or rear end at height y, or at the end's foot below it."""
        curve = self.curve
        y = max(y, float(curve[-1, 1] if front else curve[0, 1]))
        start, stop = curve[:-1], curve[1:]
        crossing = (np.minimum(start[:, 1], stop[:, 1]) <= y) & (
            y <= np.maximum(start[:, 1], stop[:, 1])
        )
        rise = stop[:, 1] - start[:, 1]
        share = np.where(rise == 0, 0.0, (y - start[:, 1]) / np.where(rise == 0, 1.0, rise))
        x = (start[:, 0] + share * (stop[:, 0] - start[:, 0]))[crossing]
        return float(x.max() if front else x.min())

    def stretched(self, along: float, up: float, wheel: float) -> Body:
        """The body with its lengths, heights and wheels multiplied by these factors."""

        def moved(points: Points) -> Points:
            return tuple((x * along, y * up) for x, y in points)

        return dataclasses.replace(
            self,
            outline=moved(self.outline),
            belt=self.belt * up,
            wheels=(self.wheels[0] * along, self.wheels[1] * along),
            wheel_radius=self.wheel_radius * wheel,
            side_glass=tuple(moved(glass) for glass in self.side_glass),
            pillars=tuple((a * along, b * along, c) for a, b, c in self.pillars),
            end_glass=tuple((moved((a,))[0], moved((b,))[0]) for a, b in self.end_glass),
            doors=tuple(x * along for x in self.doors),
            roof=self.roof and (self.roof[0] * along, self.roof[1] * along, self.roof[2] * up),
            deck=self.deck and (self.deck[0] * along, self.deck[1] * up),
            cabin=self.cabin and (self.cabin[0] * along, self.cabin[1] * along),
            cargo=self.cargo and (self.cargo[0] * along, self.cargo[1] * along, self.cargo[2] * up),
            box=self.box and (self.box[0] * along, self.box[1] * along),
        )
