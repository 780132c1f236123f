"""Pictures with fixations: what is kept, what is left out and counted, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import fixated_street, saliency
from datasets.core import DataError
from datasets.fixation_maps import Blur, saliency_map
from tests.datasets.fixation_lists import write_data, write_list, write_pictures


def test_an_example_holds_the_fixations_on_its_picture(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.png"])
    rows = ["a.png,0,5,6,0.3,0.1", "a.png,1,40.5,3,0.4,0.1", "a.png,1,39.5,29.5,0.4,0.1"]
    write_list(tmp_path, rows)
    source, sentence = saliency.read_all(tmp_path, Blur())
    example = source.example(0)
    assert example["image"].shape == (30, 40, 3)
    assert example["fixations"].tolist() == [[5, 6], [39.5, 29.5]]
    assert example["observers"].tolist() == [0, 1]
    expected = saliency_map(example["fixations"], (30, 40), Blur())
    np.testing.assert_array_equal(example["saliency"], expected)
    assert sentence.startswith("Pictures: 1, with 3 fixations, observers: 2; left out are 1 of")


def test_fixations_before_the_picture_was_seen_are_left_out(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.png", "b.png"])
    rows = ["a.png,0,20,15,0.0,0.3", "a.png,0,5,6,0.1,0.1", "b.png,0,20,15,0.09,0.1"]
    write_list(tmp_path, rows)
    source, sentence = saliency.read_all(tmp_path, Blur())
    assert len(source) == 1
    assert source.example(0)["fixations"].tolist() == [[5, 6]]
    assert "2 others that began before 0.1 s" in sentence
    everything, _ = saliency.read_all(tmp_path, Blur(), earliest_seconds=0.0)
    assert len(everything) == 2
    with pytest.raises(DataError, match="smaller --earliest-seconds"):
        saliency.read_all(tmp_path, Blur(), earliest_seconds=5.0)


def test_a_picture_whose_fixations_all_lie_beside_it_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.png"])
    write_list(tmp_path, ["a.png,0,50,6,0.3,0.1", "a.png,0,-1,6,0.3,0.1"])
    source, _ = saliency.read_all(tmp_path, Blur())
    with pytest.raises(DataError, match=r"a\.png of 40 x 30 pixels, received 2 .* in row 2"):
        source.example(0)


def stored_turned(path: Path, orientation: int) -> None:
    """Of 30 x 40 pixels (width, height) as stored; upright 40 x 30 for the orientations 5 to 8."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (30, 40)).save(path, exif=exif)


@pytest.mark.parametrize(
    ("orientation", "points"),
    [
        (6, [(5, 6), (29, 29)]),  # on both
        (6, [(5, 6), (20, 35)]),  # on the stored one
        (6, [(5, 6), (45, 6)]),  # one on neither
        (3, [(5, 6), (20, 35)]),  # upside down it has the same size
    ],
)
def test_fixations_on_a_turned_picture_are_not_placed_by_chance(
    tmp_path: Path, orientation: int, points: list[tuple[int, int]]
) -> None:
    stored_turned(tmp_path / "images" / "a.jpg", orientation)
    write_list(tmp_path, [f"a.jpg,0,{x},{y},0.3,0.1" for x, y in points])
    source, _ = saliency.read_all(tmp_path, Blur())
    message = rf"a\.jpg is stored turned \(EXIF orientation {orientation}\), and its fixations may"
    with pytest.raises(DataError, match=message):
        source.example(0)


def test_fixations_that_fit_the_upright_picture_alone_are_taken(tmp_path: Path) -> None:
    stored_turned(tmp_path / "images" / "a.jpg", 6)
    write_list(tmp_path, ["a.jpg,0,5,6,0.3,0.1", "a.jpg,0,35,6,0.3,0.1"])
    example = saliency.read_all(tmp_path, Blur())[0].example(0)
    assert example["image"].shape == (30, 40, 3)
    assert example["fixations"].tolist() == [[5, 6], [35, 6]]


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    write_data(tmp_path, 2)
    (tmp_path / "images" / "001.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    source, _ = saliency.read_all(tmp_path, Blur())
    with pytest.raises(DataError, match=r"fixations\.csv row 22 names a picture .*001\.png"):
        source.example(1)


def test_missing_pictures_are_named_or_left_out(tmp_path: Path) -> None:
    write_data(tmp_path, 3)
    (tmp_path / "images" / "001.png").unlink()
    with pytest.raises(DataError, match=r"row 22 names the picture '001\.png', which is not in"):
        saliency.read_all(tmp_path, Blur())
    source, sentence = saliency.read_all(tmp_path, Blur(), skip_missing=True)
    assert len(source) == 2
    assert "what is missing: 1" in sentence


@pytest.mark.parametrize("name", ["../outside.png", "/etc/passwd", "images/../../outside.png"])
def test_names_lead_nowhere_but_to_pictures_in_the_folder(tmp_path: Path, name: str) -> None:
    write_pictures(tmp_path, ["outside.png"])
    (tmp_path / "images" / "outside.png").rename(tmp_path / "outside.png")
    write_pictures(tmp_path / "data", ["a.png"])
    write_list(tmp_path / "data", ["a.png,0,5,6,0.3,0.1", f"{name},0,5,6,0.3,0.1"])
    with pytest.raises(DataError, match="row 3 names the picture"):
        saliency.read_all(tmp_path / "data", Blur())


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.png"])
    write_pictures(tmp_path / "more", ["a.png"])
    write_list(tmp_path, ["a.png,0,5,6,0.3,0.1"])
    with pytest.raises(DataError, match=r"row 2 names the picture 'a\.png', which may be"):
        saliency.read_all(tmp_path, Blur())


@pytest.mark.parametrize("other", ["images/a.png", "a"])
def test_two_names_of_one_picture_are_refused(tmp_path: Path, other: str) -> None:
    """They would be two examples, one of which may be of the test split."""
    write_pictures(tmp_path, ["a.png", "b.png"])
    write_list(tmp_path, [f"{name},0,5,6,0.3,0.1" for name in ("a.png", "b.png", other)])
    message = rf"must name each picture in one way, received 'a\.png' and '{other}' for"
    with pytest.raises(DataError, match=message):
        saliency.read_all(tmp_path, Blur())


def test_places_without_one_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="received none"):
        saliency.find_table(tmp_path)
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("image,subject,x,y\n")
    with pytest.raises(DataError, match=r"received one\.csv, two\.csv"):
        saliency.find_table(tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        saliency.find_table(tmp_path / "nowhere")
    assert saliency.find_table(tmp_path / "one.csv") == tmp_path / "one.csv"


def test_splits_are_seeded_and_share_nothing(tmp_path: Path) -> None:
    write_data(tmp_path, 20)
    splits = saliency.load(tmp_path, 0.2, 0.3, 1, Blur())
    again = saliency.load(tmp_path, 0.2, 0.3, 1, Blur())
    other = saliency.load(tmp_path, 0.2, 0.3, 2, Blur())

    def names(part) -> list[str]:
        return [part.identifier(index) for index in range(len(part))]

    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [10, 4, 6]
    parts = [names(part) for part in (splits.train, splits.validation, splits.test)]
    assert len({name for part in parts for name in part}) == 20
    assert names(again.test) == parts[2] != names(other.test)
    with pytest.raises(DataError, match="three splits, received 2"):
        saliency.load(write_data(tmp_path / "few", 2), 0.2, 0.3, 1, Blur())


def test_drawn_streets_have_fixations_and_maps() -> None:
    splits = fixated_street.load((3, 2, 2), (48, 64), 0, Blur())
    example = splits.train.example(1)
    assert set(example) == {"image", "saliency", "fixations", "observers", "label"}
    assert example["saliency"].shape == (48, 64)
    assert len(example["fixations"]) == len(example["observers"]) > 0
    assert splits.train.labels.tolist() == [0, 0, 0]
    assert not np.array_equal(example["image"], splits.test.example(1)["image"])


def test_the_real_data_is_read_whole(shared_data: Path) -> None:
    source, sentence = saliency.read_all(shared_data / "sun500_saliency", Blur())
    assert len(source) == 380
    # 33,422 rows, of which 536 began within a tenth of a second.
    assert "Pictures: 380, with 32886 fixations, observers: 12" in sentence
    assert "5 of these beside their pictures, 536 others" in sentence
    assert source.example(0)["saliency"].max() == 1
