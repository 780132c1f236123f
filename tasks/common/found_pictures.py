"""The picture files that a command line names, each with a place of its own below a folder."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from datasets import images
from tasks.common.errors import UserError


@dataclasses.dataclass(frozen=True)
class FoundPicture:
    """A picture file.

    Attributes:
        path: where it lies.
        place: relative path without `..` under which a copy may lie; no two pictures of one
            command have the same. It ends in one of the suffixes that were looked for.
    """

    path: Path
    place: PurePath


def find_pictures(
    arguments: Sequence[Path], suffixes: tuple[str, ...] = images.PICTURE_SUFFIXES
) -> Iterator[FoundPicture]:
    """The pictures in the folders named, and the files named, whatever their names end in.

    A file that does not exist is handed out like any other: reading it says what is wrong.

    Args:
        arguments: files and folders.
        suffixes: what the names of files in folders end in, in lower case.

    Raises:
        DataError: a folder cannot be listed.
    """
    only_one = len(arguments) == 1
    for path, place in zip(arguments, _places(arguments, suffixes), strict=True):
        if path.is_dir():
            root = PurePath() if only_one else place
            for file in images.iterate_pictures(path, suffixes):
                yield FoundPicture(file, root / file.relative_to(path))
        else:
            yield FoundPicture(path, place)


def _places(arguments: Sequence[Path], suffixes: tuple[str, ...]) -> list[PurePath]:
    """One name per argument: its own, with a number where two would be the same."""
    taken: set[str] = set()
    places = []
    for argument in arguments:
        # Resolved, because "." and ".." and "/" have no name of their own to lie under.
        path = Path(_name(argument) or "pictures")
        suffix = path.suffix
        if argument.is_dir():
            suffix = ""
        elif suffix.lower() not in suffixes:
            path, suffix = Path(f"{path}.png"), ".png"
        stem = path.name.removesuffix(suffix)
        name, number = path.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        taken.add(name.casefold())
        places.append(PurePath(name))
    return places


def _real(path: Path) -> Path:
    # Path.resolve of Python 3.11 raises RuntimeError for a link that leads to itself.
    return Path(os.path.realpath(path))


def _name(argument: Path) -> str:
    return argument.resolve().name if argument.name in ("", "..") else argument.name


def require_apart(folder: Path, arguments: Sequence[Path], option: str = "--pictures") -> None:
    """Sees that what is written below `folder` can neither replace nor join the pictures read.

    Raises:
        UserError: `folder` is one of the folders named, lies in one or around one, or holds one
            of the files named.
    """
    place = _real(folder)
    for argument in arguments:
        named = _real(argument)
        if argument.is_dir():
            overlap = place.is_relative_to(named) or named.is_relative_to(place)
        else:
            overlap = named.parent == place or _real(argument.absolute().parent) == place
        if overlap:
            raise UserError(
                f"{option} must be a folder apart from the pictures that are read, so that none "
                f"of them is written over. Received: {folder} for {argument}."
            )
