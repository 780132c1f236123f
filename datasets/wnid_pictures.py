"""Pictures whose file names begin with the WordNet id (wnid) of their class, as ImageNet's do.

`n02123045_tabby.jpg` and `n02123045_1234.JPEG` both show the class `n02123045`. Where a file name
does not begin with a wnid, that of the folder the file lies in counts.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

from datasets import images
from datasets.core import DataError
from datasets.files import PictureFiles

# A noun of WordNet 3.0: its offset in the data base, eight digits (image-net.org).
_WNID = re.compile(r"n\d{8}(?!\d)")
_LARGEST_INDEX_BYTES = 10_000_000


@dataclasses.dataclass(frozen=True)
class ClassIndex:
    """What a classifier's outputs mean.

    Attributes:
        wnids: WordNet id of each class, in order of the class ids.
        names: a word for each class; not unique (ImageNet has two classes called "crane").
    """

    wnids: tuple[str, ...]
    names: tuple[str, ...]


def read_class_index(path: str | Path) -> ClassIndex:
    """Reads a class index in Keras's layout: `{"0": ["n01440764", "tench"], "1": ...}`.

    Raises:
        DataError: the file cannot be read, is no JSON, or does not have one pair of wnid and name
            for each of the ids 0, 1, 2, ...
    """
    entries = _json_object(Path(path))
    wnids, names = [], []
    for number in range(len(entries)):
        entry = entries.get(str(number))
        if (
            not isinstance(entry, list)
            or len(entry) != 2
            or not all(isinstance(part, str) for part in entry)
            or _WNID.fullmatch(entry[0]) is None
        ):
            raise DataError(
                f'{path} must map each id from "0" on to a wnid and a name, such as '
                f'["n01440764", "tench"], received {str(entry)[:80]} for "{number}" of '
                f"{len(entries)}: take Keras's imagenet_class_index.json."
            )
        wnids.append(entry[0])
        names.append(entry[1])
    repeated = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1})
    if repeated or not wnids:
        raise DataError(
            f"{path} must have each wnid once, received {len(wnids)} entries"
            f"{f' with {repeated[0]} twice' if repeated else ''}: take Keras's "
            "imagenet_class_index.json."
        )
    return ClassIndex(tuple(wnids), tuple(names))


def _json_object(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > _LARGEST_INDEX_BYTES:
            raise DataError(
                f"{path} has more than {_LARGEST_INDEX_BYTES} bytes and so is no class index: "
                "name Keras's imagenet_class_index.json."
            )
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({images.one_line(error)}): name Keras's "
            "imagenet_class_index.json."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged or no JSON ({images.one_line(error)}): take Keras's "
            "imagenet_class_index.json."
        ) from error
    if not isinstance(entries, dict):
        raise DataError(
            f"{path} must hold one JSON object, received {type(entries).__name__}: take Keras's "
            "imagenet_class_index.json."
        )
    return entries


def load(
    data_dir: str | Path, class_index: ClassIndex, image_size: tuple[int, int] | None = None
) -> PictureFiles:
    """The pictures in a folder and below, with the class ids of their wnids.

    Args:
        data_dir: the folder.
        class_index: the wnids in order of the class ids.
        image_size: height and width that the pictures will be resized to, which large JPEGs are
            decoded near to; None decodes them in full.

    Raises:
        DataError: the folder is missing or has no picture, or a picture's wnid is missing or is
            not in the index.
    """
    folder = Path(data_dir).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder that can be found: name a folder of pictures.")
    paths = images.list_pictures(folder)
    if not paths:
        raise DataError(
            f"{folder} holds no picture ({', '.join(images.PICTURE_SUFFIXES)}): name a folder of "
            "pictures."
        )
    ids = {wnid: number for number, wnid in enumerate(class_index.wnids)}
    return PictureFiles(paths, [_class_id(path, ids) for path in paths], image_size=image_size)


def _class_id(path: Path, ids: dict[str, int]) -> int:
    match = _WNID.match(path.name) or _WNID.match(path.parent.name)
    if match is None:
        raise DataError(
            f"{path} must begin with the wnid of its class, such as n02123045_1.jpg, or lie in a "
            f"folder that does, received {path.name!r}: rename or remove it."
        )
    if match[0] not in ids:
        raise DataError(
            f"{path} has the wnid {match[0]}, which is not among the {len(ids)} of the class "
            "index: rename or remove it."
        )
    return ids[match[0]]
