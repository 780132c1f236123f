"""Unreadable pictures are found, named and taken out."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import check
from datasets.core import DataError
from datasets.files import PictureFiles

LABELS = np.arange(40) % 4


@pytest.fixture
def source(tmp_path) -> PictureFiles:
    """40 pictures of 4 classes; 3 is cut short, 17 is no picture, 38 is missing."""
    paths = [tmp_path / f"{i:02}.png" for i in range(40)]
    for i, path in enumerate(paths):
        Image.new("RGB", (5, 4), (i, 0, 0)).save(path)
    paths[3].write_bytes(paths[3].read_bytes()[:45])
    paths[17].write_text("no picture")
    paths[38].unlink()
    return PictureFiles(paths, LABELS)


@pytest.mark.parametrize("workers", [1, 3, 16])
def test_bad_pictures_are_found_in_order_with_progress(source, workers):
    progress = []
    bad = check.find_bad_pictures(source, lambda *done: progress.append(done), workers)
    assert [picture.index for picture in bad] == [3, 17, 38]
    assert [Path(picture.identifier).name for picture in bad] == ["03.png", "17.png", "38.png"]
    for picture, why in zip(bad, ("cannot be decoded", "not a picture", "not found"), strict=True):
        assert why in picture.reason
        assert picture.identifier in picture.reason
    assert progress[-1] == (40, 40)
    assert progress == sorted(progress)


def test_without_drops_exactly_the_bad_ones(source):
    kept = check.without(source, check.find_bad_pictures(source))
    rest = np.delete(np.arange(40), [3, 17, 38])
    np.testing.assert_array_equal(kept.labels, LABELS[rest])
    assert [int(kept.example(i)["image"][0, 0, 0]) for i in range(37)] == rest.tolist()
    assert check.find_bad_pictures(kept) == []
    assert check.without(source, []) is source


def test_a_class_left_empty_is_refused(source):
    bad = [check.BadPicture(i, source.identifier(i), "x") for i in range(2, 40, 4)]
    with pytest.raises(DataError, match=r"Class 2 has no readable picture left.*02\.png"):
        check.without(source, bad)


def test_the_message_counts_names_the_first_and_advises(source):
    check.require_no_bad_pictures([])
    bad = check.find_bad_pictures(source)
    with pytest.raises(DataError, match=r"^3 pictures .*03\.png.*--skip-bad-images") as caught:
        check.require_no_bad_pictures(bad)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"^1 picture "):
        check.require_no_bad_pictures(bad[:1])


class Counting:
    """Counts how many examples exist at the same time."""

    def __init__(self) -> None:
        self.alive = self.most = 0
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return 300

    def identifier(self, index: int) -> str:
        return str(index)

    def example(self, index: int) -> dict:
        counter = self

        class Picture:
            def __init__(self) -> None:
                with counter.lock:
                    counter.alive += 1
                    counter.most = max(counter.most, counter.alive)

            def __del__(self) -> None:
                with counter.lock:
                    counter.alive -= 1

        return {"image": Picture()}


def test_no_more_pictures_in_memory_than_workers():
    counting = Counting()
    assert check.find_bad_pictures(counting, None, workers=4) == []
    assert 1 <= counting.most <= 4


def test_faults_of_the_program_are_not_taken_for_bad_pictures(source, monkeypatch):
    monkeypatch.setattr(PictureFiles, "example", lambda self, index: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check.find_bad_pictures(source)


def test_an_empty_source_has_no_bad_pictures():
    assert check.find_bad_pictures(PictureFiles([], [])) == []
