"""A picture grid of the drawn cars: `python -m datasets.rendered.gallery cars.png`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.rendered.cars import DEFAULT_CLASS_NAMES, RenderedCars


def gallery(columns: int, image_size: tuple[int, int], seed: int) -> np.ndarray:
    """One row of drawn cars a class.

    Args:
        columns: cars of each class.
        image_size: height and width of each, in pixels.
        seed: decides which cars.

    Returns:
        uint8, shape (classes * height, columns * width, 3), RGB.
    """
    rows = len(DEFAULT_CLASS_NAMES)
    cars = RenderedCars(rows * columns, seed, image_size)
    pictures = np.stack([cars.example(index)["image"] for index in np.argsort(cars.labels)])
    height, width = image_size
    grid = pictures.reshape(rows, columns, height, width, 3)
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)


if __name__ == "__main__":
    Image.fromarray(gallery(8, (80, 120), seed=7)).save(Path(sys.argv[1]))
