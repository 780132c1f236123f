"""Pictures of cars for every task that learns from them: drawn, Stanford Cars, or a folder."""

from __future__ import annotations

from datasets import folder, stanford_cars
from datasets.core import Splits
from datasets.rendered import cars
from tasks.common.car_pictures_config import CarPicturesConfig
from tasks.common.image_classifier import checked


def load(config: CarPicturesConfig) -> Splits:
    """The pictures in three splits, each seen to be readable.

    Raises:
        DataError: there are none, or some cannot be read.
    """
    if config.data == "rendered":
        train, validation, test = config.rendered_count
        splits = cars.load(
            train, validation, test, config.image_size, config.seed, config.rendered_classes
        )
    elif config.data == "stanford_cars":
        splits = stanford_cars.load(
            config.data_dir,
            config.validation_fraction,
            config.seed,
            config.crop_to_box,
            config.image_size,
        )
    else:
        splits = folder.load(
            config.data_dir,
            config.validation_fraction,
            config.test_fraction,
            config.seed,
            config.image_size,
        )
    return checked(splits, config)
