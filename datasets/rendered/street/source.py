"""The rendered street as a source of examples: one drawing, all labels.

Tensor contract of an example, for a picture of (height, width):

- `image`: uint8, (height, width, 3), RGB.
- `depth`: float32, (height, width), metres along the camera's axis; 0 in the sky.
- `depth_mask`: uint8, (height, width), 1 where the depth is known: everywhere but in the sky.
- `mask`: uint8, (height, width), ids of `classes.CLASS_NAMES`.
- `instances`: int32, (height, width), 0 or k + 1 where thing k of the following arrays is seen.
- `boxes_xyxy`: float32, (n, 4), pixels: left, top, right and bottom edges of what is seen of each
  thing; the edges of the pixels, so a thing of one pixel has a box of side 1. n may be 0.
- `box_classes`: int64, (n,), ids of `classes.CLASS_NAMES`, of `classes.INSTANCE_CLASSES`.
- `car_classes`: int64, (n,), ids of `classes.CAR_CLASS_NAMES`, or -1 where it is no car.
- `fixations`: float32, (m, 2), (x, y) in pixels, in [0, width) x [0, height).
- `fixation_observers`: int64, (m,), number of the observer of each.
- `focal_length`: float32 scalar, pixels.
- `label`: int64 scalar, always 0: a scene as a whole is of no class, and the tools that keep, split
  and compare examples by their labels treat all scenes alike.
"""

from __future__ import annotations

import numpy as np

from datasets.core import DatasetInfo, Splits
from datasets.rendered.arguments import check_count, check_index, check_size
from datasets.rendered.street.classes import CLASS_NAMES
from datasets.rendered.street.fixations import sample_fixations
from datasets.rendered.street.labels import class_mask, depth, instances, seen_faces
from datasets.rendered.street.picture import developed
from datasets.rendered.street.scene import build_scene
from datasets.rendered.street.view import look

SMALLEST_SIDE, LARGEST_SIDE = 32, 4096


class RenderedStreet:
    """A source of `count` drawn street scenes; see `datasets.core.LabelledSource`.

    Example `index` is a function of `seed`, `index` and `image_size` alone; the scene, of `seed`
    and `index` alone.

    Args:
        count: number of scenes, at least 1.
        seed: of everything random, at least 0.
        image_size: (height, width) in pixels, each in [32, 4096].

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
        """Number of scenes."""
        return self.count

    @property
    def labels(self) -> np.ndarray:
        """Zeros, int64, shape (count,): a scene as a whole is of no class."""
        return np.zeros(self.count, dtype=np.int64)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """All arrays of one scene, see the head of this module.

        Raises:
            IndexError: `index` is not in [0, count).
        """
        check_index(index, self.count)
        return draw_example([self.seed, index], self.image_size)

    def identifier(self, index: int) -> str:
        """The name of a scene, for messages and reports."""
        return f"drawn street {index} of seed {self.seed}"


def draw_example(seed: list[int], image_size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Draws a scene with all its labels; `seed` decides everything."""
    view = look(build_scene(seed, image_size), image_size)
    sensor_rng, observer_rng = np.random.default_rng([*seed, 1]).spawn(2)
    image = developed(view, sensor_rng)
    metres, known = depth(view)
    things = instances(view)
    points, observers = sample_fixations(image, things, seen_faces(view), observer_rng)
    return {
        "image": image,
        "depth": metres,
        "depth_mask": known,
        "mask": class_mask(view),
        **things,
        "fixations": points,
        "fixation_observers": observers,
        "focal_length": np.float32(view.scene.camera.focal),
        "label": np.int64(0),
    }


def load(train: int, validation: int, test: int, image_size: tuple[int, int], seed: int) -> Splits:
    """Drawn streets for training, validation and test; no scene of one is in another.

    Each split has a seed of its own, 3 * seed + 0, 1 or 2, so splits of different `seed` differ
    as well. The class names of the info are those of the mask, `classes.CLASS_NAMES`.

    Args:
        train: number of training scenes; likewise `validation` and `test`.
        image_size: (height, width) in pixels.
        seed: at least 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    if seed < 0:
        raise ValueError(f"seed must be at least 0. Received: {seed=}")
    parts = [
        RenderedStreet(count, 3 * seed + part, image_size)
        for part, count in enumerate((train, validation, test))
    ]
    info = DatasetInfo(
        name="rendered_street",
        class_names=CLASS_NAMES,
        description=(
            "Drawn streets with depth, classes, boxes and made-up fixations; "
            f"each split is drawn from a seed of its own (seed {seed})."
        ),
        origin="drawn by this project",
        licence="that of this project",
    )
    return Splits(*parts, info=info)
