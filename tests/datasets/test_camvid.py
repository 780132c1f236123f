"""CamVid as its public copies lie on disk: lists, suffixes, damage, splits by sequence."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import camvid
from datasets.core import DataError
from tests.datasets.camvid_folders import SEQUENCES, SIZE, mask_of, write_camvid


def names(source) -> list[str]:
    return [Path(source.identifier(index)).stem for index in range(len(source))]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("lists", [True, False])
def test_the_public_layout(tmp_path: Path, suffix: str, lists: bool) -> None:
    splits = camvid.load(write_camvid(tmp_path, suffix=suffix, lists=lists))
    for split, folder in camvid.FOLDERS.items():
        source = getattr(splits, split)
        assert names(source) == list(SEQUENCES[folder])
        example = source.example(1)
        assert example["image"].shape == (*SIZE, 3)
        assert abs(int(example["image"][3, 3, 0]) - 10) <= 1
        np.testing.assert_array_equal(example["mask"], mask_of(1))
        assert example["mask"].dtype == np.uint8
        assert example["label"] == source.labels[1]
    assert splits.info.class_names == (
        *("Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence"),
        *("Car", "Pedestrian", "Bicyclist"),
    )
    assert len(splits.info.class_colours) == 11
    assert "4 test frames are those of its folder test" in splits.info.description


def test_the_folder_above_and_lists_with_other_paths(tmp_path: Path) -> None:
    root = write_camvid(tmp_path / "CamVid", suffix=".jpg")
    lines = [f"train/{name}.jpg trainannot/{name}.png" for name in SEQUENCES["train"][::-1]]
    (root / "train.txt").write_text("\n\n".join(lines))
    assert names(camvid.load(tmp_path).train) == list(SEQUENCES["train"])[::-1]


def test_without_test_frames_the_first_of_every_sequence_are_held_out(tmp_path: Path) -> None:
    splits = camvid.load(write_camvid(tmp_path, ("train", "val")), test_fraction=0.2)
    first, second = SEQUENCES["train"][:10], SEQUENCES["train"][10:]
    assert names(splits.test) == [*first[:2], *second[:4]]
    assert names(splits.train) == [*first[2:], *second[4:]]
    assert names(splits.validation) == list(SEQUENCES["val"])
    assert "the first 20% of each training sequence" in splits.info.description


def test_the_first_are_the_first_in_time_whatever_the_order_of_the_list(tmp_path: Path) -> None:
    root = write_camvid(tmp_path, ("train", "val"))
    lines = (root / "train.txt").read_text().splitlines()
    order = np.random.default_rng(0).permutation(len(lines))
    (root / "train.txt").write_text("\n".join(lines[index] for index in order))
    found = names(camvid.load(root, test_fraction=0.2).test)
    assert sorted(found) == [*SEQUENCES["train"][:2], *SEQUENCES["train"][10:14]]


@pytest.mark.parametrize("with_test", [True, False])
def test_whole_sequences_are_held_out(tmp_path: Path, with_test: bool) -> None:
    folders = ("train", "val", "test") if with_test else ("train", "val")
    splits = camvid.load(write_camvid(tmp_path, folders), held_out=("0006R0",))
    assert {camvid.sequence_of(name) for name in names(splits.train)} == {"0001TP"}
    assert {camvid.sequence_of(name) for name in names(splits.test)} == {"0006R0"}
    assert len(splits.train) + len(splits.test) == len(SEQUENCES["train"])
    assert splits.info.sequence_of(splits.test.identifier(0)) == "0006R0"


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (("0016E5",), r"0001TP, 0006R0, received 0016E5"),
        (("0001TP", "0006R0"), r"must leave a sequence for training .* received all"),
    ],
)
def test_sequences_that_cannot_be_held_out(
    tmp_path: Path, held_out: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        camvid.load(write_camvid(tmp_path), held_out=held_out)


@pytest.mark.parametrize("fraction", [0.0, 0.01, 1.0])
def test_a_share_that_leaves_a_split_empty(tmp_path: Path, fraction: float) -> None:
    with pytest.raises(DataError, match="choose another --test-fraction"):
        camvid.load(write_camvid(tmp_path, ("train", "val")), test_fraction=fraction)


def damaged(root: Path, change) -> str:
    """What is said of the third training frame after `change(picture, mask)`."""
    name = SEQUENCES["train"][2]
    change(root / "train" / f"{name}.png", root / "trainannot" / f"{name}.png")
    source = camvid.load(root).train
    with pytest.raises(DataError) as caught:
        source.example(2)
    source.example(1)
    assert name in str(caught.value)
    return str(caught.value)


def save(array: np.ndarray, path: Path, **options: object) -> None:
    Image.fromarray(array).save(path, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _, mask: save(mask_of(0)[:5], mask), "size of its picture, 16 x 12 .* 16 x 5"),
        (
            lambda _, mask: save(np.where(mask_of(0) == 3, 12, mask_of(0)).astype(np.uint8), mask),
            "from 0 to 10, or 11 for void, received 12 in row 1, column 3",
        ),
        (lambda _, mask: save(mask_of(0).astype(np.uint16), mask), "8-bit class id .* mode I"),
        (lambda _, mask: save(np.stack([mask_of(0)] * 3, -1), mask), "mode RGB.*not colours"),
        (lambda _, mask: save(mask_of(0) > 3, mask), "mode 1"),
        (lambda _, mask: mask.write_bytes(mask.read_bytes()[:60]), "cut short or damaged"),
        (lambda _, mask: mask.write_bytes(b""), "is not a mask that can be read"),
        (lambda _, mask: mask.write_text("nothing of the kind"), "is not a mask"),
        (lambda _, mask: save(mask_of(0), mask, format="JPEG"), "is not a mask"),
        (lambda _, mask: mask.unlink(), "was not found: put the mask there"),
        (lambda _, mask: (mask.unlink(), os.mkfifo(mask)), "is not a file, so it is no mask"),
        (lambda picture, _: picture.unlink(), "was not found"),
        (lambda picture, _: picture.write_bytes(picture.read_bytes()[:50]), "cut short or damaged"),
    ],
)
def test_damage_is_named(tmp_path: Path, change, message: str) -> None:
    told = damaged(write_camvid(tmp_path), change)
    assert re.search(message, told)
    assert "object at 0x" not in told, "a place in memory, which says nothing"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_mask_that_is_stored_turned_is_refused(tmp_path: Path, kind: str) -> None:
    """Upside down it has the size of its picture all the same."""
    exif = Image.Exif()
    exif[0x0112] = 3
    message = damaged(
        write_camvid(tmp_path), lambda _, mask: save(mask_of(0), mask, format=kind, exif=exif)
    )
    assert "is stored turned (EXIF orientation 3), and whether its picture is" in message
    assert message.endswith("save both upright.")


def test_a_picture_that_is_turned_away_from_its_mask_is_refused(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3

    def turn(picture: Path, mask: Path) -> None:
        save(np.zeros((*mask_of(0).shape, 3), np.uint8), picture, exif=exif)

    message = damaged(write_camvid(tmp_path), turn)
    assert "stored turned (EXIF orientation 3), which its mask may not follow: save both" in message


def test_ids_of_a_palette_are_ids(tmp_path: Path) -> None:
    root = write_camvid(tmp_path)
    path = root / "valannot" / f"{SEQUENCES['val'][0]}.png"
    image = Image.fromarray(mask_of(4))
    image.putpalette([7] * 768)
    image.save(path)
    assert Image.open(path).mode == "P"
    mask = camvid.load(root).validation.example(0)["mask"]
    np.testing.assert_array_equal(mask, mask_of(4))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train/x.png", r"train.txt line 2 must be the path of a picture"),
        ("train/x.png trainannot/x.png third", "received 'train/x.png trainannot/x.png third'"),
        ("/ /", "line 2"),
        ("train/x\0.png trainannot/x.png", "line 2"),
    ],
)
def test_a_damaged_list_is_named(tmp_path: Path, line: str, message: str) -> None:
    root = write_camvid(tmp_path)
    lines = (root / "train.txt").read_text().splitlines()
    (root / "train.txt").write_text("\n".join([lines[0], line, *lines[1:]]))
    with pytest.raises(DataError, match=message):
        camvid.load(root)


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    root = write_camvid(tmp_path)
    (root / "val.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"val.txt cannot be read as text"):
        camvid.load(root)


def test_a_list_leads_nowhere_but_into_its_folders(tmp_path: Path) -> None:
    root = write_camvid(tmp_path / "copy")
    secret = tmp_path / "secret.png"
    save(np.zeros((*SIZE, 3), np.uint8), secret)
    (root / "train.txt").write_text("../../secret.png ../../secret.png\n")
    source = camvid.load(root).train
    assert source.identifier(0) == str(root / "train" / "secret.png")
    with pytest.raises(DataError, match="was not found"):
        source.example(0)


@pytest.mark.parametrize("which", [0, 1])
def test_a_link_leads_nowhere_but_into_its_folder(tmp_path: Path, which: int) -> None:
    """Links within the folder are followed."""
    root = write_camvid(tmp_path / "copy")

    def lead(target: str):
        def change(*files: Path) -> None:
            files[which].unlink()
            files[which].symlink_to(target)

        return change

    outside = tmp_path / "outside.png"
    save((np.zeros((*SIZE, 3), np.uint8), mask_of(0))[which], outside)
    assert "is a link that leads out of its folder" in damaged(root, lead(str(outside)))
    # Which a folder's listing leaves out, and a list does not.
    assert "cannot be read" in damaged(root, lead(f"{SEQUENCES['train'][2]}.png"))
    path = root / ("train", "trainannot")[which] / f"{SEQUENCES['train'][2]}.png"
    path.unlink()
    path.symlink_to(f"{SEQUENCES['train'][3]}.png")
    assert camvid.load(root).train.example(2)["mask"].shape == SIZE


@pytest.mark.parametrize("missing", ["train", "trainannot", "val", "valannot", "testannot"])
def test_missing_folders(tmp_path: Path, missing: str) -> None:
    root = write_camvid(tmp_path)
    (root / missing).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=missing):
        camvid.load(root)


def test_an_empty_folder(tmp_path: Path) -> None:
    root = write_camvid(tmp_path, lists=False)
    for path in (root / "val").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="must hold pictures, received none"):
        camvid.load(root)


def test_the_frames_beside_the_checkout(shared_data: Path) -> None:
    splits = camvid.load(shared_data / "camvid")
    assert len(splits.train) + len(splits.test) == 367
    assert len(splits.validation) == 101
    assert {camvid.sequence_of(splits.test.identifier(i)) for i in range(len(splits.test))} == {
        *("0001TP", "0006R0", "0016E5"),
    }
    example = splits.validation.example(50)
    assert example["image"].shape == (360, 480, 3)
    assert set(np.unique(example["mask"])) <= set(range(12))
