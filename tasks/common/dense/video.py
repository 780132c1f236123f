"""Videos, frame by frame: read with care, because a file may come from anywhere, and written.

A frame is uint8 (height, width, 3), RGB, upright. One frame is in memory at a time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from datasets.core import DataError

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
# 8K UHD, 7680 x 4320 (ITU-R BT.2020), in either direction.
MAX_FRAME_PIXELS = 7680 * 4320
# The largest rate of BT.2020 and of common action cameras; a file that states more is in error.
_MAX_RATE = 240.0
# What PAL and most cameras in doubt have (ITU-R BT.601).
_USUAL_RATE = 25.0
# FFmpeg's limit for MPEG-4 part 2, whose header has 13 bits for a side (ISO/IEC 14496-2, 6.2.3).
_LONGEST_SIDE = 8191


@dataclasses.dataclass(frozen=True, eq=False)
class Video:
    """An open video.

    Attributes:
        path: the file.
        rate: frames a second.
        frames: the frames in order, to be taken once.
    """

    path: Path
    rate: float
    frames: Iterator[np.ndarray]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Video]:
    """A video to read, closed at the end.

    Only files that begin as MP4, QuickTime, AVI, Matroska or WebM do are handed to the decoder: it
    also knows lists that lead it to other files and to the network.

    Raises:
        DataError: no such file, not a video that can be read, uncompressed RGB, or frames too
            large. `frames` raises it where there is none, or where the video ends before the
            frames it declares.
    """
    _require_container(path)
    _quieten()
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise DataError(
                f"{path} is not a video that can be read, it is cut short or damaged: replace or "
                "remove it."
            )
        if _is_uncompressed_rgb(capture):
            raise DataError(
                f"{path} is a video of uncompressed RGB frames, which cannot be read safely: "
                "encode it first, for example as MPEG-4 or Motion JPEG."
            )
        width, height = (
            int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if not 0 < width * height <= MAX_FRAME_PIXELS:
            raise DataError(
                f"{path} must have frames of 1 to {MAX_FRAME_PIXELS} pixels, received {width} x "
                f"{height}: make it smaller or remove it."
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        if not (math.isfinite(rate) and 0 < rate <= _MAX_RATE):
            rate = _USUAL_RATE
        yield Video(path, rate, _frames(path, capture))
    finally:
        capture.release()


def _is_uncompressed_rgb(capture: cv2.VideoCapture) -> bool:
    """Whether the frames are stored as they are, in RGB or with a palette.

    Frames of 24 bits whose last row comes first, which is the usual order in AVI, make OpenCV 4.14
    write outside its memory. No property tells the order of rows, so all such videos are left out.
    """
    code, stored = (
        int(capture.get(key)) & 0xFFFFFFFF
        for key in (cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_CODEC_PIXEL_FORMAT)
    )
    # Tags as FFmpeg has them: RGB or BGR with the number of bits, or with an A for transparency.
    tag = stored.to_bytes(4, "little")
    return code == 0 and any(order in tag for order in (b"RGB", b"BGR", b"PAL"))


def _frames(path: Path, capture: cv2.VideoCapture) -> Iterator[np.ndarray]:
    declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    count, shape = 0, None
    while True:
        there, frame = capture.read()
        if not there:
            break
        shape = shape or frame.shape
        if frame.shape != shape:
            raise DataError(f"{path} changes its size after {count} frames: cut it there.")
        count += 1
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    if count == 0:
        raise DataError(f"{path} has no frame that can be read: replace or remove it.")
    # Containers that do not count frames estimate them from the duration, a few off.
    if math.isfinite(declared) and count < 0.95 * declared - 2:
        raise DataError(
            f"{path} ends after {count} of the {declared:.0f} frames that it declares, it is cut "
            "short or damaged: replace or remove it."
        )


@contextlib.contextmanager
def written(
    path: Path, rate: float, source: Path | None = None
) -> Iterator[Callable[[np.ndarray], None]]:
    """What takes frame after frame, uint8 RGB, all of one size, and writes them as MP4.

    MPEG-4 part 2, the codec that every build of OpenCV has. It stores pairs of pixels: of an odd
    width or height the last column or row is left out.

    Args:
        path: ends in `.mp4`.
        rate: frames a second.
        source: the video that the frames were made from, which faults name; `path` where None.

    Raises:
        DataError: a side has a single pixel or more than `_LONGEST_SIDE`, or the encoder refuses.
        OSError: there is no place to write to.
    """
    _quieten()
    writer = cv2.VideoWriter()
    named = path if source is None else source
    # FFmpeg takes what stands before a colon for a protocol, but not in an absolute path.
    place = path.absolute()

    def begin(frame: np.ndarray) -> None:
        height, width = frame.shape[:2]
        if not 2 <= min(height, width) <= max(height, width) <= _LONGEST_SIDE:
            raise DataError(
                f"{named} has frames of {width} x {height} pixels, and a video can be written with "
                f"sides of 2 to {_LONGEST_SIDE}: change its size first."
            )
        # OpenCV tells no reason; the system says why there is no place for the file.
        place.touch()
        code, size = cv2.VideoWriter.fourcc(*"mp4v"), (width - width % 2, height - height % 2)
        if not _is_text(place) or not writer.open(
            str(place), cv2.CAP_FFMPEG, code, encoded_rate(rate), size
        ):
            raise DataError(
                f"{named} has {rate:g} frames a second of {width} x {height} pixels, and the "
                f"encoder makes no video of that in {path.parent}: name another folder, or change "
                "its size or rate first."
            )

    def write(frame: np.ndarray) -> None:
        if not writer.isOpened():
            begin(frame)
        height, width = (side - side % 2 for side in frame.shape[:2])
        writer.write(cv2.cvtColor(frame[:height, :width], cv2.COLOR_RGB2BGR))

    try:
        yield write
    finally:
        writer.release()


def encoded_rate(rate: float) -> float:
    """The nearest rate that MPEG-4 part 2 can state and that OpenCV makes a fraction of.

    ISO/IEC 14496-2, 6.2.3: frames last whole parts of a clock of at most 65535 ticks a second.
    OpenCV takes 1000, 100, 10 or 1 as the denominator of the rate, and 0 for one below 0.002.
    """
    digits = next((digits for digits in (3, 2, 1) if rate * 10**digits <= 65535), 0)
    return max(0.01, round(rate, digits))


def _is_text(path: Path) -> bool:
    """Whether the path can be handed to OpenCV, which wants UTF-8."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _quieten() -> None:
    """Keeps OpenCV and its decoder from words of their own, without a file's name, on the terminal.

    The decoder looks at the variable when it is first used.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _require_container(path: Path) -> None:
    """Sees that the file begins like a video file of a kind in which nothing leads elsewhere.

    Raises:
        DataError: it does not, or cannot be read.
    """
    try:
        str(path.resolve()).encode("utf-8")
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is not a file, so it is no video: remove it.")
        with path.open("rb") as file:
            start = file.read(12)
    except UnicodeEncodeError as error:
        raise DataError(
            f"The name of {path} is no UTF-8 text, as the decoder wants it: rename the video."
        ) from error
    except FileNotFoundError as error:
        raise DataError(f"{path} was not found: put the video there.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): replace it.") from error
    # ISO/IEC 14496-12, section 4.2: size, then the type of the first box.
    iso = start[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
    # Multimedia Programming Interface 1.0: "RIFF", size, "AVI ".
    avi = start[:4] == b"RIFF" and start[8:12] == b"AVI "
    # RFC 8794, section 11.2.1: the identifier of an EBML header.
    matroska = start[:4] == b"\x1a\x45\xdf\xa3"
    if not (iso or avi or matroska):
        raise DataError(
            f"{path} is not a video that can be read (MP4, QuickTime, AVI, Matroska or WebM), or "
            "its first bytes are damaged: replace or remove it."
        )
