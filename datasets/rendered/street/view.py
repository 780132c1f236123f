"""What is seen at every point of the picture, and where those places are in the world.

Arrays of vectors and colours are laid out (3, points): NumPy adds such planes many times faster
than rows of three.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.rendered.street.camera import Lattice, corners, middles
from datasets.rendered.street.cutouts import Cutouts, all_cutouts
from datasets.rendered.street.raster import (
    FIRST_FACE_ID,
    SeenFaces,
    look_at,
    surface_coordinates,
    z_buffer,
)
from datasets.rendered.street.scene import Scene


@dataclasses.dataclass(frozen=True)
class View:
    """A scene seen by its camera at points of the picture.

    Attributes:
        scene: what is seen.
        faces: what of the mesh is turned to the camera.
        shape: rows and columns of the points; what `with_points` adds comes after them.
        ids: what each point sees, see `raster`, int32, (points,).
        inverse: 1 / depth, 0 in the sky, float32, (points,).
        x: of the ray through each point at depth 1, camera's axes, float32, (points,).
        y: likewise.
    """

    scene: Scene
    faces: SeenFaces
    shape: tuple[int, int]
    ids: np.ndarray
    inverse: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def cutouts(self) -> Cutouts:
        """The shapes that faces are cut to."""
        return all_cutouts()

    def rays(self, points: np.ndarray) -> np.ndarray:
        """Lines of sight in the world at depth 1, float32, (3, k)."""
        turn = self.scene.camera.rotation.astype(np.float32)
        x, y = self.x.take(points), self.y.take(points)
        found = np.empty((3, len(points)), dtype=np.float32)
        for axis in range(3):
            np.multiply(x, turn[0, axis], out=found[axis])
            found[axis] += y * turn[1, axis] + turn[2, axis]
        return found

    def places(self, points: np.ndarray) -> np.ndarray:
        """Where the points of the picture lie in the world, float32, (3, k)."""
        found = self.rays(points)
        found /= self.inverse[points]
        found += self.scene.camera.eye.astype(np.float32)[:, None]
        return found

    def owners(self, points: np.ndarray) -> np.ndarray:
        """Numbers among the seen faces, of points that see one."""
        return self.ids[points] - FIRST_FACE_ID

    def coordinates(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u and v on their faces, of points that see one, float32, (k,) each."""
        x, y = self.x.take(points), self.y.take(points)
        return surface_coordinates(self.faces, self.owners(points), x, y, self.inverse[points])

    def footprints(self, points: np.ndarray) -> np.ndarray:
        """Width of a pixel at the place that it sees, held square to the ray, metres, (k,)."""
        return 1.0 / (self.inverse[points] * np.float32(self.scene.camera.focal))

    def with_points(self, other: View, points: np.ndarray) -> View:
        """This view with some points of another one of the same scene after its own."""
        return dataclasses.replace(
            self,
            ids=np.concatenate([self.ids, other.ids[points]]),
            inverse=np.concatenate([self.inverse, other.inverse[points]]),
            x=np.concatenate([self.x, other.x[points]]),
            y=np.concatenate([self.y, other.y[points]]),
        )


def look(scene: Scene, image_size: tuple[int, int]) -> View:
    """Finds what is seen in the middles of the pixels of a picture of (height, width)."""
    faces = look_at(scene.mesh, scene.camera, image_size, all_cutouts())
    return _view(scene, faces, middles(*image_size))


def look_at_corners(view: View) -> View:
    """The same scene, seen at the corners of the pixels."""
    return _view(view.scene, view.faces, corners(*view.shape))


def _view(scene: Scene, faces: SeenFaces, lattice: Lattice) -> View:
    ids, inverse = z_buffer(scene.mesh, faces, scene.camera, lattice, all_cutouts())
    x, y = lattice.rays(scene.camera)
    shape = (lattice.height, lattice.width)
    return View(scene, faces, shape, ids, inverse, np.tile(x, len(y)), np.repeat(y, len(x)))
