"""Weights of rare classes, by the formulas of their papers."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.common.segmentation.class_weights import class_weights

SHARES = (0.5, 0.3, 0.2, 0.0)


def test_enet() -> None:
    weights = np.array(class_weights(SHARES, "enet", 1.02))
    ratio = np.log(1.02 + 0.5) / np.log(1.02 + 0.2)
    assert weights[2] / weights[0] == pytest.approx(ratio)
    assert weights[3] == 0


def test_a_larger_constant_makes_weights_more_alike() -> None:
    spread = [np.ptp(class_weights(SHARES[:3], "enet", constant)) for constant in (1.0, 1.1, 2.0)]
    assert spread == sorted(spread, reverse=True)


def test_median_frequency() -> None:
    weights = np.array(class_weights(SHARES, "median_frequency"))
    np.testing.assert_allclose(weights[:3] / weights[1], [0.3 / 0.5, 1, 0.3 / 0.2])
    assert weights[3] == 0


@pytest.mark.parametrize("weighting", ["enet", "median_frequency"])
def test_the_mean_over_the_pixels_is_one(weighting: str) -> None:
    assert np.dot(class_weights(SHARES, weighting), SHARES) == pytest.approx(1)
    assert class_weights((1.0,), weighting) == pytest.approx((1.0,))


def test_none_and_constants_that_give_no_weights() -> None:
    assert class_weights(SHARES, "none") is None
    with pytest.raises(ValueError, match="at least 1"):
        class_weights(SHARES, "enet", 0.9)
