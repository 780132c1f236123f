"""From a view to what is true of its picture: depth, classes, things with their boxes."""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.classes import SKY
from datasets.rendered.street.ground import ground_classes
from datasets.rendered.street.raster import FIRST_FACE_ID, GROUND_ID, SKY_ID
from datasets.rendered.street.view import View

SMALLEST_INSTANCE = 12
"""Pixels of a thing that must be seen for it to have a box."""


def depth(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Depth along the camera's axis, metres, float32, 0 in the sky; and where it is known, uint8.

    Both of shape (height, width).
    """
    known = view.ids != SKY_ID
    metres = known / np.where(known, view.inverse, np.float32(1.0))
    return metres.astype(np.float32).reshape(view.shape), known.astype(np.uint8).reshape(view.shape)


def class_mask(view: View) -> np.ndarray:
    """Class id of each pixel's middle, uint8, (height, width)."""
    mask = np.full(view.ids.size, SKY, dtype=np.uint8)
    solid = np.flatnonzero(view.ids >= FIRST_FACE_ID)
    mask[solid] = view.scene.mesh.classes[view.faces.rows[view.owners(solid)]]
    low = np.flatnonzero(view.ids == GROUND_ID)
    x, _, z = view.places(low)
    mask[low] = ground_classes(view.scene.layout, x, z)
    return mask.reshape(view.shape)


def instances(view: View) -> dict[str, np.ndarray]:
    """The things that are seen: see `source` for the arrays."""
    numbers = _instance_numbers(view)
    counts = np.bincount(numbers.ravel(), minlength=len(view.scene.instances) + 1)
    counts[0] = 0
    kept = np.flatnonzero(counts >= SMALLEST_INSTANCE)
    order = np.zeros(len(counts), dtype=np.int32)
    order[kept] = np.arange(1, len(kept) + 1)
    things = [view.scene.instances[number - 1] for number in kept]
    return {
        "instances": order[numbers],
        "boxes_xyxy": _boxes(order[numbers], len(kept)),
        "box_classes": np.array([thing.class_id for thing in things], dtype=np.int64),
        "car_classes": np.array([thing.car_class for thing in things], dtype=np.int64),
    }


def _instance_numbers(view: View) -> np.ndarray:
    """0 or the number in the scene of the thing that each pixel sees, int32, (height, width)."""
    numbers = np.zeros(view.ids.size, dtype=np.int32)
    solid = np.flatnonzero(view.ids >= FIRST_FACE_ID)
    numbers[solid] = view.scene.mesh.instances[view.faces.rows[view.owners(solid)]]
    return numbers.reshape(view.shape)


def _boxes(numbers: np.ndarray, count: int) -> np.ndarray:
    """Bounding boxes of 1 ... count in a picture of numbers: float32, (count, 4)."""
    height, width = numbers.shape
    row, column = np.nonzero(numbers)
    number = numbers[row, column] - 1
    low = np.full((count, 2), [width, height])
    high = np.zeros((count, 2), dtype=np.int64)
    places = np.stack([column, row], axis=1)
    np.minimum.at(low, number, places)
    np.maximum.at(high, number, places + 1)
    return np.concatenate([low, high], axis=1).astype(np.float32).reshape(count, 4)


FACE_RADIUS = 0.11
"""Half the height of a face, metres."""


def seen_faces(view: View) -> np.ndarray:
    """Faces of people that are seen: (x, y, radius) in pixels, float64, (n, 3)."""
    camera, found = view.scene.camera, []
    numbers = _instance_numbers(view)
    height, width = numbers.shape
    for number, thing in enumerate(view.scene.instances, start=1):
        if thing.face is None:
            continue
        metres = camera.seen(thing.face)[2]
        x, y = camera.project(thing.face) if metres > 0.5 else (-1.0, -1.0)
        if not (0 <= x < width and 0 <= y < height):
            continue
        if numbers[int(y), int(x)] == number:
            found.append((x, y, camera.focal * FACE_RADIUS / metres))
    return np.array(found, dtype=np.float64).reshape(-1, 3)
