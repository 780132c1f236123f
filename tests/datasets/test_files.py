"""Parquet files of pictures: any order, any thread, little memory, every fault named."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from stanford_layouts import (
    CLASS_NAMES,
    SmallCars,
    drawn_cars,
    drawn_photographs,
    parquet,
    write_parquet,
)

from datasets import stanford_cars
from datasets.core import DataError
from datasets.files import ParquetPictures, PictureFiles


def test_parquet_rows_in_any_order_and_from_threads(tmp_path):
    cars = SmallCars(CLASS_NAMES, drawn_photographs(50, 0), [])
    parquet(tmp_path, cars)
    source = ParquetPictures(sorted((tmp_path / "data").glob("train-*")))
    order = np.random.default_rng(0).permutation(np.tile(np.arange(50), 4))
    with ThreadPoolExecutor(8) as pool:
        examples = list(pool.map(source.example, order.tolist()))
    for index, example in zip(order, examples, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(cars.train[index].data)))
        np.testing.assert_array_equal(example["image"], pixels)
        assert example["label"] == index % 3
    assert source.identifier(26).endswith("train-00001-of-00002.parquet row 1")
    assert source.class_names == CLASS_NAMES


def test_parquet_memory_stays_small(tmp_path):
    """A single row group of 48 MB, in pages of 8 rows, is never held in half."""
    block = np.random.default_rng(0).bytes(500_000)
    photographs = [dataclasses.replace(p, data=p.data + block) for p in drawn_photographs(96, 0)]
    path = tmp_path / "train-0.parquet"
    write_parquet(path, drawn_cars(), photographs, write_batch_size=8)
    assert pq.ParquetFile(path).num_row_groups == 1
    code = f"""
import pyarrow as pa
from pathlib import Path
from datasets.files import ParquetPictures
source = ParquetPictures([Path({str(path)!r})])
source.example(50)
print(pa.default_memory_pool().max_memory())
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 24_000_000


def break_label(cars: SmallCars, path: Path) -> None:
    far = dataclasses.replace(cars.train[0], class_id=2**40)
    write_parquet(path, cars, [far, *cars.train[1:]])


def break_unnamed_label(cars: SmallCars, path: Path) -> None:
    far = dataclasses.replace(cars.train[0], class_id=2**40)
    write_parquet(path, cars, [far, *cars.train[1:]], named=False)


def break_columns(cars: SmallCars, path: Path) -> None:
    pq.write_table(pa.table({"image": ["a.jpg"], "label": [0]}), path)


def break_labels_to_text(cars: SmallCars, path: Path) -> None:
    pq.write_table(pa.table({"image": [b"a"], "label": ["BMW"]}), path)


def break_label_to_nothing(cars: SmallCars, path: Path) -> None:
    pq.write_table(pa.table({"image": [b"a", b"b"], "label": [1, None]}), path)


def break_file(cars: SmallCars, path: Path) -> None:
    write_parquet(path, cars, cars.train)
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (break_label, "must have a label from 0 to 2, received 1099511627776"),
        (break_unnamed_label, "must have a label from 0 to"),
        (break_columns, "column image of encoded pictures"),
        (break_labels_to_text, "label of whole numbers"),
        (break_label_to_nothing, "must have a label in each row"),
        (break_file, "not a readable Parquet file"),
    ],
)
def test_damaged_parquet_files_are_named(
    tmp_path, damage: Callable[[SmallCars, Path], None], why: str
):
    cars = drawn_cars()
    path = tmp_path / "train-0.parquet"
    damage(cars, path)
    write_parquet(tmp_path / "test-0.parquet", cars, cars.test)
    with pytest.raises(DataError, match=why) as caught:
        stanford_cars.load(tmp_path, 0.2, seed=0)
    assert str(caught.value).startswith(str(path))


def test_damage_inside_a_parquet_file_is_named_when_its_rows_are_read(tmp_path):
    cars = drawn_cars()
    path = tmp_path / "train-0.parquet"
    options = {"compression": "none", "use_dictionary": False, "write_page_checksum": False}
    without_bytes = dataclasses.replace(cars.train[0], data=None)
    write_parquet(path, cars, [*cars.train, without_bytes], **options)
    data = bytearray(path.read_bytes())
    start = data.index(cars.train[4].data)
    data[start : start + 200] = bytes(200)
    path.write_bytes(data)
    source = ParquetPictures([path])
    assert source.example(3)["image"].shape[2] == 3
    with pytest.raises(DataError, match=r"train-0\.parquet row 4 is not a picture"):
        source.example(4)
    with pytest.raises(DataError, match=r"train-0\.parquet row 15 is empty"):
        source.example(15)
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    data[column.data_page_offset : column.data_page_offset + 40] = bytes([255]) * 40
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"train-0\.parquet is damaged in its row group 0"):
        ParquetPictures([path]).example(3)


def test_parquet_files_of_two_data_sets_are_refused(tmp_path):
    cars = drawn_cars()
    other = dataclasses.replace(cars, class_names=("A 2000", "B 2000", "C 2000"))
    write_parquet(tmp_path / "train-0.parquet", cars, cars.train)
    write_parquet(tmp_path / "train-1.parquet", other, cars.train)
    with pytest.raises(DataError, match="must name the same classes"):
        stanford_cars.load(tmp_path, 0.2, seed=0)


def test_a_full_disk_of_temporary_files_is_named(tmp_path):
    """The system refuses to let any file grow beyond 1,000 bytes."""
    cars = drawn_cars()
    path = tmp_path / "train-0.parquet"
    write_parquet(path, cars, cars.train)
    code = f"""
import resource
from pathlib import Path
from datasets.core import DataError
from datasets.files import ParquetPictures
source = ParquetPictures([Path({str(path)!r})])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    source.example(14)
except DataError as error:
    print(error)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert "has no room for the encoded pictures (File too large)" in done.stdout
    assert "TMPDIR" in done.stdout


def large_jpeg(path: Path) -> Path:
    Image.new("RGB", (640, 400), (10, 200, 30)).save(path)
    return path


def test_picture_files_are_reduced_for_the_size_they_are_wanted_in(tmp_path):
    path = large_jpeg(tmp_path / "a.jpg")
    assert PictureFiles([path], [0]).example(0)["image"].shape == (400, 640, 3)
    reduced = PictureFiles([path], [0], image_size=(50, 80)).example(0)["image"]
    assert reduced.shape == (100, 160, 3)
    np.testing.assert_allclose(reduced, np.broadcast_to((10, 200, 30), reduced.shape), atol=3)


def test_a_box_counts_in_stored_pixels_so_nothing_is_reduced(tmp_path):
    path = large_jpeg(tmp_path / "a.jpg")
    box = np.array([[600, 380, 640, 400]])
    source = PictureFiles([path], [0], box, image_size=(5, 5))
    assert source.example(0)["image"].shape == (20, 40, 3)


def test_a_box_on_a_turned_picture_is_followed_where_it_fits_it_upright_alone(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 40)).save(tmp_path / "a.jpg", exif=exif)

    def cropped(*box):
        return PictureFiles([tmp_path / "a.jpg"], [0], np.array([box])).example(0)["image"].shape

    assert cropped(10, 5, 40, 30) == (25, 30, 3)
    for box in ((10, 5, 30, 30), (10, 5, 30, 40), (10, 5, 41, 30)):
        with pytest.raises(DataError, match=r"a\.jpg is stored turned .* its box may count"):
            cropped(*box)
    whole = PictureFiles([tmp_path / "a.jpg"], [0]).example(0)["image"]
    assert whole.shape == (30, 40, 3)


def test_picture_files_need_one_label_and_box_each(tmp_path):
    with pytest.raises(ValueError, match="labels must have shape"):
        PictureFiles([tmp_path / "a.png"], [0, 1])
    with pytest.raises(ValueError, match="boxes must have shape"):
        PictureFiles([tmp_path / "a.png"], [0], np.zeros((2, 4), np.int64))
