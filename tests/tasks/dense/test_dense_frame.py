"""What tasks for dense prediction share: panels, figures, intervals and tables of the report."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.common.dense import panels, report
from tasks.common.dense.config import DenseConfig, check_dense
from tasks.common.dense.figures import panel_rows
from tasks.common.errors import UserError


def test_quantities_go_from_the_first_colour_to_the_last_and_unknown_is_black() -> None:
    values = np.array([[0.0, 2.0, 4.0, 9.0, np.nan]])
    painted = panels.paint_quantity(values, 0, 4, "gray")
    np.testing.assert_allclose(painted[0, :4, 0], [0, 128, 255, 255], atol=1)
    assert painted[0, 4].tolist() == [0, 0, 0]
    assert painted.dtype == np.uint8


def test_classes_have_their_colours_and_void_is_black() -> None:
    ids = np.array([[0, 1.0, 7, -1]])
    painted = panels.paint_classes(ids, ((10, 20, 30), (40, 50, 60)))
    assert painted[0].tolist() == [[10, 20, 30], [40, 50, 60], [0, 0, 0], [0, 0, 0]]


def test_too_large_is_red_too_small_is_blue() -> None:
    red, white, blue = panels.paint_difference(np.array([[2.0, 0.0, -2.0]]), 1.0)[0]
    assert red.tolist() == [255, 0, 0]
    assert blue.tolist() == [0, 0, 255]
    assert white.min() > 250


def test_an_overlay_is_halfway() -> None:
    picture, painted = np.full((2, 3, 3), 100, np.uint8), np.full((2, 3, 3), 200, np.uint8)
    assert (panels.overlay(picture, painted) == 150).all()
    assert (panels.overlay(picture, painted, 0.0) == 100).all()


def test_panels_stand_side_by_side_and_rows_below_each_other() -> None:
    one = np.full((50, 64, 3), 7, np.uint8)
    row = panels.beside([one, one], ("input", "truth"))
    assert row.shape == (16 + 100, 2 * 128 + 4, 3)
    assert (row[16:, :128] == 7).all()
    plain = panels.beside([one, one])
    assert panels.below([row, plain]).shape == (116 + 4 + 100, 260, 3)


def test_an_interval_of_a_mean_is_that_of_statistics() -> None:
    """Of a mean of n numbers the interval is about 1.96 standard errors to either side."""
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    low, high = report.mean_interval(values)
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.3 * error)
    assert np.isnan(report.mean_interval(np.zeros(0))).all()


@pytest.mark.parametrize("better", ["max", "min"])
def test_best_and_worst_pictures(better: str) -> None:
    scores = np.array([0.5, np.nan, 0.9, 0.1, 0.7])
    asked = []

    def panels_of(index: int) -> list[np.ndarray]:
        asked.append(index)
        return [np.zeros((6, 8, 3), np.uint8)] * 4

    section = report.extremes(scores, panels_of, better, "score", count=2)
    best, worst = ([2, 4], [3, 0]) if better == "max" else ([3, 0], [2, 4])
    assert asked == best + worst
    assert list(section.figures) == ["best_pictures", "worst_pictures"]


def test_rows_of_panels_have_to_be_complete() -> None:
    panel = np.zeros((6, 8, 3), np.uint8)
    figure = panel_rows([[panel, panel]], ("input", "truth"), ("score 0.5",))
    assert len(figure.axes) == 2
    with pytest.raises(ValueError, match="a heading for each panel"):
        panel_rows([[panel]], ("input", "truth"), ("score 0.5",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", (0, 5)),
        ("zoom", (2.0, 1.0)),
        ("zoom", (0.0, 1.0)),
        ("turn", 4.0),
        ("cache_megabytes", -1),
    ],
)
def test_options_out_of_range_are_refused(name: str, value: object) -> None:
    check_dense(DenseConfig())
    with pytest.raises(UserError, match=f"--{name.replace('_', '-')}"):
        check_dense(DenseConfig(**{name: value}))
