"""Cityscapes: pictures of streets in fifty cities with a class for each pixel.

Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016, as it is
unpacked: `leftImg8bit/train/CITY/NAME_leftImg8bit.png` beside
`gtFine/train/CITY/NAME_gtFine_labelIds.png`, 2,975 pictures of 18 cities, and 500 of three others
in `val`. The 34 ids on disk are the 19 classes of its benchmark, or void (the data set's
`labels.py`, column trainId).

The labels of its test pictures are secret, and what papers report is `val`. It is the test split
here; validation are whole cities of `train`, so that no number that is reported was selected by.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets import images
from datasets.class_masks import ClassMaskInfo, MaskedPictures, read_mask
from datasets.core import DataError, Splits, Subset

# Name, id on disk and the colour that the data set shows it in.
_CLASSES = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)
CLASS_NAMES = tuple(name for name, _, _ in _CLASSES)
CLASS_COLOURS = tuple(colour for _, _, colour in _CLASSES)
VOID = len(CLASS_NAMES)

_LARGEST_ID = 33
_TRAINING, _TEST = "train", "val"
_PICTURE, _MASK = "_leftImg8bit.png", "_gtFine_labelIds.png"


def read_label_ids(path: str | Path) -> np.ndarray:
    """The classes of a file of label ids, uint8 (height, width); 19 is void.

    Raises:
        DataError: as `class_masks.read_mask`.
    """
    classes = np.full(_LARGEST_ID + 1, VOID, np.uint8)
    for number, (_, label_id, _) in enumerate(_CLASSES):
        classes[label_id] = number
    return classes[read_mask(path, _LARGEST_ID)]


def load(data_dir: str | Path, validation_fraction: float, seed: int) -> Splits:
    """Training cities, some of them for validation, and the three cities of `val` as the test.

    Args:
        data_dir: the folder that holds `leftImg8bit` and `gtFine`.
        validation_fraction: share of the training cities, at least one, that is for validation.
        seed: decides which.

    Raises:
        DataError: folders or pictures are missing, or there is only one training city.
    """
    root = Path(data_dir).expanduser()
    known, test = read_split(root, _TRAINING), read_test(root)
    count = len(known.group_names)
    if count < 2:
        raise DataError(
            f"{root / 'leftImg8bit' / _TRAINING} must hold pictures of two cities or more, one of "
            f"them for validation, received {count}: copy the others there."
        )
    chosen = np.random.default_rng(seed).permutation(count)
    kept_out = chosen[: min(max(1, round(validation_fraction * count)), count - 1)]
    validation = np.isin(known.labels, kept_out)
    names = ", ".join(known.group_names[number] for number in sorted(kept_out))
    info = ClassMaskInfo(
        name="cityscapes",
        class_names=CLASS_NAMES,
        description=(
            f"Cityscapes, {(~validation).sum()} pictures for training, {validation.sum()} of "
            f"{names} for validation, {len(test)} of its folder {_TEST} for the test."
        ),
        origin=str(root),
        licence="Cityscapes: not for commerce, as its authors say",
        class_colours=CLASS_COLOURS,
        sequence_of=city_of,
    )
    parts = (Subset(known, np.flatnonzero(part)) for part in (~validation, validation))
    return Splits(*parts, test, info)


def city_of(name: str) -> str:
    """The city of a picture by its path or name: `aachen` of `aachen_000000_000019_...`."""
    return Path(name).name.partition("_")[0]


def read_test(root: Path) -> MaskedPictures:
    """The pictures of `val`, which are the test split here.

    Raises:
        DataError: there are none.
    """
    return read_split(root, _TEST)


def read_split(root: Path, folder: str) -> MaskedPictures:
    """All pictures of `train` or `val`, grouped by city.

    Raises:
        DataError: there are none.
    """
    place = root / "leftImg8bit" / folder
    pictures = _pictures(place) if place.is_dir() else []
    if not pictures:
        raise DataError(
            f"{place} must hold folders of cities with pictures that end in {_PICTURE}, received "
            "none: name the folder that holds leftImg8bit and gtFine with --data-dir."
        )
    masks = [
        root / "gtFine" / folder / path.parent.name / f"{path.name.removesuffix(_PICTURE)}{_MASK}"
        for path in pictures
    ]
    cities = [city_of(path.name) for path in pictures]
    return MaskedPictures(pictures, masks, cities, read_label_ids)


def _pictures(place: Path) -> Sequence[Path]:
    found = images.list_pictures(place)
    return [path for path in found if path.name.endswith(_PICTURE) and path.parent.parent == place]
