"""Copies of pictures with the most probable classes written below them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from datasets import images
from datasets.core import DataError
from tasks.common import run_folder
from tasks.common.found_pictures import FoundPicture
from tasks.common.wording import percent, shorten

# Limits of the longest side of the copy, in pixels: a thumbnail is enlarged until its text can be
# read, a photograph reduced to what a screen shows.
SHORTEST_COPY, LONGEST_COPY = 480, 1600
# The tints keep black text readable.
PAPER, INK, FIRST_BAR, OTHER_BAR = "#FFFFFF", "#1A1A1A", "#9CCAE6", "#DDE6EC"


def annotate(picture: np.ndarray, ranking: Sequence[tuple[str, float]]) -> Image.Image:
    """A copy with a line per class below it: its name, its probability and a bar.

    Nothing of the picture is covered.

    Args:
        picture: uint8, shape (height, width, 3), RGB.
        ranking: class names with probabilities in [0, 1], the most probable first.
    """
    copy = _at_readable_size(Image.fromarray(picture))
    width = max(copy.width, SHORTEST_COPY)
    line = max(24, width // 24)
    page = Image.new("RGB", (width, copy.height + line * len(ranking)), PAPER)
    page.paste(copy, ((width - copy.width) // 2, 0))
    draw = ImageDraw.Draw(page)
    font = text_font(round(0.62 * line))
    for number, (name, probability) in enumerate(ranking):
        top = copy.height + number * line
        color = OTHER_BAR if number else FIRST_BAR
        draw.rectangle((0, top, round(probability * (width - 1)), top + line - 2), fill=color)
        share = percent(probability)
        margin = line // 3
        room = width - 3 * margin - draw.textlength(share, font)
        middle = top + (line - 1) / 2
        draw.text((margin, middle), _fitting(draw, name, font, room), INK, font, anchor="lm")
        draw.text((width - margin, middle), share, INK, font, anchor="rm")
    return page


def _at_readable_size(picture: Image.Image) -> Image.Image:
    longest = max(picture.size)
    factor = np.clip(longest, SHORTEST_COPY, LONGEST_COPY) / longest
    if factor == 1:
        return picture
    size = tuple(max(1, round(factor * side)) for side in picture.size)
    return picture.resize(size, Image.Resampling.LANCZOS)


def text_font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and knows Latin, Greek and Cyrillic letters."""
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(path), size)


def _fitting(
    draw: ImageDraw.ImageDraw, name: str, font: ImageFont.FreeTypeFont, room: float
) -> str:
    """The name, with as much of its middle left out as it takes to fit into `room` pixels."""
    lengths = range(80, 3, -1)
    texts = (shorten(name, length) for length in lengths)
    fitting = (text for text in texts if draw.textlength(text, font) <= room)
    return next(fitting, "")


def write_copy(folder: Path, found: FoundPicture, ranking: Sequence[tuple[str, float]]) -> Path:
    """Writes the annotated copy of a picture to its own place below `folder`.

    Raises:
        DataError: the picture cannot be read any more; or as for `put_copy`.
        OSError: the copy cannot be written.
    """
    return put_copy(folder, found, annotate(images.read_picture(found.path), ranking))


def put_copy(folder: Path, found: FoundPicture, copy: Image.Image) -> Path:
    """Writes a changed copy of a picture to the picture's own place below `folder`.

    Raises:
        DataError: as for `replacing_below`.
        OSError: the copy cannot be written.
    """
    with replacing_below(folder, found.place) as temporary:
        copy.save(temporary)
    return folder / found.place


@contextlib.contextmanager
def replacing_below(folder: Path, place: PurePath, option: str = "--pictures") -> Iterator[Path]:
    """A temporary path to write to, of the same suffix, that takes its place below `folder`.

    It is put in place by a rename, so that a link that lies there is replaced, not followed.

    Raises:
        DataError: its place lies outside `folder` because a link leads out of it.
        OSError: the folder cannot be made.
    """
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            f"{path} lies outside {folder}, because a link in it leads there: remove the link, or "
            f"choose another folder with {option}."
        )
    with run_folder.replacing(path) as temporary:
        yield temporary
