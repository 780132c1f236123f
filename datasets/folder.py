"""Any folder of class folders: one folder a class, named like it, its pictures in it or below.

With `train`, and perhaps `validation` (or `val`, `valid`) and `test`, above the class folders the
data set brings its own splits.
"""

from __future__ import annotations

from pathlib import Path

from datasets import images
from datasets.core import DataError, DatasetInfo, Splits
from datasets.files import PictureFiles
from datasets.partition import complete_splits

SPLIT_FOLDERS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
# Archives like to unpack into a folder in a folder: so many lone folders are stepped through.
MAX_LONE_FOLDERS = 3


def load(
    data_dir: str | Path,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    image_size: tuple[int, int] | None = None,
) -> Splits:
    """Reads a folder of class folders.

    Class ids follow the sorted names of the class folders. A part that the folder does not bring
    is split off the training part, stratified by class; `info.description` says so.

    Args:
        data_dir: the folder.
        validation_fraction: share of validation, if the folder brings none.
        test_fraction: share of test, if the folder brings none.
        seed: decides which pictures go where.
        image_size: height and width that the pictures will be resized to, which large JPEGs are
            decoded near to; None decodes them in full.

    Raises:
        DataError: not found, no class folders, only one class, a class with too few pictures, or
            a class in validation or test that is not in train.
    """
    class_names, parts = read_parts(data_dir, image_size)
    train, validation, test, division = complete_splits(
        parts["train"],
        parts.get("validation"),
        parts.get("test"),
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        class_names=class_names,
        origin=str(data_dir),
    )
    info = DatasetInfo(
        name="folder",
        class_names=class_names,
        description=f"Pictures of {len(class_names)} classes in class folders; {division}.",
        origin=str(data_dir),
        licence="as the owner of the folder says",
    )
    return Splits(train, validation, test, info)


def read_parts(
    data_dir: str | Path, image_size: tuple[int, int] | None = None
) -> tuple[tuple[str, ...], dict[str, PictureFiles]]:
    """Reads a folder of class folders as it is, without making the splits it lacks.

    Args:
        data_dir: the folder.
        image_size: as for `load`.

    Returns:
        The class names, sorted, and the parts under `train` (all pictures if there are no split
        folders) and, if there are such folders, `validation` and `test`.

    Raises:
        DataError: as for `load`, but for a class with too few pictures.
    """
    root = _step_into_lone_folders(Path(data_dir).expanduser())
    folders = split_folders(root) or {"train": root}
    class_names = tuple(folder.name for folder in _folders(folders["train"]))
    _require_classes(folders["train"], class_names)
    parts = {part: _read_part(folder, class_names, image_size) for part, folder in folders.items()}
    return class_names, parts


def class_folder_names(data_dir: str | Path) -> tuple[str, ...]:
    """The names of what `load` would take for class folders, without looking into them.

    Raises:
        DataError: the folder is not found, or its split folders contradict one another.
    """
    root = _step_into_lone_folders(Path(data_dir).expanduser())
    return tuple(child.name for child in _folders(split_folders(root).get("train", root)))


def split_folders(root: Path) -> dict[str, Path]:
    """The folders of the splits by the names `train`, `validation`, `test`; empty without any.

    A folder counts as a split when it holds folders: one called `train` that holds only pictures
    is a class, of trains.

    Raises:
        DataError: there are validation or test folders without a train folder, or two for one.
    """
    found: dict[str, Path] = {}
    for folder in _folders(root):
        part = SPLIT_FOLDERS.get(folder.name.lower())
        if part is None or not _folders(folder):
            continue
        if part in found:
            raise DataError(
                f"{root} must have one folder for {part}, received {found[part].name!r} and "
                f"{folder.name!r}: remove one."
            )
        found[part] = folder
    if found and "train" not in found:
        raise DataError(
            f"{root} must have a folder 'train' of class folders beside "
            f"{', '.join(repr(folder.name) for folder in found.values())}, received none: add it."
        )
    return found


def _step_into_lone_folders(data_dir: Path) -> Path:
    if not data_dir.is_dir():
        raise DataError(
            f"{data_dir} is not a folder that can be found: name a folder of class folders with "
            "--data-dir."
        )
    folder = data_dir
    for _ in range(MAX_LONE_FOLDERS):
        children = _folders(folder)
        if len(children) != 1 or not _folders(children[0]) or split_folders(folder):
            break
        folder = children[0]
    return folder


def _require_classes(folder: Path, class_names: tuple[str, ...]) -> None:
    found = (path for name in class_names for path in images.iterate_pictures(folder / name))
    if next(found, None) is None:
        raise DataError(
            f"{folder} must hold one folder a class with pictures in it "
            f"({', '.join(images.PICTURE_SUFFIXES)}), received none: name the folder above the "
            "class folders."
        )
    if len(class_names) < 2:
        raise DataError(
            f"{folder} must hold at least two class folders, received only {class_names[0]!r}: "
            "name the folder above the class folders, or add a class."
        )


def _read_part(
    folder: Path, class_names: tuple[str, ...], image_size: tuple[int, int] | None
) -> PictureFiles:
    unknown = [child.name for child in _folders(folder) if child.name not in class_names]
    if unknown:
        raise DataError(
            f"{folder} must hold only classes that the train folder has, received "
            f"{', '.join(map(repr, unknown[:3]))}{' and more' if len(unknown) > 3 else ''}: rename "
            "or remove them, or add them to train."
        )
    paths, labels = [], []
    for class_id, name in enumerate(class_names):
        if (folder / name).is_dir():
            found = images.list_pictures(folder / name)
            paths += found
            labels += [class_id] * len(found)
    if not paths:
        raise DataError(f"{folder} holds no picture: add pictures or remove the folder.")
    return PictureFiles(paths, labels, image_size=image_size)


def _folders(folder: Path) -> list[Path]:
    """The visible folders in a folder, sorted by name."""
    try:
        children = [child for child in folder.iterdir() if images.is_visible(child.name)]
        return sorted((child for child in children if child.is_dir()), key=lambda c: c.name)
    except PermissionError as error:
        raise DataError(
            f"{folder} may not be listed: give yourself permission to read it."
        ) from error
