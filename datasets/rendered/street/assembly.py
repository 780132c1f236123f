"""The scene while it is put together: faces, what casts shadows, and the things that count."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from datasets.rendered.street.classes import NO_CAR_CLASS
from datasets.rendered.street.mesh import Patch


@dataclasses.dataclass(frozen=True)
class Instance:
    """A thing with a box.

    Attributes:
        class_id: one of `classes.INSTANCE_CLASSES`.
        car_class: index into `classes.CAR_CLASS_NAMES`, or -1.
        lower: of the box in the world that holds all of it, metres, (3,); likewise `upper`.
        face: middle of the face, if it has one and turns it to the camera, (3,).
    """

    class_id: int
    car_class: int
    lower: np.ndarray
    upper: np.ndarray
    face: np.ndarray | None


@dataclasses.dataclass
class Assembly:
    """Collects what the makers of houses, cars, people and so on put into a scene.

    Attributes:
        eye: where the camera stands, (3,).
        patches: all faces so far.
        instances: instance k + 1 of the faces is the k-th of these.
        shadow_walls: what keeps the sun off: blocks of polygons, (n, corners, 3).
        shadow_boxes: likewise: upright boxes on the ground, (x from, z from, x to, z to, height).
        shadow_balls: likewise: (x, y, z, radius).
        shadow_posts: likewise: (x, y of the foot, z, height, width).
        footprints: what keeps the skylight off the ground: (x, z, half width, half length,
            heading).
    """

    eye: np.ndarray
    patches: list[Patch] = dataclasses.field(default_factory=list)
    instances: list[Instance] = dataclasses.field(default_factory=list)
    shadow_walls: list[np.ndarray] = dataclasses.field(default_factory=list)
    shadow_boxes: list[tuple[float, float, float, float, float]] = dataclasses.field(
        default_factory=list
    )
    shadow_balls: list[tuple[float, float, float, float]] = dataclasses.field(default_factory=list)
    shadow_posts: list[tuple[float, float, float, float, float]] = dataclasses.field(
        default_factory=list
    )
    footprints: list[tuple[float, float, float, float, float]] = dataclasses.field(
        default_factory=list
    )

    def add(self, *patches: Patch) -> None:
        """Adds what is no thing of its own."""
        self.patches.extend(patches)

    def add_instance(
        self,
        patches: Sequence[Patch],
        class_id: int,
        car_class: int = NO_CAR_CLASS,
        face: np.ndarray | None = None,
    ) -> None:
        """Adds a thing with a box of its own."""
        points = np.concatenate([patch.corners.reshape(-1, 3) for patch in patches])
        self.instances.append(
            Instance(class_id, car_class, points.min(axis=0), points.max(axis=0), face)
        )
        number = len(self.instances)
        self.patches.extend(patch._replace(instance=number) for patch in patches)
