"""Which points of a face a data set marks: their names, their mirror partners, their lines.

"Left" and "right" are sides of the picture of a face that looks at the camera, as the viewer sees
them: the left eye has the smaller x.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class LandmarkScheme:
    """The points of one way to mark a face.

    Attributes:
        name: for reports.
        point_names: one per point, distinct, in the order of the columns.
        mirror: for each point the number of the one it becomes in a mirrored picture, its own on
            the middle line; None where left and right are not known.
        eye_corners: the two outer corners of the eyes, left first; None where they are not known.
        lines: sequences of points to be joined when a face is drawn.
    """

    name: str
    point_names: tuple[str, ...]
    mirror: tuple[int, ...] | None = None
    eye_corners: tuple[int, int] | None = None
    lines: tuple[tuple[int, ...], ...] = ()


def scheme_of(count: int) -> LandmarkScheme:
    """The scheme that is known for so many points, or one that knows nothing but their number."""
    for scheme in (MUCT76, IBUG68):
        if len(scheme.point_names) == count:
            return scheme
    names = tuple(f"point {number}" for number in range(count))
    return LandmarkScheme(f"{count} points", names)


def column_names(count: int) -> tuple[str, ...]:
    """The coordinates in their order: x00, y00, x01, y01, and so on."""
    return tuple(f"{axis}{number:02d}" for number in range(count) for axis in "xy")


def pairing(count: int, pairs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The mirror table in which the points of each pair change places and all others stay.

    Raises:
        ValueError: a point is in two pairs or is not below `count`.
    """
    partners = list(range(count))
    for left, right in pairs:
        if partners[left] != left or partners[right] != right:
            raise ValueError(f"each point may be in one pair. Received: {left=}, {right=}")
        partners[left], partners[right] = right, left
    return tuple(partners)


def _numbered(*groups: tuple[str, int]) -> tuple[str, ...]:
    """Names such as `jaw 1`, `jaw 2`, for groups of so many points."""
    return tuple(f"{name} {number}" for name, count in groups for number in range(1, count + 1))


def _paired(*runs: tuple[Sequence[int], Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple(pair for left, right in runs for pair in zip(left, right, strict=True))


_EYE = ("outer corner", "top", "inner corner", "bottom", "pupil")
_BETWEEN = ("outer top", "inner top", "inner bottom", "outer bottom")

# Order of the points: S. Milborrow, J. Morkel, F. Nicolls, "The MUCT Landmarked Face Database",
# PRASA 2010, figure 2; points 0 to 67 are those of XM2VTS, 68 to 75 lie between those of the eyes.
# The partners follow from the figure's symmetry.
MUCT76 = LandmarkScheme(
    name="76 points of MUCT",
    point_names=(
        *_numbered(("jaw", 15), ("right brow", 6), ("left brow", 6)),
        *(f"left eye {place}" for place in _EYE),
        *(f"right eye {place}" for place in _EYE),
        *_numbered(("nose outline", 9)),
        *("left nostril", "right nostril"),
        *_numbered(("outer lips", 12), ("inner lips", 6)),
        *("mouth centre", "nose tip"),
        *(f"left eye {place}" for place in _BETWEEN),
        *(f"right eye {place}" for place in _BETWEEN),
    ),
    mirror=pairing(
        76,
        _paired(
            (range(7), range(14, 7, -1)),
            (range(21, 27), range(15, 21)),
            (range(27, 32), range(32, 37)),
            (range(37, 41), range(45, 41, -1)),
            ((46,), (47,)),
            (range(48, 51), range(54, 51, -1)),
            (range(58, 60), range(56, 54, -1)),
            ((60, 65), (62, 63)),
            (range(68, 72), range(72, 76)),
        ),
    ),
    eye_corners=(27, 32),
    lines=(
        tuple(range(15)),
        (*range(15, 21), 15),
        (*range(21, 27), 21),
        (27, 68, 28, 69, 29, 70, 30, 71, 27),
        (32, 72, 33, 73, 34, 74, 35, 75, 32),
        tuple(range(37, 46)),
        (*range(48, 60), 48),
        (48, 65, 64, 63, 54, 62, 61, 60, 48),
    ),
)

# Order of the points: C. Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV Workshops 2013,
# figure 1 (the Multi-PIE mark-up), counted from 0.
IBUG68 = LandmarkScheme(
    name="68 points of iBUG 300-W",
    point_names=_numbered(
        *(("jaw", 17), ("left brow", 5), ("right brow", 5), ("nose bridge", 4), ("nose base", 5)),
        *(("left eye", 6), ("right eye", 6), ("outer lips", 12), ("inner lips", 8)),
    ),
    mirror=pairing(
        68,
        _paired(
            (range(8), range(16, 8, -1)),
            (range(17, 22), range(26, 21, -1)),
            (range(31, 33), range(35, 33, -1)),
            (range(36, 40), range(45, 41, -1)),
            (range(40, 42), range(47, 45, -1)),
            (range(48, 51), range(54, 51, -1)),
            (range(58, 60), range(56, 54, -1)),
            (range(60, 62), range(64, 62, -1)),
            ((67,), (65,)),
        ),
    ),
    eye_corners=(36, 45),
    lines=(
        tuple(range(17)),
        tuple(range(17, 22)),
        tuple(range(22, 27)),
        tuple(range(27, 31)),
        tuple(range(31, 36)),
        (*range(36, 42), 36),
        (*range(42, 48), 42),
        (*range(48, 60), 48),
        (*range(60, 68), 60),
    ),
)
