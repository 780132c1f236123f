"""The picture grid shows one row a class."""

from __future__ import annotations

import numpy as np
from PIL import Image

from datasets.rendered.cars import DEFAULT_CLASS_NAMES, RenderedCars
from datasets.rendered.gallery import gallery


def test_a_row_holds_the_cars_of_one_class() -> None:
    grid = gallery(columns=3, image_size=(32, 48), seed=5)
    rows = len(DEFAULT_CLASS_NAMES)
    assert grid.shape == (rows * 32, 3 * 48, 3)
    cars = RenderedCars(rows * 3, 5, (32, 48))
    second = [cars.example(index)["image"] for index in np.flatnonzero(cars.labels == 1)]
    cells = [grid[32:64, 48 * column : 48 * (column + 1)] for column in range(3)]
    for picture in second:
        assert any(np.array_equal(picture, cell) for cell in cells)
    assert Image.fromarray(grid).mode == "RGB"
