"""Writes a small set of car photographs in every layout in which people have Stanford Cars."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
from PIL import Image

from datasets import stanford_devkit

CLASS_NAMES = ("AM General Hummer SUV 2000", "BMW M3 Coupe 2012", "Volvo 240 Sedan 1993")


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A picture of the small data set; the box counts from 1 and includes its edges."""

    name: str
    data: bytes
    class_id: int
    box: tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class SmallCars:
    """The content that every layout is written from."""

    class_names: tuple[str, ...]
    train: list[Photograph]
    test: list[Photograph]


def drawn_photographs(count: int, seed: int) -> list[Photograph]:
    random = np.random.default_rng(seed)
    photographs = []
    for i in range(count):
        height, width = random.integers(20, 40, 2)
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG")
        box = (3, 2, int(width) - 4, int(height) - 1)
        photographs.append(Photograph(f"{i + 1:05}.jpg", stream.getvalue(), i % 3, box))
    return photographs


def drawn_cars() -> SmallCars:
    return SmallCars(CLASS_NAMES, drawn_photographs(15, 0), drawn_photographs(9, 1))


def real_cars(root: Path) -> SmallCars:
    """Four classes of the real devkit, read by scipy alone."""
    names = [str(n[0]) for n in scipy.io.loadmat(root / "devkit/cars_meta.mat")["class_names"][0]]

    def some(annotations: str, folder: str, per_class: int) -> list[Photograph]:
        taken: dict[int, int] = {}
        photographs = []
        for record in scipy.io.loadmat(root / "devkit" / annotations)["annotations"][0]:
            x1, y1, x2, y2, class_id, name = (field.item() for field in record)
            if class_id > 4 or taken.get(class_id, 0) == per_class:
                continue
            taken[class_id] = taken.get(class_id, 0) + 1
            data = (root / folder / name).read_bytes()
            photographs.append(Photograph(name, data, class_id - 1, (x1, y1, x2, y2)))
        return photographs

    return SmallCars(
        tuple(names[:4]),
        some("cars_train_annos.mat", "cars_train", 6),
        some("cars_test_annos_withlabels.mat", "cars_test", 3),
    )


def write_annotations(path: Path, photographs: list[Photograph], **changes) -> None:
    kinds = [(field, object) for field in stanford_devkit.FIELDS]
    records = np.zeros((1, len(photographs)), kinds)
    for i, photograph in enumerate(photographs):
        values = (*photograph.box, photograph.class_id + 1, photograph.name)
        fields = dict(zip(stanford_devkit.FIELDS, values, strict=True))
        for field, value in (fields | (changes if i == 1 else {})).items():
            records[0, i][field] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"annotations": records})


def write_devkit(devkit: Path, cars: SmallCars) -> None:
    devkit.mkdir(parents=True, exist_ok=True)
    names = np.array([list(cars.class_names)], dtype=object)
    scipy.io.savemat(devkit / "cars_meta.mat", {"class_names": names})
    write_annotations(devkit / "cars_train_annos.mat", cars.train)


def write_pictures(folder: Path, photographs: list[Photograph]) -> None:
    folder.mkdir(parents=True)
    for photograph in photographs:
        (folder / photograph.name).write_bytes(photograph.data)


def original(root: Path, cars: SmallCars) -> None:
    write_devkit(root / "devkit", cars)
    write_annotations(root / "devkit/cars_test_annos_withlabels.mat", cars.test)
    write_pictures(root / "cars_train", cars.train)
    write_pictures(root / "cars_test", cars.test)


def kaggle(root: Path, cars: SmallCars) -> None:
    write_devkit(root / "car_devkit/devkit", cars)
    write_annotations(root / "cars_test_annos_withlabels (1).mat", cars.test)
    write_pictures(root / "cars_train/cars_train", cars.train)
    write_pictures(root / "cars_test/cars_test", cars.test)


def torchvision_copy(root: Path, cars: SmallCars) -> None:
    write_devkit(root / "stanford_cars/devkit", cars)
    write_annotations(root / "stanford_cars/cars_test_annos_withlabels.mat", cars.test)
    write_pictures(root / "stanford_cars/cars_train", cars.train)
    write_pictures(root / "stanford_cars/cars_test", cars.test)


def write_parquet(
    path: Path, cars: SmallCars, photographs: list[Photograph], *, named: bool = True, **options
) -> None:
    """As the Hugging Face library writes a set of pictures."""
    label = {"names": list(cars.class_names), "_type": "ClassLabel"}
    features = {"features": {"image": {"_type": "Image"}, "label": label}}
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    rows = [{"bytes": p.data, "path": p.name} for p in photographs]
    columns = {
        "image": pa.array(rows, kind),
        "label": pa.array([p.class_id for p in photographs], pa.int64()),
    }
    metadata = {"huggingface": json.dumps({"info": features})} if named else None
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path, **options)


def parquet(root: Path, cars: SmallCars) -> None:
    half = len(cars.train) // 2
    for part, some in enumerate((cars.train[:half], cars.train[half:])):
        path = root / f"data/train-0000{part}-of-00002.parquet"
        write_parquet(path, cars, some, row_group_size=3)
    write_parquet(root / "data/test-00000-of-00001.parquet", cars, cars.test, row_group_size=4)


def parquet_directly(root: Path, cars: SmallCars) -> None:
    write_parquet(root / "train-00000-of-00001.parquet", cars, cars.train)
    write_parquet(root / "test-00000-of-00001.parquet", cars, cars.test)


def class_folders(root: Path, cars: SmallCars) -> None:
    for part, photographs in (("train", cars.train), ("test", cars.test)):
        for photograph in photographs:
            folder = root / "car_data/car_data" / part / cars.class_names[photograph.class_id]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / photograph.name).write_bytes(photograph.data)


def prepared(root: Path, cars: SmallCars, file_format: str = "tfrecord") -> None:
    """As tensorflow-datasets prepares `cars196`, by its own writer and features."""
    tfds = pytest.importorskip("tensorflow_datasets")

    def example(photograph: Photograph) -> dict:
        width, height = Image.open(io.BytesIO(photograph.data)).size
        x1, y1, x2, y2 = photograph.box
        box = tfds.features.BBox(y1 / height, x1 / width, y2 / height, x2 / width)
        image = io.BytesIO(photograph.data)
        name = cars.class_names[photograph.class_id]
        return {"image": image, "label": name, "bbox": box, "id": photograph.name}

    class Cars196(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("2.1.0")
        pkg_dir_path = root

        def _info(self):
            label = tfds.features.ClassLabel(names=list(cars.class_names))
            features = {"image": tfds.features.Image(), "label": label}
            features |= {"bbox": tfds.features.BBoxFeature(), "id": tfds.features.Text()}
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict(features), description="cars", homepage=""
            )

        def _split_generators(self, dl_manager):
            return {"train": self._examples(cars.train), "test": self._examples(cars.test)}

        def _examples(self, photographs):
            for photograph in photographs:
                yield photograph.name, example(photograph)

        _generate_examples = _examples

    Cars196(data_dir=root, file_format=file_format).download_and_prepare()
