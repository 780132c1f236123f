"""Pictures with points: MUCT's layout, the 68-point layout, persons, faults, real data."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import landmark_files
from datasets.core import DataError
from datasets.landmark_schemes import IBUG68, MUCT76
from tests.datasets.landmark_tables import write_pictures, write_table

POINTS = [1.0, 2.0, 0.0, 0.0, 20.0, 30.0]


def muct(folder: Path) -> Path:
    """MUCT as its archives unpack: pictures in `jpg`, tables in `muct-landmarks`."""
    names = [f"i{person:03d}q{camera}-fn" for person in range(6) for camera in "abc"]
    write_pictures(folder / "jpg", [f"{name}.jpg" for name in names])
    rows = {name: np.arange(152.0) % 29 for name in [*names, "ir000qa-fn"]}
    write_table(folder / "muct-landmarks" / "muct76-opencv.csv", rows, "name", tag=True)
    write_table(folder / "muct-landmarks" / "muct76.csv", rows, "name", tag=True)
    return folder


def faces(folder: Path, persons: int = 6) -> Path:
    names = [f"Some_One{person}_{frame:02d}.png" for person in range(persons) for frame in (1, 7)]
    write_pictures(folder / "images", names)
    write_table(folder / "keypoints.csv", dict.fromkeys(names, POINTS))
    return folder


def test_muct_is_found_and_split_by_person(tmp_path: Path) -> None:
    splits = landmark_files.load(muct(tmp_path), 0.2, 0.2, 3)
    parts = [splits.train, splits.validation, splits.test]
    assert splits.info.scheme is MUCT76
    assert "18 pictures of 6 persons" in splits.info.description
    persons = [{Path(part.identifier(i)).stem[:4] for i in range(len(part))} for part in parts]
    assert sum(map(len, persons)) == 6
    assert len(set.union(*persons)) == 6
    assert sum(map(len, parts)) == 18


def test_an_example_is_the_picture_with_its_points(tmp_path: Path) -> None:
    source, table = landmark_files.read_all(faces(tmp_path))
    example = source.example(3)
    assert source.identifier(3).endswith("images/Some_One1_07.png")
    assert example["image"].shape == (40, 30, 3)
    assert example["image"][0, 0, 0] == 13
    assert example["points"].tolist() == [[1, 2], [0, 0], [20, 30]]
    assert example["label"] == 1
    assert source.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert table.path.name == "keypoints.csv"


def test_the_split_is_a_function_of_the_seed(tmp_path: Path) -> None:
    folder = faces(tmp_path, 20)

    def tests_of(seed: int) -> list[str]:
        test = landmark_files.load(folder, 0.2, 0.2, seed).test
        return [test.identifier(index) for index in range(len(test))]

    assert tests_of(1) == tests_of(1)
    assert len({tuple(tests_of(seed)) for seed in range(4)}) > 1
    assert len(tests_of(0)) == 8


def test_persons_by_names() -> None:
    known = landmark_files.persons_of(["i001qa-fn", "i001rb-fn.jpg", "i624sa-mg"])
    assert known.tolist() == [0, 0, 1]
    numbered = landmark_files.persons_of(["A_B_01.jpg", "A_B_22.jpg", "A_C_01.jpg"])
    assert numbered.tolist() == [0, 0, 1]
    assert landmark_files.persons_of(["x.jpg", "A_B_2.jpg", "A_B_3.jpg"]).tolist() == [0, 1, 2]
    assert landmark_files.persons_of(["7-a", "7-b", "8-a", "z"], r"(\d)-").tolist() == [0, 0, 1, 2]
    for pattern in ("(", "abc"):
        with pytest.raises(DataError, match="--person-pattern must"):
            landmark_files.persons_of(["a"], pattern)


def test_parts_have_their_shares_of_the_pictures() -> None:
    persons = np.random.default_rng(0).integers(200, size=2000)
    parts = landmark_files.split_by_person(persons, 0.15, 0.2, 5, "here")
    assert [len(part) / 2000 for part in parts] == pytest.approx([0.65, 0.15, 0.2], abs=0.02)
    assert not set(persons[parts[0]]) & set(persons[parts[2]])


def test_too_few_persons(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"keypoints.csv.*2 persons.*--person-pattern '\(\.\*\)'"):
        landmark_files.load(faces(tmp_path, 2), 0.2, 0.2, 0)
    splits = landmark_files.load(tmp_path, 0.25, 0.25, 0, person_pattern="(.*)")
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [2, 1, 1]


def test_missing_pictures_are_named_or_left_out(tmp_path: Path) -> None:
    folder = faces(tmp_path)
    (folder / "images" / "Some_One2_01.png").unlink()
    with pytest.raises(DataError, match=r"'Some_One2_01\.png'.*--skip-bad-images"):
        landmark_files.load(folder, 0.2, 0.2, 0)
    assert len(landmark_files.read_all(folder, skip_missing=True)[0]) == 11
    subprocess.run(["rm", "-r", str(folder / "images")], check=True)
    with pytest.raises(DataError, match="and 9 more"):
        landmark_files.read_all(folder, skip_missing=True)


def test_a_name_chooses_among_the_pictures_of_the_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    write_pictures(tmp_path, ["outside.png"])
    write_pictures(folder / "a", ["one.png"])
    for name in ("../outside.png", str(tmp_path / "outside.png"), "outside"):
        write_table(folder / "points.csv", {name: POINTS})
        with pytest.raises(DataError, match="names pictures that are not in"):
            landmark_files.read_all(folder)
    write_pictures(folder / "b", ["one.png"])
    write_table(folder / "points.csv", {"one": POINTS})
    with pytest.raises(DataError, match=r"'one', which may be .*a/one.png or .*b/one.png"):
        landmark_files.read_all(folder)
    write_table(folder / "points.csv", {"b/one.png": POINTS})
    assert landmark_files.read_all(folder)[0].identifier(0).endswith("b/one.png")


def test_the_table_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder that can be found"):
        landmark_files.read_all(tmp_path / "nowhere")
    with pytest.raises(DataError, match="received none"):
        landmark_files.read_all(tmp_path)
    folder = faces(tmp_path)
    write_table(folder / "other.csv", {"a": POINTS})
    with pytest.raises(DataError, match=r"received keypoints.csv, other.csv"):
        landmark_files.read_all(folder)
    assert len(landmark_files.read_all(folder / "keypoints.csv")[0]) == 12


def test_a_point_far_outside_is_named_and_one_beside_is_not(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.png", "b.png"])
    write_table(tmp_path / "t.csv", {"a.png": [-10, 50, 3, 3], "b.png": [3, 3, 3, 400]})
    source, _ = landmark_files.read_all(tmp_path)
    assert source.example(0)["points"][0].tolist() == [-10, 50]
    with pytest.raises(DataError, match=r"t.csv line 3 column y01.*30 x 40 pixels, received 400"):
        source.example(1)


def test_points_on_a_turned_picture_are_taken_where_they_fit_it_upright_alone(
    tmp_path: Path,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (30, 40)).save(tmp_path / "a.jpg", exif=exif)
    write_table(tmp_path / "t.csv", {"a.jpg": [0, 0, 36, 20]})
    example = landmark_files.read_all(tmp_path)[0].example(0)
    assert example["image"].shape == (30, 40, 3)
    assert example["points"].tolist() == [[0, 0], [36, 20]]
    for point in ((20, 20), (20, 36), (-1, 36)):
        write_table(tmp_path / "t.csv", {"a.jpg": [0, 0, *point]})
        with pytest.raises(DataError, match=r"a\.jpg is stored turned .* its points may count"):
            landmark_files.read_all(tmp_path)[0].example(0)


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    write_table(tmp_path / "t.csv", {"a.png": POINTS})
    with pytest.raises(DataError, match=r"a\.png is not a picture"):
        landmark_files.read_all(tmp_path)[0].example(0)


def test_the_real_faces(shared_data: Path) -> None:
    splits = landmark_files.load(shared_data / "face_keypoints", 0.15, 0.2, 0)
    counts = [len(part) for part in (splits.train, splits.validation, splits.test)]
    assert sum(counts) == 600
    assert counts[2] == pytest.approx(120, abs=6)
    assert splits.info.scheme is IBUG68
    example = splits.test.example(0)
    assert example["points"].shape == (68, 2)
