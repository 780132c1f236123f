"""The options that the tasks on pictures of cars have in common."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from datasets import rendered
from tasks.common.data_choice import check_data_dir, check_drawn_count, check_drawn_size
from tasks.common.image_classifier_config import ImageClassifierConfig
from tasks.common.option_checks import refuse


@dataclasses.dataclass(frozen=True)
class CarPicturesConfig(ImageClassifierConfig):
    """Options of an image classification task on cars: which pictures, in which copy."""

    data: Literal["rendered", "stanford_cars", "folder"] = "rendered"
    """Drawn cars, a copy of Stanford Cars, or any folder of class folders."""
    data_dir: Path | None = None
    """Folder of the data; `stanford_cars` and `folder` need it."""
    crop_to_box: bool = False
    """Cut Stanford Cars pictures to the annotated box."""
    rendered_count: tuple[int, int, int] = (4000, 320, 400)
    """Drawn pictures for training, validation and test."""
    rendered_classes: int = 8
    """Classes of drawn cars."""


def check_car_pictures(config: CarPicturesConfig) -> None:
    """Finds options of the data that do not fit together, before any work.

    Raises:
        UserError: the first one found.
    """
    check_data_dir(config)
    if config.data == "rendered":
        _check_rendered(config)


def _check_rendered(config: CarPicturesConfig) -> None:
    known = len(rendered.cars.CLASS_NAMES)
    if not 2 <= config.rendered_classes <= known:
        refuse("rendered_classes", f"from 2 to {known}", config.rendered_classes)
    check_drawn_size(config, rendered.cars, "cars")
    check_drawn_count(config, config.rendered_classes, "one picture a class")
