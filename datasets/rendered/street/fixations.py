"""Where people would look at a drawn street: made-up observers, with a plausible taste.

People, faces, cars and signs draw the eye, so does local contrast, and the middle of a picture
does whatever it shows (Judd, Ehinger, Durand and Torralba, Learning to Predict Where Humans Look,
2009). Nobody was measured: the numbers here are chosen, not found.
"""

from __future__ import annotations

import numpy as np

from datasets.rendered.street.classes import BICYCLIST, CAR, PEDESTRIAN, SIGN

OBSERVERS = 10
FIXATIONS_EACH = 7

CELL = 4
"""Side of the squares on which the saliency is computed, pixels of a 256 x 256 picture."""

_PULL = {PEDESTRIAN: 3.0, BICYCLIST: 3.0, SIGN: 2.2, CAR: 1.4}
"""How much a thing of a class draws the eye, in all its area together."""

_FACE_PULL = 3.0


def sample_fixations(
    image: np.ndarray,
    things: dict[str, np.ndarray],
    faces: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Samples fixations.

    Args:
        image: uint8, (height, width, 3).
        things: what `labels.instances` gives.
        faces: middles of the faces that are seen, with their radius, pixels, (n, 3).
        rng: decides.

    Returns:
        float32, (OBSERVERS * FIXATIONS_EACH, 2), (x, y) in pixels, inside of the picture; and
        the number of the observer of each, int64.
    """
    density = saliency(image, things, faces)
    rows, columns = density.shape
    height, width = image.shape[:2]
    points = []
    for _ in range(OBSERVERS):
        # Every observer has a taste: some go by things, some stay in the middle.
        taste = density ** rng.uniform(0.75, 1.2)
        shares = np.cumsum(taste.ravel())
        sampled = np.searchsorted(shares, rng.random(FIXATIONS_EACH) * shares[-1], side="right")
        row, column = np.divmod(np.minimum(sampled, rows * columns - 1), columns)
        jitter = rng.random((2, FIXATIONS_EACH))
        x, y = (column + jitter[0]) * width / columns, (row + jitter[1]) * height / rows
        points.append(np.stack([x, y], axis=1))
    limits = np.nextafter(np.array([width, height], dtype=np.float32), np.float32(0))
    found = np.clip(np.concatenate(points).astype(np.float32), 0.0, limits)
    return found, np.repeat(np.arange(OBSERVERS), FIXATIONS_EACH)


def saliency(image: np.ndarray, things: dict[str, np.ndarray], faces: np.ndarray) -> np.ndarray:
    """Density of fixations on squares of the picture, float64, (rows, columns), sum 1."""
    height, width = image.shape[:2]
    scale = np.sqrt(height * width) / 256 * CELL
    rows, columns = max(1, round(height / scale)), max(1, round(width / scale))
    y = (np.arange(rows) + 0.5) * height / rows
    x = (np.arange(columns) + 0.5) * width / columns
    middle = _bell(x, width / 2, 0.24 * width, y, 0.52 * height, 0.20 * height)
    density = 0.9 * middle / middle.sum() + 0.5 * _contrast(image, rows, columns)
    spread = 0.014 * np.sqrt(height * width)
    for box, class_id in zip(things["boxes_xyxy"], things["box_classes"], strict=True):
        x0, y0, x1, y1 = (float(edge) for edge in box)
        # The upper half of a person and the middle of a car are looked at most.
        aim = 0.35 if class_id in (PEDESTRIAN, BICYCLIST) else 0.5
        bump = _bell(x, (x0 + x1) / 2, (x1 - x0) / 4 + spread, y, y0 + aim * (y1 - y0),
                     (y1 - y0) / 4 + spread)  # fmt: skip
        size = np.sqrt((x1 - x0) * (y1 - y0) / (height * width))
        density += _PULL[int(class_id)] * min(1.0, 4.0 * size) / 4 * bump / max(bump.sum(), 1e-9)
    for face_x, face_y, radius in faces:
        bump = _bell(x, face_x, radius + spread, y, face_y, radius + spread)
        pull = _FACE_PULL * min(1.0, 24.0 * radius / np.sqrt(height * width)) / 4
        density += pull * bump / max(bump.sum(), 1e-9)
    return density / density.sum()


def _bell(
    x: np.ndarray, x0: float, wide: float, y: np.ndarray, y0: float, high: float
) -> np.ndarray:
    across, down = np.exp(-0.5 * ((x - x0) / wide) ** 2), np.exp(-0.5 * ((y - y0) / high) ** 2)
    return down[:, None] * across[None]


def _contrast(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Difference of each square from its surroundings in brightness, sum 1."""
    height, width = image.shape[:2]
    down = (np.arange(rows) + 0.5) * height / rows
    across = (np.arange(columns) + 0.5) * width / columns
    grey = image[down.astype(int)[:, None], across.astype(int)].astype(np.float64).mean(axis=2)
    padded = np.pad(grey, 2, mode="edge")
    around = sum(padded[i : i + rows, j : j + columns] for i in (0, 2, 4) for j in (0, 2, 4))
    contrast = np.abs(grey - around / 9.0) + 1.0
    return contrast / contrast.sum()
