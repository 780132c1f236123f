"""Names beside points: none covers another where there is room."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.text import Annotation

from tasks.common.figures import new_figure
from tasks.common.point_labels import best_place, label_points

INSIDE = np.array([0.0, 0.0, 400.0, 300.0])
POINT = np.array([200.0, 150.0])


def overlap(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.all(first[:2] < second[2:]) and np.all(second[:2] < first[2:]))


def test_the_nearest_place_is_to_the_right() -> None:
    offset, box = best_place(POINT, (40.0, 10.0), [], INSIDE)
    np.testing.assert_allclose(offset, [5, -5])
    np.testing.assert_allclose(box, [205, 145, 245, 155])


def test_a_place_that_is_taken_is_left_alone() -> None:
    right = np.array([203.0, 100.0, 300.0, 200.0])
    _, box = best_place(POINT, (40.0, 10.0), [right], INSIDE)
    assert not overlap(box, right)
    assert box[2] <= 200


def test_a_name_stays_inside() -> None:
    _, box = best_place(np.array([395.0, 295.0]), (40.0, 10.0), [], INSIDE)
    assert np.all(box[2:] <= INSIDE[2:])


def test_without_any_free_place_the_freest_is_taken() -> None:
    everything = np.array([0.0, 0.0, 400.0, 300.0])
    _, box = best_place(POINT, (40.0, 10.0), [everything], INSIDE)
    assert np.all(box[2:] > box[:2])


@pytest.mark.parametrize("log", [False, True])
def test_names_of_a_crowd_do_not_cover_each_other(log: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = 10 ** rng.uniform(0, 2, 30), 10 ** rng.uniform(0, 2, 30)
    figure = new_figure(9.5, 6.0)
    axes = figure.subplots()
    axes.plot(x, y, "o")
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    else:
        x, y = np.log10(x), np.log10(y)
        axes.clear()
        axes.plot(x, y, "o")
    label_points(axes, x, y, [f"network number {index}" for index in range(30)])
    figure.canvas.draw()
    shown = [text for text in axes.texts if isinstance(text, Annotation)]
    assert len(shown) == 30
    boxes = [
        text.get_window_extent(figure.canvas.get_renderer()).extents
        if text.arrow_patch is None
        else super(Annotation, text).get_window_extent(figure.canvas.get_renderer()).extents
        for text in shown
    ]
    covered = sum(overlap(a, b) for a, b in itertools.combinations(boxes, 2))
    assert covered <= 1
