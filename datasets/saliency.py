"""Pictures with the fixations of people who looked at them.

Tensor contract of an example, for a picture of (height, width):

- `image`: uint8, (height, width, 3), RGB.
- `saliency`: float32, (height, width), range [0, 1]: density of the fixations relative to its
  highest place, see `datasets.fixation_maps`.
- `fixations`: float32, (m, 2), x and y in pixels, all on the picture, m at least 1.
- `observers`: int64, (m,), number of the observer of each fixation.
- `label`: int64 scalar, always 0: pictures are of no class.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets import core, fixation_csv, images
from datasets.core import DataError, DatasetInfo, Splits, Subset
from datasets.fixation_csv import FixationTable
from datasets.fixation_maps import Blur, inside, saliency_map

TABLE = "fixations.csv"
EARLIEST_SECONDS = 0.1
"""Fixations that began sooner were chosen before the picture was seen, such as those on a cross in
the middle: the fastest eye movements that answer something seen take about 0.1 s (Fischer & Weber,
"Express saccades and visual attention", 1993). Judd et al. 2009 leave each first fixation out."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fixations:
    """Where people looked at one picture.

    Attributes:
        points: float64 (m, 2), x and y in pixels.
        observers: int64 (m,).
        row: number of the first of them in the list, for messages.
    """

    points: np.ndarray
    observers: np.ndarray
    row: int


class FixatedPictures:
    """Picture files with fixations; see the head of this module."""

    def __init__(
        self, paths: Sequence[Path], fixations: Sequence[Fixations], table: Path, blur: Blur
    ) -> None:
        """Takes the files as they are; nothing is opened yet.

        Args:
            paths: n picture files.
            fixations: of each.
            table: the list they come from, for messages.
            blur: what makes a map of them.
        """
        self._paths = [str(path) for path in paths]
        self._fixations = list(fixations)
        self._table = table
        self._blur = blur

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._paths)

    @property
    def labels(self) -> np.ndarray:
        """Zeros, int64, shape (len,)."""
        return np.zeros(len(self), np.int64)

    def identifier(self, index: int) -> str:
        """The path of the picture."""
        return self._paths[index]

    def example(self, index: int) -> dict[str, np.ndarray]:
        """A picture with its fixations; those beside the picture are left out.

        Raises:
            DataError: the file cannot be read or is stored turned, so that it is not known where
                the fixations are, or none lies on the picture.
        """
        fixations = self._fixations[index]
        try:
            picture = images.read_picture_of_points(
                self._paths[index], fixations.points, "fixations"
            )
        except DataError as error:
            raise DataError(
                f"{self._table} row {fixations.row} names a picture that cannot be used: {error}"
            ) from error
        on_picture = inside(fixations.points, picture.shape[:2])
        if not on_picture.any():
            height, width = picture.shape[:2]
            raise DataError(
                f"{self._table} must have a fixation on the picture {self._paths[index]} of "
                f"{width} x {height} pixels, received {len(on_picture)} beside it, the first in "
                f"row {fixations.row}: mend or remove these rows."
            )
        return fixated_example(
            picture, fixations.points[on_picture], fixations.observers[on_picture], self._blur
        )

    def count_outside(self) -> int:
        """Fixations that lie beside their pictures, by the sizes in the files' headers.

        A file that cannot be read counts none; `example` will name it.
        """
        count = 0
        for path, fixations in zip(self._paths, self._fixations, strict=True):
            try:
                size = images.picture_size(path)
            except DataError:
                continue
            count += int(np.count_nonzero(~inside(fixations.points, size)))
        return count


def fixated_example(
    picture: np.ndarray, points: np.ndarray, observers: np.ndarray, blur: Blur
) -> dict[str, np.ndarray]:
    """An example as the head of this module describes it.

    Args:
        picture: uint8 (height, width, 3).
        points: (m, 2), all on the picture, m at least 1.
        observers: (m,).
        blur: what makes a map of the fixations.
    """
    return {
        "image": picture,
        "saliency": saliency_map(points, picture.shape[:2], blur),
        "fixations": points.astype(np.float32),
        "observers": observers.astype(np.int64),
        "label": np.int64(0),
    }


def load(
    data_dir: str | Path,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    blur: Blur,
    earliest_seconds: float = EARLIEST_SECONDS,
    skip_missing: bool = False,
) -> Splits:
    """Reads a list of fixations and its pictures, and splits the pictures at random.

    Args:
        data_dir: the folder that holds both, or the list, with the pictures beside or below it.
        validation_fraction: share of the pictures that becomes validation.
        test_fraction: share that becomes test.
        seed: decides which pictures go where.
        blur: what makes maps of fixations.
        earliest_seconds: fixations that began sooner after the picture came up are left out.
        skip_missing: leave out pictures of the list that are not there, instead of stopping.

    Raises:
        DataError: as for `read_all`, or there are too few pictures.
    """
    source, counted = read_all(data_dir, blur, earliest_seconds, skip_missing)
    shares = [1 - validation_fraction - test_fraction, validation_fraction, test_fraction]
    if len(source) < len(shares):
        raise DataError(
            f"{data_dir} must have pictures for three splits, received {len(source)}: add some."
        )
    parts = core.stratified_split(source.labels, shares, seed)
    info = DatasetInfo(
        name=Path(data_dir).stem,
        class_names=(),
        description=(
            f"{counted} {test_fraction:.0%} of the pictures for test and "
            f"{validation_fraction:.0%} for validation, seed {seed}."
        ),
        origin=str(data_dir),
        licence="as the owner of the pictures says",
    )
    return Splits(*(Subset(source, part) for part in parts), info=info)


def read_all(
    data_dir: str | Path,
    blur: Blur,
    earliest_seconds: float = EARLIEST_SECONDS,
    skip_missing: bool = False,
) -> tuple[FixatedPictures, str]:
    """All pictures of a list of fixations, and a sentence that counts what was left out.

    Raises:
        DataError: there is no list, a fault in it, a picture that is not there (named), two
            pictures for one name, or two names for one picture.
    """
    path = find_table(Path(data_dir).expanduser())
    table = fixation_csv.read_fixations(path)
    found = _find_pictures(path.parent, table, skip_missing)
    late = _late_enough(table, earliest_seconds)
    of_picture = _rows_of_pictures(table, late)
    chosen = [number for number, name in enumerate(table.names) if name in found]
    used = [number for number in chosen if len(of_picture[number])]
    if not used:
        raise DataError(
            f"{path} must have fixations that began at least {earliest_seconds} s after their "
            "picture came up, received none: choose a smaller --earliest-seconds."
        )
    fixations = [
        Fixations(table.points[rows], table.observers[rows], int(table.rows[rows[0]]))
        for rows in (of_picture[number] for number in used)
    ]
    paths = [found[table.names[number]] for number in used]
    source = FixatedPictures(paths, fixations, path, blur)
    observers = len(np.unique(table.observers))
    missing = len(table.names) - len(chosen)
    sentence = (
        f"Pictures: {len(used)}, with {sum(len(each.points) for each in fixations)} fixations, "
        f"observers: {observers}; left out are {source.count_outside()} of these beside their "
        f"pictures, {np.count_nonzero(~late)} others that began before {earliest_seconds} s"
        f"{f', and what is missing: {missing}' if missing else ''}."
    )
    return source, sentence


def find_table(place: Path) -> Path:
    """The list of fixations in a folder: `fixations.csv`, else the only .csv file there.

    Raises:
        DataError: there is none, or more than one.
    """
    if place.is_file():
        return place
    if not place.is_dir():
        raise DataError(
            f"{place} is not a folder that can be found: name the folder of pictures and "
            "fixations with --data-dir."
        )
    if (place / TABLE).is_file():
        return place / TABLE
    tables = sorted(
        path for path in place.glob("*.csv") if path.is_file() and images.is_visible(path.name)
    )
    if len(tables) != 1:
        received = ", ".join(path.name for path in tables[:3]) or "none"
        raise DataError(
            f"{place} must hold one list of fixations, {TABLE}, received {received}: name the "
            "list itself with --data-dir."
        )
    return tables[0]


def _late_enough(table: FixationTable, earliest_seconds: float) -> np.ndarray:
    if table.latencies is None:
        return np.ones(len(table.points), bool)
    return table.latencies >= earliest_seconds


def _rows_of_pictures(table: FixationTable, used: np.ndarray) -> list[np.ndarray]:
    """The used rows of each picture, in the list's order."""
    order = np.flatnonzero(used)
    order = order[np.argsort(table.pictures[order], kind="stable")]
    edges = np.searchsorted(table.pictures[order], np.arange(1, len(table.names)))
    return np.split(order, edges)


def _find_pictures(folder: Path, table: FixationTable, skip_missing: bool) -> dict[str, Path]:
    """The picture of each name; names only choose among the pictures that lie in the folder."""
    places: dict[str, list[Path]] = {}
    for path in images.iterate_pictures(folder):
        for key in {path.relative_to(folder).as_posix(), path.name, path.stem}:
            places.setdefault(key, []).append(path)
    first_row = dict(zip(table.pictures[::-1], table.rows[::-1], strict=True))
    missing = [number for number, name in enumerate(table.names) if name not in places]
    if missing and (not skip_missing or len(missing) == len(table.names)):
        number = missing[0]
        raise DataError(
            f"{table.path} row {first_row[number]} names the picture {table.names[number]!r}, "
            f"which is not in {folder} (nor are {len(missing) - 1} others): put it there"
            f"{'' if skip_missing else ', or leave such out by --skip-bad-images'}."
        )
    for number, name in enumerate(table.names):
        if len(places.get(name, ())) > 1:
            first, second = places[name][:2]
            raise DataError(
                f"{table.path} row {first_row[number]} names the picture {name!r}, which may be "
                f"{first} or {second}: remove one or name it with its folder and suffix."
            )
    found = {name: places[name][0] for name in table.names if name in places}
    _require_one_name_each(table, found)
    return found


def _require_one_name_each(table: FixationTable, found: dict[str, Path]) -> None:
    """Refuses two names of one picture: they would be two examples, of training and of test."""
    names: dict[Path, str] = {}
    for name, path in found.items():
        if path in names:
            raise DataError(
                f"{table.path} must name each picture in one way, received {names[path]!r} and "
                f"{name!r} for {path}: write one of the two in all rows."
            )
        names[path] = name
