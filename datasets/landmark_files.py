"""Pictures on disk with points from a table: MUCT, the 68-point faces, any such pair.

The pictures lie anywhere below a folder and are found by the names of the table, with or without
the suffix. The data is split by person, since pictures of one person, often frames of one film,
are so alike that a network would be tested on what it has learned by heart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets import images
from datasets.core import DataError, Splits, Subset
from datasets.landmark_csv import LandmarkTable, read_table
from datasets.landmark_records import LandmarkInfo
from datasets.landmark_schemes import scheme_of

# S. Milborrow, "MUCT details" (www.milbo.org/muct): names such as i000qa-fn are i, three digits of
# the person, a letter of the lighting, a letter of the camera, sex, glasses. Rows whose names
# begin with `ir` are mirrored copies without pictures.
MUCT_PERSON = r"i(\d{3})"
MUCT_MIRRORED = r"ir\d{3}"
MUCT_TABLE = "muct76-opencv.csv"
NUMBERED_PERSON = r"(.+)_\d+"
"""Pictures such as `Ann_Smith_03` are of one person when they differ in the last number alone."""

# A point may lie outside its picture, where a face is cut off, by this share of its sides.
_OUTSIDE = 0.5


class LandmarkFiles:
    """Picture files with points; see `datasets.landmark_records`."""

    def __init__(
        self, paths: Sequence[Path], table: LandmarkTable, rows: Sequence[int], persons: np.ndarray
    ) -> None:
        """Takes the files as they are; nothing is opened yet.

        Args:
            paths: n picture files.
            table: where the points come from.
            rows: the row of the table for each picture.
            persons: number of the person on each picture, int64 (n,).
        """
        self._paths = [str(path) for path in paths]
        self._table = table
        self._rows = list(rows)
        self._persons = np.asarray(persons, dtype=np.int64)

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._paths)

    @property
    def labels(self) -> np.ndarray:
        """Number of the person on each picture, int64, shape (len,)."""
        return self._persons

    def identifier(self, index: int) -> str:
        """The path of the picture."""
        return self._paths[index]

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The picture, its points and its person.

        Raises:
            DataError: the file cannot be read or is stored turned, so that it is not known where
                the points are, or a point lies far outside the picture.
        """
        row = self._rows[index]
        points = self._table.points[row]
        picture = images.read_picture_of_points(self._paths[index], points, "points")
        _require_near(points, picture.shape[:2], self._table, row)
        return {"image": picture, "points": points, "label": self._persons[index]}


def _require_near(
    points: np.ndarray, size: tuple[int, int], table: LandmarkTable, row: int
) -> None:
    height, width = size
    share = points / np.array([width, height], np.float32)
    outside = np.argwhere((share < -_OUTSIDE) | (share > 1 + _OUTSIDE))
    if len(outside):
        number, axis = outside[0]
        raise DataError(
            f"{table.path} line {table.lines[row]} column {'xy'[axis]}{number:02d} must lie in or "
            f"near the picture {table.names[row]!r} of {width} x {height} pixels, received "
            f"{points[number, axis]:g}: mend or remove the row."
        )


def load(
    data_dir: str | Path,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    person_pattern: str | None = None,
    skip_missing: bool = False,
) -> Splits:
    """Reads a table and its pictures, and splits them by person.

    Args:
        data_dir: the folder that holds both, or the table, with the pictures beside or below it.
        validation_fraction: share of the pictures that becomes validation.
        test_fraction: share that becomes test.
        seed: decides which persons go where.
        person_pattern: as for `persons_of`.
        skip_missing: leave out rows whose picture is not there, instead of stopping.

    Raises:
        DataError: as for `read_all`, or there are too few persons.
    """
    source, table = read_all(data_dir, person_pattern, skip_missing)
    parts = split_by_person(source.labels, validation_fraction, test_fraction, seed, table.path)
    info = LandmarkInfo(
        name=table.path.stem,
        class_names=(),
        description=(
            f"{len(source)} pictures of {len(np.unique(source.labels))} persons with "
            f"{table.points.shape[1]} points each; {test_fraction:.0%} for test and "
            f"{validation_fraction:.0%} for validation, split by person, seed {seed}."
        ),
        origin=str(table.path),
        licence="as the owner of the pictures says",
        scheme=scheme_of(table.points.shape[1]),
    )
    return Splits(*(Subset(source, part) for part in parts), info=info)


def read_all(
    data_dir: str | Path, person_pattern: str | None = None, skip_missing: bool = False
) -> tuple[LandmarkFiles, LandmarkTable]:
    """All pictures of a table, not split.

    Raises:
        DataError: no table or more than one, a fault in it, pictures that are not there (named),
            or two pictures for one name.
    """
    path = find_table(Path(data_dir).expanduser())
    table = read_table(path)
    used = [row for row, name in enumerate(table.names) if not re.match(MUCT_MIRRORED, name)]
    below = path.parent if not Path(data_dir).is_dir() else Path(data_dir).expanduser()
    found = _find_pictures(below, [table.names[row] for row in used], path, skip_missing)
    used = [row for row in used if table.names[row] in found]
    names = [table.names[row] for row in used]
    persons = persons_of(names, person_pattern)
    return LandmarkFiles([found[name] for name in names], table, used, persons), table


def find_table(place: Path) -> Path:
    """The table in a folder: MUCT's own wherever it lies below, else the only .csv file there.

    Raises:
        DataError: there is none, or more than one.
    """
    if place.is_file():
        return place
    if not place.is_dir():
        raise DataError(
            f"{place} is not a folder that can be found: name the folder of pictures and table "
            "with --data-dir."
        )
    known = sorted(path for path in place.rglob(MUCT_TABLE) if path.is_file())
    tables = known or sorted(
        path for path in place.glob("*.csv") if path.is_file() and images.is_visible(path.name)
    )
    if len(tables) != 1:
        received = ", ".join(path.name for path in tables[:3]) or "none"
        raise DataError(
            f"{place} must hold one table of points, a .csv file, received {received}: name the "
            "table itself with --data-dir."
        )
    return tables[0]


def _find_pictures(
    folder: Path, names: Sequence[str], table: Path, skip_missing: bool
) -> dict[str, Path]:
    """The picture of each name; names only choose among the pictures that lie in the folder."""
    places: dict[str, list[Path]] = {}
    for path in images.iterate_pictures(folder):
        for key in {path.relative_to(folder).as_posix(), path.name, path.stem}:
            places.setdefault(key, []).append(path)
    missing = [name for name in names if name not in places]
    if missing and (not skip_missing or len(missing) == len(names)):
        shown = ", ".join(map(repr, missing[:3]))
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise DataError(
            f"{table} names pictures that are not in {folder}: {shown}{more}; put them there"
            f"{'' if skip_missing else ', or leave such rows out by --skip-bad-images'}."
        )
    for name in names:
        if len(places.get(name, ())) > 1:
            first, second = places[name][:2]
            raise DataError(
                f"{table} names the picture {name!r}, which may be {first} or {second}: remove one "
                "or name it with its folder and suffix."
            )
    return {name: places[name][0] for name in names if name in places}


def persons_of(names: Sequence[str], pattern: str | None = None) -> np.ndarray:
    """The number of the person on each picture by the names of the pictures, int64 (n,).

    Args:
        names: of the pictures, with or without folders and suffixes.
        pattern: a regular expression whose first group, found at the beginning of the name, is the
            person; None tries MUCT's naming and names that end in a number (`MUCT_PERSON`,
            `NUMBERED_PERSON`). A picture whose name does not fit is of a person of its own.

    Raises:
        DataError: the pattern is no regular expression or has no group.
    """
    patterns = _compiled(pattern) if pattern is not None else _guessed(names)
    numbers: dict[str, int] = {}
    persons = []
    for name in names:
        stem = Path(name).stem
        match = patterns.match(stem) if patterns is not None else None
        key = f"person {match[1]}" if match else f"picture {name}"
        persons.append(numbers.setdefault(key, len(numbers)))
    return np.array(persons, dtype=np.int64)


def _guessed(names: Sequence[str]) -> re.Pattern | None:
    """The naming that all pictures share, if it is one of the known ones."""
    for known in (MUCT_PERSON, NUMBERED_PERSON):
        pattern = re.compile(known)
        if all(pattern.match(Path(name).stem) for name in names):
            return pattern
    return None


def _compiled(pattern: str) -> re.Pattern:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise DataError(f"--person-pattern must be a regular expression ({error}).") from None
    if compiled.groups < 1:
        raise DataError(
            f"--person-pattern must have a group in parentheses for the person. Received: {pattern}"
        )
    return compiled


def split_by_person(
    persons: np.ndarray,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    origin: str | Path,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices for train, validation and test; every person is in one of them alone.

    Persons are taken in a random order, into test until it has its share of the pictures, then
    into validation, and the rest into train.

    Raises:
        DataError: there are too few persons for three parts.
    """
    numbers = np.random.default_rng(seed).permutation(np.unique(persons))
    counts = np.array([np.count_nonzero(persons == number) for number in numbers])
    # The share of the pictures that lies before each person decides where it goes.
    before = (np.cumsum(counts) - counts) / len(persons)
    parts = {
        "test": numbers[before < test_fraction],
        "validation": numbers[
            (before >= test_fraction) & (before < test_fraction + validation_fraction)
        ],
        "train": numbers[before >= test_fraction + validation_fraction],
    }
    for name, members in parts.items():
        if not len(members):
            raise DataError(
                f"{origin} must have pictures of enough persons for three splits, received "
                f"{len(numbers)} persons and none for {name}: add pictures, choose other "
                "fractions, or make each picture a person of its own with --person-pattern '(.*)'."
            )
    return tuple(
        np.flatnonzero(np.isin(persons, parts[name])) for name in ("train", "validation", "test")
    )
