"""Pictures of cars drawn from a seed; a class is a body style, plain or with a detail.

The class decides the shape and what the car carries. Paint, pose, light, background and noise
are sampled before the class is looked at, so none of them tells anything about it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from datasets.core import DatasetInfo, Splits
from datasets.rendered.arguments import check_count, check_index, check_size
from datasets.rendered.bodies import Body
from datasets.rendered.body_styles import BODY_STYLES
from datasets.rendered.camera import Camera
from datasets.rendered.canvas import Canvas
from datasets.rendered.details import DETAILS, Detail
from datasets.rendered.look import Look, sample_look
from datasets.rendered.props import paint_occluders
from datasets.rendered.scenes import paint_scene
from datasets.rendered.shapes import box_corners
from datasets.rendered.vehicle import draw_car

# The plain sedan is not among the first: a few pixels high, its boot and a pickup's bed look alike.
_CLEAREST = (
    "sedan with roof sign",
    "convertible",
    "pickup",
    "panel van",
    "panel van with ladder",
    "bus",
    "off-roader with spare wheel",
    "box truck",
    "estate with roof box",
    "coupe with spoiler",
    "sedan",
    "hatchback",
    "limousine",
    "bubble car",
    "pickup with bull bar",
    "off-roader with roof rack",
    "coupe",
    "estate",
    "off-roader",
    "hatchback with light bar",
)


def _all_classes() -> dict[str, tuple[Body, tuple[Detail, ...]]]:
    combined: dict[str, tuple[Body, tuple[Detail, ...]]] = {}
    for body in BODY_STYLES:
        combined[body.name] = (body, ())
        for detail in DETAILS:
            if detail.fits(body):
                combined[f"{body.name} with {detail.name}"] = (body, (detail,))
    return combined


CLASS_NAMES: tuple[str, ...] = (
    *_CLEAREST,
    *(name for name in _all_classes() if name not in _CLEAREST),
)
"""Every class: the clearest first, then all other body styles and combinations."""

DEFAULT_CLASS_NAMES: tuple[str, ...] = CLASS_NAMES[:8]
"""Eight classes that differ in shape or in what the car carries."""

SMALLEST_SIDE, LARGEST_SIDE = 32, 1024


def recipe(name: str) -> tuple[Body, tuple[Detail, ...]]:
    """The body and the details of one of `CLASS_NAMES`."""
    return _all_classes()[name]


class RenderedCars:
    """A labelled source of `count` drawn cars; see `datasets.core.LabelledSource`.

    Example `index` is a function of `seed`, `index`, `image_size` and its class alone; the class
    is `index` modulo the number of classes, so the classes differ in number by one at most.

    Args:
        count: number of pictures, at least 1.
        seed: of everything random, at least 0.
        image_size: (height, width) in pixels, each in [32, 1024].
        class_names: some of `CLASS_NAMES`, at least 2, each once; label k is the k-th of them.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        count: int,
        seed: int,
        image_size: tuple[int, int],
        class_names: Sequence[str] = DEFAULT_CLASS_NAMES,
    ) -> None:
        _check_arguments(count, seed, image_size, class_names)
        self.count = count
        self.seed = seed
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.class_names = tuple(class_names)
        self._recipes = [recipe(name) for name in self.class_names]

    def __len__(self) -> int:
        """Number of pictures."""
        return self.count

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int64, shape (count,)."""
        return np.arange(self.count, dtype=np.int64) % len(self.class_names)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """`image`, uint8 RGB of shape (height, width, 3), and `label`, int64.

        Raises:
            IndexError: `index` is not in [0, count).
        """
        check_index(index, self.count)
        label = index % len(self.class_names)
        body, details = self._recipes[label]
        image = draw_picture(body, details, self.image_size, [self.seed, index])
        return {"image": image, "label": np.int64(label)}

    def identifier(self, index: int) -> str:
        """The name of a picture, for messages and reports."""
        return f"drawn car {index} of seed {self.seed}"


def draw_picture(
    body: Body, details: tuple[Detail, ...], image_size: tuple[int, int], seed: Sequence[int]
) -> np.ndarray:
    """Draws a car in a place: uint8 RGB, shape (height, width, 3).

    With the same seed, two bodies have the same paint, pose, light, place and noise. The picture
    is painted two or three times as large and then reduced, so that edges come out smooth.
    """
    look_rng, scene_rng, front_rng, sensor_rng = np.random.default_rng(seed).spawn(4)
    look = sample_look(look_rng)
    finer = 3 if max(image_size) <= 160 else 2
    height, width = image_size[0] * finer, image_size[1] * finer
    body = body.stretched(*look.stretch)
    camera = placed_camera(body, details, look, (height, width))
    image = Image.new("RGB", (width, height))
    paint_scene(image, camera.centre[1], scene_rng)
    draw_car(Canvas(image, camera, look.light), body, details, look)
    paint_occluders(image, front_rng)
    return photographed(image.reduce(finer), sensor_rng)


def placed_camera(
    body: Body, details: tuple[Detail, ...], look: Look, canvas_size: tuple[int, int]
) -> Camera:
    """The look's camera, at its distance from this body and zoomed to show all of the car."""
    half, wide = body.length / 2, body.width / 2
    camera = Camera(
        yaw=look.camera.yaw,
        height=look.camera.height,
        distance=look.reach * body.length + wide,
        mirrored=look.camera.mirrored,
        roll=look.camera.roll,
    )
    rear, front, top = np.max([(0.0, 0.0, 0.0), *(detail.overhang for detail in details)], axis=0)
    corners = box_corners((-half - rear, 0.0, -wide), (half + front, body.height + top, wide))
    return camera.fitted(corners, canvas_size, look.share, look.offset)


def photographed(image: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """What a sensor makes of a scene: slight blur, exposure, white balance, contrast, noise."""
    blur, exposure, contrast = rng.uniform(0, 0.5), rng.uniform(0.8, 1.15), rng.uniform(0.85, 1.15)
    balance, spread = rng.normal(1.0, 0.03, 3), rng.uniform(0.5, 5.0)
    if blur > 0.2:
        image = image.filter(ImageFilter.GaussianBlur(blur * max(1.0, image.height / 96) ** 0.5))
    light = np.asarray(image, dtype=np.float32)
    light = (light - 128.0) * np.float32(contrast) + 128.0
    light *= (exposure * balance).astype(np.float32)
    light += np.float32(spread) * rng.standard_normal(light.shape, dtype=np.float32)
    return light.clip(0, 255).astype(np.uint8)


def load(
    train: int,
    validation: int,
    test: int,
    image_size: tuple[int, int],
    seed: int,
    class_count: int = 8,
    first_class: int = 0,
) -> Splits:
    """Drawn cars for training, validation and test; no picture of one is in another.

    Each split has a seed of its own, 3 * seed + 0, 1 or 2, so splits of different `seed` differ
    as well.

    Args:
        train: number of training pictures; likewise `validation` and `test`.
        image_size: (height, width) in pixels.
        seed: at least 0.
        class_count: so many of `CLASS_NAMES`, at least 2.
        first_class: position in `CLASS_NAMES` of the first of them.

    Raises:
        ValueError: an argument is out of its range.
    """
    known = len(CLASS_NAMES) - max(0, first_class)
    if first_class < 0 or not 2 <= class_count <= known:
        raise ValueError(
            f"class_count must be in [2, {known}] and first_class at least 0. "
            f"Received: {class_count=}, {first_class=}"
        )
    if seed < 0:
        raise ValueError(f"seed must be at least 0. Received: {seed=}")
    names = CLASS_NAMES[first_class : first_class + class_count]
    parts = [
        RenderedCars(count, 3 * seed + part, image_size, names)
        for part, count in enumerate((train, validation, test))
    ]
    return Splits(*parts, info=_described(names, seed))


def _described(names: tuple[str, ...], seed: int) -> DatasetInfo:
    return DatasetInfo(
        name="rendered_cars",
        class_names=names,
        description=(
            "Drawn cars of different body styles and details in drawn places; "
            f"each split is drawn from a seed of its own (seed {seed})."
        ),
        origin="drawn by this project",
        licence="that of this project",
    )


def _check_arguments(
    count: int, seed: int, image_size: tuple[int, int], class_names: Sequence[str]
) -> None:
    check_count(count, seed)
    check_size(image_size, SMALLEST_SIDE, LARGEST_SIDE)
    unknown = [name for name in class_names if name not in CLASS_NAMES]
    if unknown or len(set(class_names)) != len(class_names) or len(class_names) < 2:
        raise ValueError(
            "class_names must be at least 2 different names of CLASS_NAMES. "
            f"Received: {class_names=}"
        )
