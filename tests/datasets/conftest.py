"""Fixtures that several tests of data sets use."""

from __future__ import annotations

import pytest

from datasets import array_store
from tests.datasets.stores import BLOCK_BYTES


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores are checked in blocks of a few rows, so that small ones have several."""
    monkeypatch.setattr(array_store, "BLOCK_BYTES", BLOCK_BYTES)
