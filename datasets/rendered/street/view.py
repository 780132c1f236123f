"""What is seen at every point of the picture, and where those places are in the world.

Arrays of vectors and colours are laid out (3, points): NumPy adds such planes many times faster
than rows of three.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from datasets.rendered.street.camera import Lattice
from datasets.rendered.street.cutouts import Cutouts, all_cutouts
from datasets.rendered.street.raster import (
    FIRST_FACE_ID,
    SeenFaces,
    levels,
    look_at,
    surface_coordinates,
    z_buffer,
)
from datasets.rendered.street.scene import Scene


@dataclasses.dataclass(frozen=True)
class View:
    """A scene seen by its camera at the points of a lattice.

    Attributes:
        scene: what is seen.
        lattice: the points of the picture.
        faces: what of the mesh is turned to the camera.
        ids: what each point sees, see `raster`, int32, (points,).
        inverse: 1 / depth, 0 in the sky, float32, (points,).
    """

    scene: Scene
    lattice: Lattice
    faces: SeenFaces
    ids: np.ndarray
    inverse: np.ndarray

    @functools.cached_property
    def levels(self) -> np.ndarray:
        """Reduction of the cut-out of each seen face, int64, (m,)."""
        return levels(self.scene.mesh, self.faces, self.cutouts)

    @property
    def cutouts(self) -> Cutouts:
        """The shapes that faces are cut to."""
        return all_cutouts()

    @functools.cached_property
    def _rays(self) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.lattice.rays(self.scene.camera)
        return np.tile(x, len(y)), np.repeat(y, len(x))

    def rays(self, points: np.ndarray) -> np.ndarray:
        """Lines of sight in the world at depth 1, float32, (3, k)."""
        turn = self.scene.camera.rotation.astype(np.float32)
        x, y = (part.take(points) for part in self._rays)
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
        x, y = (part.take(points) for part in self._rays)
        return surface_coordinates(self.faces, self.owners(points), x, y, self.inverse[points])

    def footprints(self, points: np.ndarray) -> np.ndarray:
        """Width of a pixel at the place that it sees, held square to the ray, metres, (k,)."""
        return 1.0 / (self.inverse[points] * np.float32(self.scene.camera.focal))


def look(scene: Scene, lattice: Lattice) -> View:
    """Finds what is seen at each point."""
    faces = look_at(scene.mesh, scene.camera, lattice)
    ids, inverse = z_buffer(scene.mesh, faces, scene.camera, lattice, all_cutouts())
    return View(scene, lattice, faces, ids, inverse)
