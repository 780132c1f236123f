"""The original layout of Stanford Cars: picture folders and a devkit of MATLAB files.

    cars_train/00001.jpg ...          also cars_train/cars_train/, as on Kaggle
    cars_test/00001.jpg ...
    devkit/cars_meta.mat              class_names
    devkit/cars_train_annos.mat       bbox_x1, bbox_y1, bbox_x2, bbox_y2, class, fname
    cars_test_annos_withlabels.mat    the same; beside the devkit or in it, often missing

Classes count from 1. Boxes are in pixels, count from 1 and include their right and lower edges
(Krause et al. 2013, "3D Object Representations for Fine-Grained Categorization", 3dRR-13; the
devkit's README).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets import matlab
from datasets.core import DataError
from datasets.files import PictureFiles

# Where copies put the devkit, below the folder that holds cars_train.
DEVKIT_FOLDERS = ("devkit", "car_devkit/devkit", "car_devkit", ".")
META = "cars_meta.mat"
TRAIN_ANNOTATIONS = "cars_train_annos.mat"
# A browser's second download is called "cars_test_annos_withlabels (1).mat".
TEST_ANNOTATIONS = "cars_test_annos_withlabels*.mat"
BOX_FIELDS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")
FIELDS = (*BOX_FIELDS, "class", "fname")


@dataclasses.dataclass(frozen=True)
class Annotations:
    """What a file of annotations says of n pictures.

    Attributes:
        names: file names without folder, n of them.
        labels: class ids from 0, int64, shape (n,).
        boxes_xyxy: int64, shape (n, 4), pixels from 0, right and lower edge not included.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    boxes_xyxy: np.ndarray


@dataclasses.dataclass(frozen=True)
class Devkit:
    """The parts of a copy in the original layout.

    Attributes:
        class_names: one name per class id.
        train: the training pictures.
        test: the test pictures, if the copy has them with labels.
        why_no_test: what is missing for the test pictures; empty if nothing is.
    """

    class_names: tuple[str, ...]
    train: PictureFiles
    test: PictureFiles | None
    why_no_test: str


def is_devkit_layout(root: Path) -> bool:
    """Whether `root` looks like this layout, even if parts of it are missing."""
    return (root / "cars_train").is_dir() or _find_devkit(root) is not None


def read(root: Path, *, crop_to_box: bool, image_size: tuple[int, int] | None = None) -> Devkit:
    """Reads a copy in the original layout.

    Args:
        root: the folder that holds `cars_train`.
        crop_to_box: show the annotated box instead of the whole picture.
        image_size: height and width that the pictures will be resized to, as for `PictureFiles`.

    Raises:
        DataError: a file of the devkit or the training pictures are missing, or an annotation
            does not hold.
    """
    devkit = _find_devkit(root)
    if devkit is None:
        raise DataError(
            f"{root} has the pictures of Stanford Cars but must also have devkit/{META} and "
            f"devkit/{TRAIN_ANNOTATIONS}, received none: unpack car_devkit.tgz there."
        )
    class_names = read_class_names(devkit / META)
    train_folder = _picture_folder(root, "cars_train")
    if train_folder is None:
        raise DataError(
            f"{root} has the devkit of Stanford Cars but must also have the pictures in "
            "cars_train, received none: unpack cars_train.tgz there."
        )

    def pictures(folder: Path, annotations_path: Path) -> PictureFiles:
        annotations = read_annotations(annotations_path, len(class_names))
        paths = [folder / name for name in annotations.names]
        boxes = annotations.boxes_xyxy if crop_to_box else None
        return PictureFiles(paths, annotations.labels, boxes, image_size)

    train = pictures(train_folder, devkit / TRAIN_ANNOTATIONS)
    test_folder = _picture_folder(root, "cars_test")
    test_annotations = _find_test_annotations(root, devkit)
    if test_annotations is None:
        why_no_test = "cars_test_annos_withlabels.mat is missing"
        return Devkit(class_names, train, None, why_no_test)
    if test_folder is None:
        return Devkit(class_names, train, None, "the folder cars_test is missing")
    return Devkit(class_names, train, pictures(test_folder, test_annotations), "")


def read_class_names(path: Path) -> tuple[str, ...]:
    """The class names of a `cars_meta.mat`, in the order of the ids.

    Raises:
        DataError: the file cannot be read or does not hold two or more different names.
    """
    cells = matlab.read_variable(path, "class_names")
    names = tuple(str(_item(path, f"class name {i + 1}", cell)) for i, cell in enumerate(cells))
    if len(names) < 2 or len(set(names)) < len(names) or not all(map(str.strip, names)):
        raise DataError(
            f"{path} must hold two or more different class names, received {len(names)} names, "
            f"{len(set(names))} of them different: download the devkit again."
        )
    return names


def read_annotations(path: Path, class_count: int) -> Annotations:
    """The annotations of a `cars_train_annos.mat` or `cars_test_annos_withlabels.mat`.

    Args:
        path: the file.
        class_count: classes must be in [1, class_count].

    Raises:
        DataError: the file cannot be read, or an entry has a name that is not that of a plain
            file, a class out of range or a box without area.
    """
    records = matlab.read_variable(path, "annotations")
    if not isinstance(records, list) or not records or not isinstance(records[0], dict):
        raise DataError(
            f"{path} must hold an array of structures called annotations, received none: download "
            "the devkit again."
        )
    missing = [field for field in FIELDS if field not in records[0]]
    if missing:
        raise DataError(
            f"{path} must hold annotations with the fields {', '.join(FIELDS)}, received "
            f"{', '.join(records[0])}: download the devkit again."
        )
    names = [_file_name(path, i, _field(path, r, i, "fname")) for i, r in enumerate(records)]
    classes = _whole_numbers(path, records, "class")
    boxes = np.stack([_whole_numbers(path, records, field) for field in BOX_FIELDS], axis=1)
    _require_classes(path, names, classes, class_count)
    _require_boxes(path, names, boxes)
    # From pixels counted from 1, edges included, to pixels counted from 0, edges excluded.
    return Annotations(tuple(names), classes - 1, boxes - np.array([1, 1, 0, 0]))


def _find_devkit(root: Path) -> Path | None:
    for folder in DEVKIT_FOLDERS:
        if (root / folder / META).is_file() and (root / folder / TRAIN_ANNOTATIONS).is_file():
            return root / folder
    return None


def _find_test_annotations(root: Path, devkit: Path) -> Path | None:
    for folder in (devkit, *(parent for parent in devkit.parents if parent.is_relative_to(root))):
        found = sorted(folder.glob(TEST_ANNOTATIONS))
        if found:
            return found[-1]
    return None


def _picture_folder(root: Path, name: str) -> Path | None:
    doubled = root / name / name
    if doubled.is_dir():
        return doubled
    return root / name if (root / name).is_dir() else None


def _field(path: Path, record: dict[str, object], index: int, field: str) -> object:
    return _item(path, f"{field} of annotation {index + 1}", record[field])


def _item(path: Path, what: str, value: object) -> object:
    """The one text or number in a MATLAB value: a number is an array there."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, str | int | float):
        raise DataError(
            f"{path} must hold one text or number as {what}, received "
            f"{type(value).__name__}: download the devkit again."
        )
    return value


def _file_name(path: Path, index: int, name: object) -> str:
    """A name that stays in the picture folder: annotations may come from anywhere."""
    plain = isinstance(name, str) and name not in ("", ".", "..")
    if not plain or any(character in name for character in "/\\\0:"):
        raise DataError(
            f"{path} must name plain files without folders, received {name!r} as fname of "
            f"annotation {index + 1}: download the devkit again."
        )
    return name


def _whole_numbers(path: Path, records: list[dict[str, object]], field: str) -> np.ndarray:
    values = [_field(path, record, i, field) for i, record in enumerate(records)]
    for index, value in enumerate(values):
        # Up to 32 bits: far beyond every class and pixel, and safe in int64 arithmetic.
        if isinstance(value, str) or not abs(value) < 2**31 or value != int(value):
            raise DataError(
                f"{path} must hold whole numbers, received {value!r} as {field} of annotation "
                f"{index + 1}: download the devkit again."
            )
    return np.array(values, dtype=np.int64)


def _require_classes(
    path: Path, names: Sequence[str], classes: np.ndarray, class_count: int
) -> None:
    bad = np.flatnonzero((classes < 1) | (classes > class_count))
    if len(bad):
        raise DataError(
            f"{path} must give classes from 1 to {class_count}, received {classes[bad[0]]} for "
            f"{names[bad[0]]}: take {META} and the annotations from the same devkit."
        )


def _require_boxes(path: Path, names: Sequence[str], boxes: np.ndarray) -> None:
    """Checks the corners; whether a box lies inside is known once its picture is read."""
    x1, y1, x2, y2 = boxes.T
    bad = np.flatnonzero((x1 < 1) | (y1 < 1) | (x2 < x1) | (y2 < y1))
    if len(bad):
        raise DataError(
            f"{path} must give boxes with 1 <= x1 <= x2 and 1 <= y1 <= y2, received "
            f"x1, y1, x2, y2 = {boxes[bad[0]].tolist()} for {names[bad[0]]}: download the devkit "
            "again."
        )
