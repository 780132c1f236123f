"""Reads pictures of any common kind into one form.

Tensor contract: a decoded picture is uint8, shape (height, width, 3), RGB, range [0, 255], upright.
Colour profiles are not applied: the stored numbers are taken for sRGB.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from datasets.core import DataError

# Only plain raster formats: a picture may come from anywhere, and Pillow would hand
# PostScript, for one, to an external interpreter.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp"),
    *(".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"),
)
# 256 MiB of RGB, the size from which Pillow suspects a decompression bomb
# (pillow.readthedocs.io, Image.open). It leaves room for cameras of 61 million pixels.
MAX_PIXELS = 256 * 1024 * 1024 // 3
# An uncompressed picture of MAX_PIXELS with four channels of 16 bits.
MAX_BYTES = 8 * MAX_PIXELS
# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if so many times the size it will be resized to
# is left. The antialiased resizing that follows then averages over two pixels or more and hides
# how the picture was reduced. Measured on 729 photographs of five collections, resized to 48 x 48
# with and without: 0.15 to 1.0 grey levels apart on average by collection (3.5 in the worst
# picture), 99 % of the pixels within 1 to 8, single pixels up to 62, at sharp edges between
# saturated colours. With a factor of 1, resized to 96 x 96: 0.4 to 1.8, single pixels up to 98.
REDUCED_AT_LEAST = 2

# What makes a picture of an EXIF orientation upright (Exif 2.32, tag 0x0112).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Orientations in which a stored row is a column of the upright picture.
_LYING = (5, 6, 7, 8)


def decode_picture(data: bytes, name: str, at_least: tuple[int, int] | None = None) -> np.ndarray:
    """Decodes an encoded picture; its content decides the format, not its name.

    Grey becomes three equal channels. 16-bit values v become round(v / 257), so that black and
    white stay black and white. Transparent parts show white, the page that cut-out pictures are
    drawn for; the colours hidden under full transparency are arbitrary and never come out. Of an
    animation the first frame counts. An EXIF orientation is applied. Of a CMYK JPEG, an Adobe
    marker says that its inks are stored inverted, as Adobe's programs write them.

    A JPEG that was damaged inside, not cut short, decodes with the damage visible: the format has
    no check sum.

    Args:
        data: the bytes of the file.
        name: where they come from, for messages.
        at_least: height and width that the picture will be resized to. A large JPEG is then
            decoded at a fraction of its size, which takes a fraction of the time; both sides
            stay at least `REDUCED_AT_LEAST` times as long as these. None decodes all pixels.

    Returns:
        uint8, shape (height, width, 3), RGB, range [0, 255], upright. Writable.

    Raises:
        DataError: empty, not a picture, cut short, damaged, more than `MAX_PIXELS` pixels, or of
            a kind whose white is not known (32-bit integers, floating point).
    """
    if not data:
        raise DataError(f"{name} is empty (0 bytes): replace or remove it.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _require_sane_size(image, name)
            if at_least is not None and image.format in ("JPEG", "MPO"):
                _reduce(image, at_least)
            image.load()
            return np.array(_upright(image, _to_rgb(image, name)))
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(
            f"{name} is not a picture that can be read ({', '.join(FORMATS)}), or its first bytes "
            "are damaged: replace or remove it."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large(name, "far more")) from error
    except Exception as error:  # decoders fail in many ways on hostile bytes: all mean "damaged"
        raise DataError(
            f"{name} cannot be decoded, it is cut short or damaged ({one_line(error)}): replace "
            "or remove it."
        ) from error


def read_picture(path: str | Path, at_least: tuple[int, int] | None = None) -> np.ndarray:
    """Reads a picture file.

    Args:
        path: the file.
        at_least: height and width that the picture will be resized to, as for `decode_picture`.

    Returns:
        uint8, shape (height, width, 3), RGB, range [0, 255], upright.

    Raises:
        DataError: the file cannot be read, or as for `decode_picture`.
    """
    return decode_picture(read_bytes(Path(path)), str(path), at_least)


def read_picture_of_map(path: str | Path, kind: str) -> np.ndarray:
    """Reads a picture of which another file says something pixel by pixel.

    An EXIF orientation would turn the picture alone, and every pixel would learn what belongs to
    another.

    Args:
        path: the picture.
        kind: what the other file holds, such as "mask", for the message.

    Raises:
        DataError: the picture is stored turned, or as for `read_picture`.
    """
    data = read_bytes(Path(path))
    picture = decode_picture(data, str(path))
    require_upright(data, str(path), f"which its {kind} may not follow: save both upright")
    return picture


def require_map_upright(image: Image.Image, path: str | Path) -> None:
    """Refuses what is said of a picture pixel by pixel where it would have to be turned to fit.

    Args:
        image: the map, opened and not loaded yet: Pillow turns a TIFF when it loads it.
        path: where it comes from, for messages.

    Raises:
        DataError: it has an EXIF orientation, which programs follow or not.
    """
    turn = stored_turn(image)
    if turn is not None:
        raise DataError(
            f"{path} is stored turned (EXIF orientation {turn}), and whether its picture is turned "
            "alike is not known: save both upright."
        )


def read_picture_of_points(path: str | Path, points: np.ndarray, kind: str) -> np.ndarray:
    """Reads a picture of which a table says something by its pixels.

    Of a picture that is stored turned some programs count the pixels as they are stored, others as
    they are shown. Points tell which where all of them lie on the picture as shown and not all on
    the stored one, whose sides are exchanged.

    Args:
        path: the picture.
        points: (n, 2), x and y in pixels.
        kind: what they are, such as "fixations", for messages.

    Raises:
        DataError: the picture is stored turned and the points do not tell, or as for
            `read_picture`.
    """
    data = read_bytes(Path(path))
    picture = decode_picture(data, str(path))
    turn = _turn_of_bytes(data)
    if turn is None:
        return picture
    height, width = picture.shape[:2]
    if turn in _LYING and _all_on(points, width, height) and not _all_on(points, height, width):
        return picture
    raise DataError(
        f"{path} is stored turned (EXIF orientation {turn}), and its {kind} may count pixels as "
        f"shown, {width} x {height}, or as stored: save it upright and count in what is then "
        "stored."
    )


def require_upright(data: bytes, name: str, reason: str) -> None:
    """Refuses a picture that is stored turned.

    Args:
        data: the bytes of a picture that can be read.
        name: where it comes from, for messages.
        reason: what goes wrong with it, the second half of the sentence.

    Raises:
        DataError: it has an EXIF orientation that turns or mirrors it.
    """
    turn = _turn_of_bytes(data)
    if turn is not None:
        raise DataError(f"{name} is stored turned (EXIF orientation {turn}), {reason}.")


def stored_turn(image: Image.Image) -> int | None:
    """The EXIF orientation of an opened picture that is not loaded yet, if it turns or mirrors."""
    orientation = _orientation(image)
    return orientation if orientation in _TURNS else None


def picture_size(path: str | Path) -> tuple[int, int]:
    """Height and width of the upright picture in a file, from its header alone.

    Raises:
        DataError: the file is not a picture that can be read.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            # Pillow turns a TIFF itself, and says the size that it then has.
            lying = image.format != "TIFF" and _orientation(image) in _LYING
            return (image.width, image.height) if lying else (image.height, image.width)
    except Exception as error:  # decoders fail in many ways on hostile bytes
        raise DataError(
            f"{path} is not a picture that can be read ({one_line(error)}): replace it."
        ) from error


def read_bytes(path: Path, kind: str = "picture") -> bytes:
    """The content of a file of pixels; nothing that would block or fill the memory is opened.

    Args:
        path: the file.
        kind: what it should hold, for messages.

    Raises:
        DataError: it cannot be read, is no file, or is larger than any picture allowed.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(
                f"{path} has {size} bytes, and no {kind} of the allowed {MAX_PIXELS} pixels has "
                f"more than {MAX_BYTES}: replace or remove it."
            )
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is not a file, so it is no {kind}: remove it.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path} was not found: put the {kind} there.") from error
    except PermissionError as error:
        raise DataError(f"{path} may not be read: give yourself permission to read it.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({one_line(error)}): replace it.") from error


def list_pictures(folder: str | Path) -> list[Path]:
    """All files in `folder` and below whose names end like a picture's, sorted by path.

    Hidden files and folders, and the resource folders that macOS puts into archives, are left
    out. So are links to folders and links that lead out of `folder`.

    Raises:
        DataError: the folder or one inside cannot be listed.
    """
    return sorted(iterate_pictures(folder), key=lambda path: path.as_posix())


def iterate_pictures(
    folder: str | Path, suffixes: tuple[str, ...] = PICTURE_SUFFIXES
) -> Iterator[Path]:
    """The files of `list_pictures` as they are found: sorted within each folder.

    Args:
        folder: where to look.
        suffixes: what the names end in, in lower case.

    Raises:
        DataError: the folder or one inside cannot be listed.
    """
    folder = Path(folder)
    for parent, folders, names in os.walk(folder, onerror=_refuse_unlistable):
        folders[:] = sorted(name for name in folders if is_visible(name))
        for name in sorted(names):
            if not is_visible(name) or not name.lower().endswith(suffixes):
                continue
            path = Path(parent, name)
            if path.is_file() and not leads_out(path, folder):
                yield path


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a file named below `folder` is a link to something that is not there."""
    if not path.is_symlink():
        return False
    # Not Path.resolve: that of Python 3.11 raises RuntimeError for a link that leads to itself.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def is_visible(name: str) -> bool:
    """Whether a file or folder of this name is meant for people: not hidden, not macOS's."""
    return not name.startswith(".") and name != "__MACOSX"


def one_line(error: Exception) -> str:
    """What an exception of a library says, fit for the middle of a sentence."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _turn_of_bytes(data: bytes) -> int | None:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        return stored_turn(image)


def _all_on(points: np.ndarray, width: int, height: int) -> bool:
    return bool(((points >= 0) & (points < (width, height))).all())


def _refuse_unlistable(error: OSError) -> None:
    raise DataError(
        f"{error.filename} cannot be listed ({error.strerror}): name a folder you may read."
    ) from error


def _require_sane_size(image: Image.Image, name: str) -> None:
    if 0 in image.size:
        raise DataError(f"{name} has no pixels ({image.width} x {image.height}): remove it.")
    if image.width * image.height > MAX_PIXELS:
        raise DataError(_too_large(name, f"{image.width} x {image.height}"))


def _too_large(name: str, received: str) -> str:
    return (
        f"{name} declares too many pixels, at most {MAX_PIXELS} are allowed against decompression "
        f"bombs, received {received}: make it smaller or remove it."
    )


def _reduce(image: Image.Image, at_least: tuple[int, int]) -> None:
    """Has a JPEG that is not loaded yet decoded at a fraction of its size, if that is allowed.

    All of the file is still read, so one that is cut short is still noticed.
    """
    height, width = (REDUCED_AT_LEAST * side for side in at_least)
    stored = (height, width) if _orientation(image) in _LYING else (width, height)
    image.draft(None, stored)


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    """The loaded picture in RGB, 8 bits, as stored (not yet upright)."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        raise DataError(
            f"{name} stores one 32-bit number a pixel (mode {image.mode}), and which number is "
            "white is not known: save it with 8 or 16 bits a channel."
        )
    if image.mode == "CMYK" and image.format in ("JPEG", "MPO") and "adobe" not in image.info:
        # Pillow inverts the inks of every CMYK JPEG, also of one without Adobe's marker.
        image = ImageChops.invert(image)
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Grey of the range [0, 65535] in RGB of [0, 255]; 257 = 65535 / 255."""
    values = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image).convert("RGB")


def _upright(image: Image.Image, pixels: Image.Image) -> Image.Image:
    """`pixels` turned as the EXIF orientation of `image` says."""
    turn = _TURNS.get(_orientation(image))
    return pixels if turn is None else pixels.transpose(turn)


def _orientation(image: Image.Image) -> int | None:
    """The EXIF orientation (Exif 2.32, tag 0x0112); None without one that can be read."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # a damaged EXIF block says nothing about the pixels, which are whole
        return None
