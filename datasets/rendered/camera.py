"""A pinhole camera beside a car, and its fit into the picture."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Camera:
    """Where the camera stands and how its plane maps to pixels.

    The car stands with its middle over the origin, on the plane y = 0, and points along +x.
    The camera looks horizontally at the line above the origin.

    Attributes:
        yaw: angle from the car's side, radians; positive shows the front, negative the rear.
        height: of the camera above the ground, metres.
        distance: from the middle of the car, metres.
        mirrored: whether the picture is mirrored, so that the car points to the left.
        roll: turn of the car in the picture, radians.
        focal: pixels per unit of the picture plane at distance 1.
        centre: pixel (column, row) of the point straight ahead.
    """

    yaw: float
    height: float
    distance: float
    mirrored: bool
    roll: float
    focal: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (column, row) of points in space: shape (n, 3) to (n, 2)."""
        sine, cosine = np.sin(self.yaw), np.cos(self.yaw)
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        per_metre = self.focal / (self.distance - x * sine + z * cosine)
        across = (x * cosine + z * sine) * per_metre
        down = (self.height - y) * per_metre
        if self.mirrored:
            across = -across
        sine, cosine = np.sin(self.roll), np.cos(self.roll)
        pixels = np.empty((len(points), 2))
        pixels[:, 0] = across * cosine - down * sine + self.centre[0]
        pixels[:, 1] = across * sine + down * cosine + self.centre[1]
        return pixels

    def depth(self, points: np.ndarray) -> np.ndarray:
        """Distance along the line of sight, metres: shape (..., 3) to (...)."""
        return self.distance - points[..., 0] * np.sin(self.yaw) + points[..., 2] * np.cos(self.yaw)

    @property
    def eye(self) -> np.ndarray:
        """Position of the camera in the car's frame, metres, shape (3,)."""
        return np.array(
            [
                self.distance * np.sin(self.yaw),
                self.height,
                -self.distance * np.cos(self.yaw),
            ]
        )

    def sees(self, normals: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Whether flat faces through `points` with outward `normals` are seen from outside.

        Shapes (n, 3) and (n, 3) to bool (n,).
        """
        return np.einsum("ij,ij->i", normals, self.eye - points) > 0

    def fitted(
        self,
        corners: np.ndarray,
        canvas_size: tuple[int, int],
        share: float,
        offset: tuple[float, float],
    ) -> Camera:
        """The camera zoomed and shifted so that `corners` fill `share` of the canvas.

        Args:
            corners: of the car's bounding box, shape (n, 3).
            canvas_size: (height, width) in pixels.
            share: of the width, or of the height if the car would be too tall, in (0, 1].
            offset: where in the free space, each in [-1, 1]; 0 is the middle.
        """
        height, width = canvas_size
        plain = dataclasses.replace(self, focal=1.0, centre=(0.0, 0.0)).project(corners)
        low, high = plain.min(axis=0), plain.max(axis=0)
        span = high - low
        focal = share * min(width / span[0], 0.86 * height / span[1])
        free = (np.array([width, height]) - focal * span) / 2
        middle = np.array([width, height]) / 2 + free * np.asarray(offset)
        centre = middle - focal * (low + high) / 2
        return dataclasses.replace(
            self, focal=float(focal), centre=(float(centre[0]), float(centre[1]))
        )
