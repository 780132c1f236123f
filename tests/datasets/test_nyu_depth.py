"""Pairs of picture and depth on disk: scales, splits, and every kind of broken file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from datasets import nyu_depth
from datasets.core import DataError
from datasets.depth_pictures import read_depth
from datasets.depth_range import depth_with_sky, depth_within


def picture(height: int = 6, width: int = 8, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def grey(height: int = 6, width: int = 8, bits: int = 8) -> np.ndarray:
    kind = np.uint8 if bits == 8 else np.uint16
    values = np.arange(1, height * width + 1, dtype=kind).reshape(height, width)
    return values * kind(1 if bits == 8 else 100)


@pytest.fixture
def pairs(tmp_path):
    """Ten pairs in the original layout."""
    (tmp_path / "rgb").mkdir()
    (tmp_path / "depth").mkdir()
    for number in range(10):
        picture(seed=number).save(tmp_path / "rgb" / f"{number:04}.jpg")
        Image.fromarray(grey()).save(tmp_path / "depth" / f"{number:04}.png")
    return tmp_path


def load(folder, **options):
    return nyu_depth.load(folder, 0.2, 0.2, 0, **options)


def test_8_bits_are_shares_of_ten_metres(pairs):
    example = load(pairs).train.example(0)
    assert example["image"].shape == (6, 8, 3)
    assert example["image"].dtype == np.uint8
    assert example["depth"].dtype == np.float32
    np.testing.assert_allclose(example["depth"], grey().astype(float) * 10 / 255, rtol=1e-6)
    assert example["label"] == 0


def test_16_bits_are_millimetres_and_0_is_unknown(pairs):
    stored = grey(bits=16)
    stored[0, 0] = 0
    path = pairs / "depth" / "0000.png"
    Image.fromarray(stored).save(path)
    depth = read_depth(path)
    assert depth[0, 0] == 0
    np.testing.assert_allclose(depth, stored / 1000, rtol=1e-6)


def test_a_scale_of_ones_own(pairs):
    depth = load(pairs, metres_per_unit=0.5).train.example(0)["depth"]
    np.testing.assert_allclose(depth, grey() * 0.5)
    for scale in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(DataError, match="above 0"):
            load(pairs, metres_per_unit=scale)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_that_is_turned_away_from_its_depth_is_refused(pairs, kind):
    """Upside down it has the size of its depth all the same."""
    path = pairs / "rgb" / "0000.jpg"
    exif = Image.Exif()
    exif[0x0112] = 1
    picture().save(path, kind, exif=exif)
    assert nyu_depth.read_pairs(pairs).example(0)["image"].shape == (6, 8, 3)
    for orientation in (3, 6):
        exif[0x0112] = orientation
        picture().save(path, kind, exif=exif)
        message = rf"0000\.jpg is stored turned \(EXIF orientation {orientation}\), which its depth"
        with pytest.raises(DataError, match=message):
            nyu_depth.read_pairs(pairs).example(0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_depth_that_is_stored_turned_is_refused(pairs, kind):
    path = pairs / "depth" / "0000.png"
    exif = Image.Exif()
    exif[0x0112] = 1
    Image.fromarray(grey()).save(path, kind, exif=exif)
    assert read_depth(path).shape == (6, 8)
    for orientation in (3, 6):
        exif[0x0112] = orientation
        Image.fromarray(grey()).save(path, kind, exif=exif)
        with pytest.raises(DataError, match=rf"is stored turned \(EXIF orientation {orientation}"):
            read_depth(path)


def test_the_seed_decides_the_split(pairs):
    def names(seed):
        splits = nyu_depth.load(pairs, 0.2, 0.2, seed)
        return [
            {part.identifier(k) for k in range(len(part))}
            for part in (splits.train, splits.validation, splits.test)
        ]

    parts = names(0)
    assert [len(part) for part in parts] == [6, 2, 2]
    assert len(set.union(*parts)) == 10
    assert names(0) == parts
    assert names(1) != parts


@pytest.mark.parametrize("folder", ["rgb", "depth"])
def test_a_file_without_a_partner_is_named(pairs, folder):
    gone = sorted((pairs / folder).iterdir())[3]
    gone.unlink()
    with pytest.raises(DataError, match=r"0003\.(png|jpg).*partner"):
        load(pairs)


def test_missing_and_empty_folders(tmp_path, pairs):
    with pytest.raises(DataError, match="rgb"):
        load(tmp_path / "nowhere")
    for path in (pairs / "depth").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="must hold pictures"):
        load(pairs)


def test_two_files_of_one_name_and_too_few_pairs(pairs):
    picture().save(pairs / "rgb" / "0000.png")
    with pytest.raises(DataError, match="one picture of a name"):
        load(pairs)
    (pairs / "rgb" / "0000.png").unlink()
    for number in range(2, 10):
        (pairs / "rgb" / f"{number:04}.jpg").unlink()
        (pairs / "depth" / f"{number:04}.png").unlink()
    with pytest.raises(DataError, match="at least 3 pairs"):
        load(pairs)


def broken(kind: str, path) -> None:
    if kind == "colour":
        picture().save(path)
    elif kind == "palette":
        picture().convert("P").save(path)
    elif kind == "transparent":
        picture().convert("RGBA").save(path)
    elif kind == "zero":
        Image.fromarray(np.zeros((6, 8), np.uint8)).save(path)
    elif kind == "size":
        Image.fromarray(grey(8, 6)).save(path)
    elif kind == "text":
        path.write_text("no picture")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "short":
        path.write_bytes(path.read_bytes()[:45])
    elif kind == "float":
        Image.fromarray(grey().astype(np.float32)).save(path, format="TIFF")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("colour", "grey"),
        ("palette", "grey"),
        ("transparent", "grey"),
        ("float", "grey"),
        ("zero", "0 everywhere"),
        ("size", "6 x 8"),
        ("text", "picture"),
        ("empty", "picture"),
        ("short", "cut short|read"),
    ],
)
def test_a_broken_depth_is_named(pairs, kind, reason):
    broken(kind, pairs / "depth" / "0004.png")
    source = nyu_depth.read_pairs(pairs)
    with pytest.raises(DataError, match=rf"0004\.png.*({reason})"):
        source.example(4)
    assert source.example(5)["depth"].any()


def test_a_link_out_of_the_folder_is_not_followed(pairs, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    Image.fromarray(grey()).save(outside)
    (pairs / "depth" / "0000.png").unlink()
    (pairs / "depth" / "0000.png").symlink_to(outside)
    with pytest.raises(DataError, match="partner"):
        load(pairs)


class One:
    """A source of one black picture with the given depth, and something besides."""

    labels = np.zeros(1, np.int64)

    def __init__(self, depth):
        self.depth = np.array(depth)

    def __len__(self):
        return 1

    def identifier(self, index):
        return "one"

    def example(self, index):
        image = np.zeros((*self.depth.shape, 3), np.uint8)
        return {"image": image, "depth": self.depth, "label": np.int64(0), "mask": self.depth}


def test_depth_outside_of_the_range_is_unknown():
    one = One([[0.0, 0.5, 1.0], [2.0, np.nan, np.inf]])
    source = depth_within(one, 1.0, 2.0)
    example = source.example(0)
    assert example.keys() == {"image", "depth", "label"}
    assert example["depth"].tolist() == [[0, 0, 1], [2, 0, 0]]
    assert (len(source), source.identifier(0), source.labels.tolist()) == (1, "one", [0])
    for low, high in [(0.0, 1.0), (2.0, 1.0)]:
        with pytest.raises(ValueError, match="bounds"):
            depth_within(one, low, high)


def test_a_sky_stands_at_the_end_of_the_scale():
    source = depth_with_sky(One(np.float32([[0.0, 3.0]])), 100.0)
    assert source.example(0)["depth"].tolist() == [[100.0, 3.0]]
    assert source.example(0)["depth"].dtype == np.float32


def test_the_real_pictures(shared_data):
    splits = nyu_depth.load(shared_data / "nyu_depth", 0.1, 0.2, 0)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [315, 45, 90]
    example = splits.test.example(0)
    assert example["image"].shape == (240, 320, 3)
    assert 0.5 < example["depth"].min() < example["depth"].max() < 10
