"""The camera in the street: from points in the world to pixels and back along rays.

World, metres: x to the right of the street's direction, y up, z along the street; the ground is
y = 0. Camera, metres: x right, y down, z forward. Pixels: x from the left edge of the picture, y
from its upper edge, so the middle of pixel (row i, column j) is (j + 0.5, i + 0.5).
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class StreetCamera:
    """A pinhole camera (Hartley and Zisserman, Multiple View Geometry, section 6.1).

    Attributes:
        focal: focal length, pixels.
        centre: principal point (x, y), pixels.
        eye: position in the world, shape (3,), metres.
        rotation: rows are the camera's right, down and forward axes in the world, shape (3, 3).
    """

    focal: float
    centre: tuple[float, float]
    eye: np.ndarray
    rotation: np.ndarray

    def seen(self, points: np.ndarray) -> np.ndarray:
        """World points in the camera's axes, (..., 3) to (..., 3); the last one is the depth."""
        return (np.asarray(points) - self.eye) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points in front of the camera to pixels, (..., 3) to (..., 2)."""
        seen = self.seen(points)
        return self.focal * seen[..., :2] / seen[..., 2:] + self.centre


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Axes of a camera that looks along the street, then turns; angles in radians.

    Args:
        yaw: to the right.
        pitch: downwards.
        roll: clockwise about the line of sight.

    Returns:
        shape (3, 3), rows right, down, forward, orthonormal.
    """
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    ahead = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
    below = np.array([0.0, -1.0, 0.0])
    forward = np.cos(pitch) * ahead + np.sin(pitch) * below
    down = np.cos(pitch) * below - np.sin(pitch) * ahead
    return np.stack(
        [
            np.cos(roll) * right + np.sin(roll) * down,
            np.cos(roll) * down - np.sin(roll) * right,
            forward,
        ]
    )


@dataclasses.dataclass(frozen=True)
class Lattice:
    """The points of the picture at which the scene is looked at: one a pixel.

    Attributes:
        height: rows of points; likewise `width`.
        shift: pixel coordinates of the first point, both x and y: 0.5 for the middles of the
            pixels, 0 for their corners.
    """

    height: int
    width: int
    shift: float

    def rays(self, camera: StreetCamera) -> tuple[np.ndarray, np.ndarray]:
        """x of each column of points and y of each row at depth 1, float32, camera's axes."""
        x = (np.arange(self.width) + self.shift - camera.centre[0]) / camera.focal
        y = (np.arange(self.height) + self.shift - camera.centre[1]) / camera.focal
        return x.astype(np.float32), y.astype(np.float32)


def middles(height: int, width: int) -> Lattice:
    """The middles of the pixels."""
    return Lattice(height, width, 0.5)


def corners(height: int, width: int) -> Lattice:
    """The corners of the pixels, one row and one column more."""
    return Lattice(height + 1, width + 1, 0.0)
