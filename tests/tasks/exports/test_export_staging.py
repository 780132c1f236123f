"""Files and folders that appear under their names only once they are complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.common.exports import staging


def test_staged_folder_replaces_an_older_one(tmp_path):
    place = tmp_path / "deep" / "saved"
    for content in ("one", "two"):
        with staging.staged(place) as unfinished:
            assert unfinished.parent == place.parent
            unfinished.mkdir()
            (unfinished / content).write_text(content)
    assert [path.name for path in place.iterdir()] == ["two"]
    assert [path.name for path in place.parent.iterdir()] == ["saved"]


def test_staged_failure_leaves_what_was_there(tmp_path):
    place = tmp_path / "saved"
    place.mkdir()
    (place / "old").touch()
    with pytest.raises(KeyboardInterrupt), staging.staged(place) as unfinished:
        unfinished.mkdir()
        (unfinished / "half").touch()
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    assert [path.name for path in place.iterdir()] == ["old"]


def test_staged_puts_the_older_folder_back_when_the_move_fails(tmp_path, monkeypatch):
    place = tmp_path / "saved"
    place.mkdir()
    (place / "old").touch()
    rename = Path.replace

    def failing(self, target):
        if ".unfinished" in self.name:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="no"), staging.staged(place) as unfinished:
        unfinished.mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    assert [path.name for path in place.iterdir()] == ["old"]


def test_staged_removes_what_a_killed_process_left(tmp_path):
    left = tmp_path / ".model.unfinished.onnx"
    left.write_bytes(b"half")
    with staging.staged(tmp_path / "model.onnx") as unfinished:
        assert unfinished == left
        assert not left.exists()
        unfinished.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
