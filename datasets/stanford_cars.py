"""Stanford Cars: photographs of 196 car models, in the layouts in which people have them.

Source: Krause et al. 2013, "3D Object Representations for Fine-Grained Categorization",
3dRR-13: 8,144 training and 8,041 test photographs. The original download is gone.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from pathlib import Path

import numpy as np

from datasets import folder, stanford_devkit
from datasets.core import DataError, DatasetInfo, LabelledSource, Splits
from datasets.files import ParquetPictures
from datasets.partition import complete_splits

LICENCE = "research only, not for commercial use; the photographs belong to their owners"
COPIES = (
    "Kaggle jessicali9530/stanford-cars-dataset, with car_devkit.tgz (cars_train, devkit)",
    "Kaggle rickyyyyyyy/torchvision-stanford-cars (the same, with the labels of the test part)",
    "Kaggle cyizhuo/stanford-cars-by-classes-folder (train and test with class folders)",
    "Hugging Face tanganke/stanford_cars (data/train-*.parquet, data/test-*.parquet)",
    "a prepared tensorflow-datasets folder (cars196/<version>)",
)


@dataclasses.dataclass(frozen=True)
class Copy:
    """What was read from one of the layouts.

    Attributes:
        layout: the name of the layout, for the description.
        class_names: one name per class id.
        train: the training part.
        test: the test part, if the copy has it with labels.
        validation: the validation part, if the copy has one.
        why_no_test: what is missing for the test part; empty if nothing is.
    """

    layout: str
    class_names: tuple[str, ...]
    train: LabelledSource
    test: LabelledSource | None
    validation: LabelledSource | None = None
    why_no_test: str = ""


def load(
    data_dir: str | Path,
    validation_fraction: float,
    seed: int,
    crop_to_box: bool = False,
    image_size: tuple[int, int] | None = None,
) -> Splits:
    """Reads Stanford Cars from whichever layout lies in `data_dir`.

    Looked for in this order, in `data_dir` and in a folder `stanford_cars` in it: the original
    devkit (also Kaggle's with doubled folders), Parquet files, class folders with or without
    train and test, a prepared tensorflow-datasets folder.

    Args:
        data_dir: the folder.
        validation_fraction: share of the training part that becomes validation, each class in
            nearly its own share. Where the test part has no labels, as large a share becomes
            test; a warning and `info.description` say so.
        seed: decides which pictures go where.
        crop_to_box: show the annotated box instead of the whole picture; only the devkit and the
            tensorflow-datasets folder have boxes.
        image_size: height and width that the pictures will be resized to, which large JPEGs are
            decoded near to, unless they are cropped; None decodes them in full.

    Raises:
        DataError: nothing is found, or what is found is damaged.
    """
    data_dir = Path(data_dir).expanduser()
    roots = [root for root in (data_dir, data_dir / "stanford_cars") if root.is_dir()]
    for is_there, read in LAYOUTS:
        for root in roots:
            if is_there(root):
                return _splits(read(root, crop_to_box, image_size), root, validation_fraction, seed)
    raise DataError(_nothing_found(data_dir))


def _splits(copy: Copy, root: Path, validation_fraction: float, seed: int) -> Splits:
    _require_labels_in_range(copy)
    if copy.why_no_test:
        warnings.warn(
            f"Stanford Cars in {root} has no labelled test part ({copy.why_no_test}), so test is "
            "split off the training part and results compare with no published ones.",
            stacklevel=3,
        )
    train, validation, test, division = complete_splits(
        copy.train,
        copy.validation,
        copy.test,
        validation_fraction=validation_fraction,
        test_fraction=validation_fraction,
        seed=seed,
        class_names=copy.class_names,
        origin=str(root),
    )
    missing = f", since {copy.why_no_test}" if copy.why_no_test else ""
    info = DatasetInfo(
        name="stanford_cars",
        class_names=copy.class_names,
        description=f"Photographs of {len(copy.class_names)} car models, Stanford Cars from "
        f"{copy.layout}; {division}{missing}.",
        origin=str(root),
        licence=LICENCE,
    )
    return Splits(train, validation, test, info)


def _require_labels_in_range(copy: Copy) -> None:
    for source in (copy.train, copy.validation, copy.test):
        labels = np.zeros(0) if source is None else source.labels
        outside = np.flatnonzero((labels < 0) | (labels >= len(copy.class_names)))
        if len(outside):
            raise DataError(
                f"{source.identifier(outside[0])} must have a label from 0 to "
                f"{len(copy.class_names) - 1}, received {labels[outside[0]]}: download the file "
                "again."
            )


def _read_devkit(root: Path, crop_to_box: bool, image_size: tuple[int, int] | None) -> Copy:
    devkit = stanford_devkit.read(root, crop_to_box=crop_to_box, image_size=image_size)
    return Copy(
        "the original pictures and devkit",
        devkit.class_names,
        devkit.train,
        devkit.test,
        why_no_test=devkit.why_no_test,
    )


def _parquet_files(root: Path, part: str) -> list[Path]:
    return sorted((root / "data").glob(f"{part}-*.parquet")) or sorted(
        root.glob(f"{part}-*.parquet")
    )


def _has_parquet(root: Path) -> bool:
    return bool(_parquet_files(root, "train"))


def _read_parquet(root: Path, crop_to_box: bool, image_size: tuple[int, int] | None) -> Copy:
    _refuse_crop(root, "The Parquet copy", crop_to_box)
    train = ParquetPictures(_parquet_files(root, "train"), image_size)
    test_files = _parquet_files(root, "test")
    test = ParquetPictures(test_files, image_size) if test_files else None
    why_no_test = "" if test_files else "test-*.parquet is missing"
    # The Hub writes -1 where a label is withheld.
    if test is not None and test.labels.max(initial=-1) < 0:
        test, why_no_test = None, "the labels in test-*.parquet are withheld"
    class_names = train.class_names
    if class_names is None:
        # At most one class a picture: a damaged label must not ask for billions of names.
        count = min(int(train.labels.max(initial=0)) + 1, max(len(train), 1))
        class_names = tuple(f"class {class_id}" for class_id in range(count))
    return Copy("Parquet files", class_names, train, test, why_no_test=why_no_test)


def _has_class_folders(root: Path) -> bool:
    """Whether most folders are named like car models, which all end in a year.

    Without the year, any folder of pictures would pass for Stanford Cars.
    """
    names = folder.class_folder_names(root)
    return sum(bool(re.search(r"(19|20)\d\d$", name)) for name in names) > len(names) / 2


def _read_class_folders(root: Path, crop_to_box: bool, image_size: tuple[int, int] | None) -> Copy:
    _refuse_crop(root, "The copy in class folders", crop_to_box)
    class_names, parts = folder.read_parts(root, image_size)
    return Copy(
        "class folders",
        class_names,
        parts["train"],
        parts.get("test"),
        validation=parts.get("validation"),
        why_no_test="" if "test" in parts else "there is no folder 'test' beside 'train'",
    )


def _prepared_folders(root: Path) -> list[Path]:
    return [file.parent for file in root.glob("cars196/*/dataset_info.json")]


def _has_prepared_folder(root: Path) -> bool:
    return bool(_prepared_folders(root))


def _read_prepared(root: Path, crop_to_box: bool, image_size: tuple[int, int] | None) -> Copy:
    # It needs TensorFlow, which takes seconds to import; the other layouts do not.
    from datasets import prepared_tfds

    newest = max(_prepared_folders(root), key=_version)
    class_names, train, test = prepared_tfds.read(
        newest, crop_to_box=crop_to_box, image_size=image_size
    )
    why_no_test = "" if test is not None else "the prepared folder has no split 'test'"
    return Copy("a tensorflow-datasets folder", class_names, train, test, why_no_test=why_no_test)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else -1 for part in path.name.split("."))


def _refuse_crop(root: Path, copy: str, crop_to_box: bool) -> None:
    if crop_to_box:
        raise DataError(
            f"{copy} of Stanford Cars in {root} has no boxes to crop to: do not crop, or use the "
            "copy with the devkit."
        )


def _nothing_found(data_dir: Path) -> str:
    state = "holds no copy of Stanford Cars" if data_dir.is_dir() else "was not found"
    copies = "".join(f"\n  - {copy}" for copy in COPIES)
    return (
        f"{data_dir} {state}: unpack one of these public copies into a folder and name it with "
        f"--data-dir.{copies}"
    )


# Looked for in this order: whether a folder holds the layout, and how it is read.
LAYOUTS = (
    (stanford_devkit.is_devkit_layout, _read_devkit),
    (_has_parquet, _read_parquet),
    (_has_class_folders, _read_class_folders),
    (_has_prepared_folder, _read_prepared),
)
