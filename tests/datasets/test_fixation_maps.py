"""Maps of fixations against sums of Gaussians written out."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.fixation_maps import (
    PICTURE_DEGREES,
    Blur,
    fixation_counts,
    inside,
    pixels_of,
    saliency_map,
)

SIZE = (40, 60)
POINTS = np.array([[10.5, 20.5], [10.9, 20.1], [45.0, 8.0]])


def test_a_map_is_a_sum_of_gaussians_relative_to_its_highest_place() -> None:
    sigma = 3.0
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    written_out = np.zeros(SIZE)
    for x, y in POINTS:
        squared = (columns - int(x)) ** 2 + (rows - int(y)) ** 2
        written_out += np.exp(-squared / (2 * sigma**2))
    made = saliency_map(POINTS, SIZE, Blur(1.0, sigma))
    assert made.dtype == np.float32
    assert made.max() == 1
    # The Gaussian is cut off at four standard deviations, where it is exp(-8).
    np.testing.assert_allclose(made, written_out / written_out.max(), atol=1e-3)


def test_the_blur_is_an_angle() -> None:
    assert Blur(1.0, 20.0).pixels((240, 320)) == 20
    assert Blur(0.5, 20.0).pixels((240, 320)) == 10
    # 1024 pixels at 35 a degree.
    assert Blur().pixels((768, 1024)) == pytest.approx(35)
    assert Blur(2.0).pixels((320, 240)) == pytest.approx(2 * 320 / PICTURE_DEGREES)


def test_a_fixation_near_the_edge_gains_nothing_from_beyond_it() -> None:
    made = saliency_map(np.array([[0.0, 0.0]]), SIZE, Blur(1.0, 3.0))
    assert np.unravel_index(made.argmax(), SIZE) == (0, 0)
    assert made[3, 0] == pytest.approx(np.exp(-0.5), abs=1e-3)


@pytest.mark.parametrize("sigma", [30.0, 500.0, 1e300])
def test_a_wide_blur_is_a_sum_of_gaussians_as_well(sigma: float) -> None:
    """Of more pixels than memory holds it is flat."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    written_out = np.zeros(SIZE)
    for x, y in POINTS:
        distance = np.hypot(columns - int(x), rows - int(y)) / sigma
        written_out += np.exp(-(distance**2) / 2)
    made = saliency_map(POINTS, SIZE, Blur(1.0, sigma))
    np.testing.assert_allclose(made, written_out / written_out.max(), atol=1e-5)


def test_counts_and_pixels() -> None:
    counts = fixation_counts(POINTS, SIZE)
    assert counts.sum() == 3
    assert counts[20, 10] == 2
    assert counts[8, 45] == 1
    rows, columns = pixels_of(np.array([[-3.0, 50.0], [59.99, 0.0]]), SIZE)
    assert (rows.tolist(), columns.tolist()) == ([39, 0], [0, 59])


def test_what_lies_on_a_picture() -> None:
    points = np.array([[0, 0], [59.9, 39.9], [60, 10], [10, 40], [-0.1, 5], [5, -0.1]])
    assert inside(points, SIZE).tolist() == [True, True, False, False, False, False]


def test_a_far_corner_stays_finite_and_no_fixation_is_refused() -> None:
    made = saliency_map(np.array([[1.0, 1.0]]), (300, 300), Blur(1.0, 1.0))
    assert np.isfinite(made).all()
    assert made[-1, -1] == 0
    with pytest.raises(ValueError, match="at least one fixation"):
        saliency_map(np.zeros((0, 2)), SIZE, Blur())
