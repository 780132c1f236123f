"""Networks, losses, metrics and schedules on JAX and PyTorch, beside TensorFlow.

Where one of the two is installed; each back end needs a process of its own.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.keras_models.back_end_probe import USED

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("jax", "torch")
# Of the largest number of an array, and of each. Sums are taken in another order, which
# BatchNormalization of a batch of two magnifies on the way back.
TOLERANCE, STEP_TOLERANCE = 1e-4, 1e-3

pytestmark = pytest.mark.slow


def results(back_end: str, folder: Path) -> dict[str, np.ndarray]:
    """What a process on this back end computes with the networks in `folder`."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.keras_models.back_end_probe", str(folder)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": back_end},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    with np.load(folder / f"{back_end}.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """The folder with the networks, and TensorFlow's results."""
    folder = tmp_path_factory.mktemp("networks")
    return folder, results("tensorflow", folder)


@pytest.mark.parametrize(
    "back_end",
    [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                importlib.util.find_spec(name) is None, reason=f"{name} is not installed"
            ),
        )
        for name in OTHERS
    ],
)
def test_another_back_end_answers_and_learns_like_tensorflow(
    back_end: str, expected: tuple[Path, dict[str, np.ndarray]]
) -> None:
    folder, tensorflow = expected
    other = results(back_end, folder)
    assert other.keys() == tensorflow.keys()
    assert other.pop(USED).tolist() == tensorflow[USED].tolist()
    for name, received in other.items():
        truth = tensorflow[name].astype(np.float64)
        known = np.abs(truth[np.isfinite(truth)])
        largest = known.max() if known.size else 0.0
        limit = STEP_TOLERANCE if name.endswith("/step") else TOLERANCE
        np.testing.assert_allclose(
            received, truth, rtol=limit, atol=limit * largest, err_msg=f"{back_end}: {name}"
        )
