"""Folders to write to are kept apart from what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.common.errors import UserError
from tasks.common.found_pictures import require_apart


def test_a_link_that_leads_to_itself_is_an_argument_like_any_other(tmp_path: Path) -> None:
    """Reading it says what is wrong."""
    (tmp_path / "in").mkdir()
    loop = tmp_path / "in" / "loop.png"
    loop.symlink_to("loop.png")
    require_apart(tmp_path / "out", [loop])
    with pytest.raises(UserError, match="must be a folder apart"):
        require_apart(tmp_path / "in", [loop])
    with pytest.raises(UserError, match="must be a folder apart"):
        require_apart(tmp_path / "in", [tmp_path / "in"])
