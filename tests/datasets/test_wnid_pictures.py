"""Pictures named by wnid, and the class index that says which class a wnid is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from datasets import wnid_pictures
from datasets.core import DataError
from datasets.wnid_pictures import ClassIndex

INDEX = ClassIndex(("n01440764", "n01443537", "n02123045"), ("tench", "goldfish", "tabby"))


def picture(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (shade, 0, 0)).save(path)


def write_index(path: Path, entries: object) -> Path:
    path.write_text(json.dumps(entries))
    return path


def test_labels_follow_the_wnid_of_the_file_or_of_its_folder(tmp_path: Path) -> None:
    picture(tmp_path / "n02123045_tabby.png", 10)
    picture(tmp_path / "n01440764_1234.JPEG", 20)
    picture(tmp_path / "n01443537" / "swims.png", 30)
    source = wnid_pictures.load(tmp_path, INDEX)
    found = {Path(source.identifier(i)).name: int(source.labels[i]) for i in range(len(source))}
    assert found == {"n02123045_tabby.png": 2, "n01440764_1234.JPEG": 0, "swims.png": 1}
    assert int(source.example(0)["label"]) == source.labels[0]


@pytest.mark.parametrize("name", ["tabby.png", "n0212304_short.png", "n021230451_long.png"])
def test_a_name_without_a_wnid_is_one_sentence(tmp_path: Path, name: str) -> None:
    picture(tmp_path / name)
    with pytest.raises(DataError, match=r"begin with the wnid .*n02123045_1\.jpg") as caught:
        wnid_pictures.load(tmp_path, INDEX)
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wnid_outside_the_index_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "n99999999_1.png")
    with pytest.raises(DataError, match=r"n99999999, which is not among the 3"):
        wnid_pictures.load(tmp_path, INDEX)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing to see")
    with pytest.raises(DataError, match="holds no picture"):
        wnid_pictures.load(tmp_path, INDEX)
    with pytest.raises(DataError, match="not a folder"):
        wnid_pictures.load(tmp_path / "missing", INDEX)


def test_an_index_in_keras_s_layout(tmp_path: Path) -> None:
    entries = {"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench"]}
    index = wnid_pictures.read_class_index(write_index(tmp_path / "index.json", entries))
    assert index == ClassIndex(("n01440764", "n01443537"), ("tench", "goldfish"))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({}, "0 entries"),
        ([["n01440764", "tench"]], "one JSON object, received list"),
        ({"1": ["n01440764", "tench"]}, 'received None for "0"'),
        ({"0": ["n01440764"]}, "n01440764.* for"),
        ({"0": ["tench", "n01440764"]}, 'for "0" of 1'),
        ({"0": [1, 2]}, 'for "0" of 1'),
        ({"0": ["n01440764", "a"], "1": ["n01440764", "b"]}, "n01440764 twice"),
    ],
)
def test_a_damaged_index_is_one_sentence(tmp_path: Path, entries: object, reason: str) -> None:
    path = write_index(tmp_path / "index.json", entries)
    with pytest.raises(DataError, match=reason) as caught:
        wnid_pictures.read_class_index(path)
    assert str(path) in str(caught.value)
    assert "imagenet_class_index.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b'{"0": ["n014', b"\xff\xfe\x00", b"[" * 100_000, b""])
def test_a_file_that_is_no_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged or no JSON"):
        wnid_pictures.read_class_index(path)


def test_an_index_that_is_missing_or_far_too_large(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        wnid_pictures.read_class_index(tmp_path / "missing.json")
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(DataError, match="more than 10000000 bytes"):
        wnid_pictures.read_class_index(large)


def test_the_real_index_and_the_real_pictures(shared_data: Path, shared_weights: Path) -> None:
    index = wnid_pictures.read_class_index(shared_weights / "imagenet_class_index.json")
    assert len(index.wnids) == 1000
    assert (index.wnids[281], index.names[281]) == ("n02123045", "tabby")
    source = wnid_pictures.load(shared_data / "imagenet_sample", index)
    assert len(source) == len(set(source.labels.tolist())) == 240
    first = Path(source.identifier(0)).stem
    assert first.removeprefix(index.wnids[source.labels[0]] + "_") == index.names[source.labels[0]]
