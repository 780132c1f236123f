"""The line through measured costs and the distance from it."""

from __future__ import annotations

import pytest

from benchmarks.straight_line import fit


def test_costs_on_a_line_deviate_by_nothing() -> None:
    line = fit([1, 4, 16], [12.0, 18.0, 42.0])
    assert line.constant == pytest.approx(10)
    assert line.slope == pytest.approx(2)
    assert line.largest_deviation == pytest.approx(0, abs=1e-12)


def test_deviation_is_a_share_of_the_line() -> None:
    # Least squares through (0, 1), (1, 1), (2, 4): slope 1.5, constant 0.5; the line is at 0.5, 2
    # and 3.5, so the costs lie 0.5 / 0.5, 1 / 2 and 0.5 / 3.5 off it.
    line = fit([0, 1, 2], [1.0, 1.0, 4.0])
    assert (line.constant, line.slope) == (pytest.approx(0.5), pytest.approx(1.5))
    assert line.largest_deviation == pytest.approx(1.0)


def test_quadratic_growth_is_far_from_a_line() -> None:
    sizes = [1, 4, 16]
    assert fit(sizes, [size**2 + 20 for size in sizes]).largest_deviation > 0.15


def test_a_constant_cost_is_a_line_too() -> None:
    line = fit([1, 2, 3], [5.0, 5.0, 5.0])
    assert line.slope == pytest.approx(0, abs=1e-12)
    assert line.largest_deviation == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("sizes", "costs"),
    [
        ([1, 2], [1.0, 2.0]),
        ([1, 2, 2], [1.0, 2.0, 3.0]),
        ([1, 2, 3], [1.0, 2.0]),
        ([1, 2, 3], [0.0, 1.0, 2.0]),
    ],
)
def test_too_little_to_draw_a_line_is_refused(sizes: list[int], costs: list[float]) -> None:
    with pytest.raises(ValueError, match="at least three sizes"):
        fit(sizes, costs)
