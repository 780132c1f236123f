"""Places that cannot be written to are refused by name; places that can be made are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.common.errors import UserError
from tasks.common.output_places import require_file, require_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    return tmp_path


@pytest.mark.parametrize("name", ["file", "new", "folder/new", "deep/er/new"])
def test_a_file_that_can_be_written_passes_and_is_left_alone(place, name):
    before = sorted(place.rglob("*"))
    require_file(Path(name), "--output")
    require_file(place / name, "--output")
    assert sorted(place.rglob("*")) == before
    assert (place / "file").read_text() == "kept"


@pytest.mark.parametrize("name", ["folder", "new", "deep/er"])
def test_a_folder_that_is_there_or_can_be_made_passes(place, name):
    require_folder(Path(name), "--output")
    assert not (place / "new").exists()


@pytest.mark.parametrize(
    "require, name, part",
    [
        (require_file, "folder", "--output must lead to a file. Received: the folder folder"),
        (require_file, "file/new", "file is none"),
        (require_file, "file/deep/new", "file is none"),
        (require_file, "nowhere/new", "nowhere is none"),
        (require_file, "folder/" + "n" * 250, "250 bytes"),
        (require_folder, "file", "--output must be a folder. Received: the file file"),
        (require_folder, "nowhere", "--output must be a folder"),
        (require_folder, "file/new", "file is none"),
        (require_folder, "ö" * 130, "260 bytes"),
    ],
)
def test_other_places_are_refused_in_a_sentence(place, require, name, part):
    with pytest.raises(UserError) as raised:
        require(Path(name), "--output")
    assert part in str(raised.value)


@pytest.mark.parametrize("require", [require_file, require_folder])
def test_a_folder_without_permission_is_named(place, monkeypatch, require):
    # Tests may run as root, who may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place / "folder")
    with pytest.raises(UserError, match=r"no permission to write to .*folder"):
        require(Path("folder/new"), "--output")


def test_a_name_too_long_for_the_system_is_counted(place):
    with pytest.raises(UserError, match="305 bytes"):
        require_file(Path(300 * "y" + ".json"), "--json")
    with pytest.raises(UserError, match="300 bytes"):
        require_folder(Path(300 * "y"), "--pictures")
