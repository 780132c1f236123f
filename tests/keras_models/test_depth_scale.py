"""Metres as shares of a scale, and back."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_models.depth_scale import (
    MetresToShares,
    SharesToMetres,
    metres_to_shares,
    shares_to_metres,
)


def test_a_linear_scale_ends_at_the_largest_depth() -> None:
    shares = metres_to_shares(np.array([0.5, 5.0, 10.0, 40.0]), "linear", 0.1, 10.0)
    np.testing.assert_allclose(shares, [0.05, 0.5, 1.0, 1.0], atol=1e-7)


def test_equal_factors_are_equal_steps_of_a_log_scale() -> None:
    """From 2 m to 32 m there are four doublings."""
    shares = metres_to_shares(np.array([1.0, 2.0, 4.0, 8.0, 32.0, 100.0]), "log", 2.0, 32.0)
    np.testing.assert_allclose(shares, [0.0, 0.0, 0.25, 0.5, 1.0, 1.0], atol=1e-6)


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_what_has_no_depth_is_far(kind: str) -> None:
    shares = metres_to_shares(np.array([0.0, -1.0, np.nan, np.inf]), kind, 2.0, 30.0)
    np.testing.assert_allclose(shares, 1.0, atol=1e-6)


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_there_and_back(kind: str) -> None:
    metres = np.array([2.0, 3.3, 17.0, 60.0], np.float32)
    shares = metres_to_shares(metres, kind, 2.0, 60.0)
    np.testing.assert_allclose(shares_to_metres(shares, kind, 2.0, 60.0), metres, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "nearest", "largest"),
    [("square", 1.0, 2.0), ("log", 0.0, 2.0), ("log", 2.0, 2.0), ("linear", 1.0, np.inf)],
)
def test_a_scale_that_is_none_is_refused(kind: str, nearest: float, largest: float) -> None:
    with pytest.raises(ValueError, match="Received"):
        MetresToShares(kind, nearest, largest)


def test_the_layers_are_saved_with_their_scale(tmp_path: Path) -> None:
    depth = keras.Input((2, 3, 1), name="depth")
    shares = MetresToShares("log", 1.5, 70.0)(depth)
    model = keras.Model(depth, SharesToMetres("log", 1.5, 70.0, name="back")(shares))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    metres = np.linspace(1.5, 70.0, 6, dtype=np.float32).reshape(1, 2, 3, 1)
    np.testing.assert_allclose(again.predict_on_batch(metres), metres, rtol=1e-5)
    assert again.get_layer("back").largest == 70.0
