"""Pictures of faces drawn from a seed, each with the 76 points that MUCT marks.

Points that hair, dark glasses or a hand cover, that the head hides behind itself, and that lie
outside the picture are missing: (0, 0), as in MUCT.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from datasets.core import Splits
from datasets.landmark_records import LandmarkInfo
from datasets.landmark_schemes import MUCT76
from datasets.rendered.arguments import check_count, check_index, check_size
from datasets.rendered.canvas import gradient
from datasets.rendered.cars import photographed
from datasets.rendered.face_look import FaceLook, sample_look
from datasets.rendered.face_parts import FaceCanvas, paint_face
from datasets.rendered.face_shape import FaceShape, Pose, face_points, sample_pose, sample_shape
from datasets.rendered.scenes import paint_scene

SMALLEST_SIDE, LARGEST_SIDE = 32, 1024
# The picture is painted so many times as large and then reduced, so that edges come out smooth.
_FINER = 2


class RenderedFaces:
    """A source of `count` drawn faces; see `datasets.landmark_records.LandmarkSource`.

    Example `index` is a function of `seed`, `index` and `image_size` alone. Every face is another
    person.

    Args:
        count: number of pictures, at least 1.
        seed: of everything random, at least 0.
        image_size: (height, width) in pixels, each in [32, 1024].

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, count: int, seed: int, image_size: tuple[int, int]) -> None:
        check_count(count, seed)
        check_size(image_size, SMALLEST_SIDE, LARGEST_SIDE)
        self.count = count
        self.seed = seed
        self.image_size = (int(image_size[0]), int(image_size[1]))

    def __len__(self) -> int:
        """Number of pictures."""
        return self.count

    @property
    def labels(self) -> np.ndarray:
        """Number of the person on each picture, int64, shape (count,)."""
        return np.arange(self.count, dtype=np.int64)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """`image`, uint8 RGB (height, width, 3), `points`, float32 (76, 2), and `label`, int64.

        Raises:
            IndexError: `index` is not in [0, count).
        """
        check_index(index, self.count)
        image, points = draw_face(self.image_size, [self.seed, index])
        return {"image": image, "points": points, "label": np.int64(index)}

    def identifier(self, index: int) -> str:
        """The name of a picture, for messages and reports."""
        return f"drawn face {index} of seed {self.seed}"


def draw_face(image_size: tuple[int, int], seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Another face in another place.

    Returns:
        The picture, uint8 RGB (height, width, 3), and the points, float32 (76, 2), in pixels, with
        (0, 0) for what cannot be seen.
    """
    shape_rng, look_rng, pose_rng, scene_rng, sensor_rng = np.random.default_rng(seed).spawn(5)
    shape, look = sample_shape(shape_rng), sample_look(look_rng)
    finer = (_FINER * image_size[0], _FINER * image_size[1])
    pose = sample_pose(pose_rng, finer)
    image, points = painted(shape, look, pose, finer, scene_rng)
    image = photographed(_lit(image.reduce(_FINER), look.light), sensor_rng)
    return image, (points / _FINER).astype(np.float32)


def painted(
    shape: FaceShape,
    look: FaceLook,
    pose: Pose,
    size: tuple[int, int],
    scene_rng: np.random.Generator,
) -> tuple[Image.Image, np.ndarray]:
    """A picture of (height, width) pixels of this face, and its points, float64 (76, 2)."""
    image = Image.new("RGB", (size[1], size[0]))
    _paint_background(image, scene_rng)
    canvas = FaceCanvas(image, Image.new("L", image.size), pose)
    solid = face_points(shape)
    paint_face(canvas, shape, solid, look)
    points = pose.project(solid)
    hidden = pose.turned_away(solid) | _covered(points, np.asarray(canvas.cover))
    return image, np.where(hidden[:, None], 0.0, points)


def _covered(points: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Which points lie under what covers the face or outside the picture, bool (n,)."""
    height, width = cover.shape
    column, row = np.floor(points).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    covered = cover[row.clip(0, height - 1), column.clip(0, width - 1)] > 0
    return covered | ~inside


def _paint_background(image: Image.Image, rng: np.random.Generator) -> None:
    """A place out of focus behind the head, or a plain wall."""
    if rng.random() < 0.5:
        top, bottom = rng.integers(30, 226, (2, 3))
        image.paste(gradient(image.size, top, top + 0.5 * (bottom - top)))
        return
    paint_scene(image, 0.5 * image.height, rng)
    image.paste(image.filter(ImageFilter.BoxBlur(image.height / 60)))


def _lit(image: Image.Image, light: tuple[float, float]) -> Image.Image:
    """Brighter to one side: the light falls in from there."""
    across = np.linspace(-light[0], light[0], image.width)[None, :, None]
    down = np.linspace(-light[1], light[1], image.height)[:, None, None]
    lit = np.asarray(image, np.float32) * (1 + across + down).astype(np.float32)
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))


def load(train: int, validation: int, test: int, image_size: tuple[int, int], seed: int) -> Splits:
    """Drawn faces for training, validation and test; no face of one is in another.

    Each split has a seed of its own, 3 * seed + 0, 1 or 2.

    Args:
        train: number of training pictures; likewise `validation` and `test`.
        image_size: (height, width) in pixels.
        seed: at least 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    parts = [
        RenderedFaces(count, 3 * seed + part, image_size)
        for part, count in enumerate((train, validation, test))
    ]
    info = LandmarkInfo(
        name="rendered_faces",
        class_names=(),
        description=(
            "Drawn faces with 76 points each, some of them covered and so missing; each split is "
            f"drawn from a seed of its own (seed {seed})."
        ),
        origin="drawn by this project",
        licence="that of this project",
        scheme=MUCT76,
    )
    return Splits(*parts, info=info)
