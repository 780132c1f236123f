"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; a test that needs it skips without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data is not beside the checkout ({SHARED / 'data'} is missing)")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """The folder of real weights beside the checkout; a test that needs it skips without it."""
    if not (SHARED / "weights").is_dir():
        pytest.skip(f"real weights are not beside the checkout ({SHARED / 'weights'} is missing)")
    return SHARED / "weights"
