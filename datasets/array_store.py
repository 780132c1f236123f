"""Large arrays on disk: computed once, memory-mapped, checked, resumed after a kill at any moment.

A store is a folder named by the first 16 digits of its key. In it, `rows.bin` has the rows one
after the other in C order, and `record.json` says what they are and has a check sum of each block
of rows. While a store is filled its folder ends in `.part`, and its record is replaced after each
chunk of rows: rows that no record tells of, or that differ from their check sum, are computed
again. `.lock` beside it keeps a second process waiting meanwhile.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from datasets.core import DataError

try:
    import fcntl
except ImportError:  # Windows, which locks by msvcrt
    fcntl = None

Fill = Callable[[int], Iterable[np.ndarray]]
Show = Callable[[int, int], None]

# Raised when the files change, so that stores of an older version are computed again.
VERSION = 1
ROWS = "rows.bin"
RECORD = "record.json"
# Rows behind one check sum: damage costs so many bytes, and 100 GB have 3,000 check sums.
BLOCK_BYTES = 32 * 1024 * 1024
# Left free on the disk for records, logs and whatever else is written meanwhile.
RESERVE_BYTES = 64 * 1024 * 1024
# More than the record of 100 TB; what is longer is no record.
_MAX_RECORD_BYTES = 1 << 26
_READ_BYTES = 1 << 20
_SECONDS_BETWEEN_LOOKS = 0.2


def open_or_fill(
    folder: Path,
    key: str,
    shape: tuple[int, ...],
    dtype: str,
    fill: Fill,
    show: Show | None = None,
) -> np.ndarray:
    """The array stored under `key`, computed first if it is not there whole.

    Every byte is checked before the array is handed out. Rows that are damaged or belong to
    something else are computed again, and one printed line says so. An exception in `fill` or
    `show`, and a kill, lose the rows of the chunk at hand; the next call goes on from there.

    Args:
        folder: holds any number of stores; made if it is not there.
        key: hexadecimal digits, at least 16, that stand for all that decides the content.
        shape: shape of the array, the number of rows first.
        dtype: NumPy's name of a type without Python objects, such as "float16".
        fill: called with the number of rows that are there; yields the following rows up to the
            last, in chunks of any length, shape (n, *shape[1:]) and of `dtype`.
        show: called with the number of rows done and of all, before the first chunk and after
            each; not called if nothing is to be done.

    Returns:
        The array as a read-only memory map.

    Raises:
        DataError: the folder cannot be written to, or its disk has no room.
        ValueError: an argument is malformed, or `fill` yields other rows than it should.
    """
    store = _Store(Path(folder), key, tuple(shape), np.dtype(dtype))
    with _faults_named(store.folder):
        store.folder.mkdir(parents=True, exist_ok=True)
    with _locked(store):
        progress = _verified(store, store.finished)
        if progress.rows < store.row_count:
            progress = _part_to_fill(store, progress)
            if progress.rows < store.row_count:
                require_room(store.folder, bytes_missing(store.folder, key, shape, dtype))
                _write_rows(store, progress, fill, show)
            _finish(store)
        return _mapped(store)


def bytes_missing(folder: Path, key: str, shape: tuple[int, ...], dtype: str) -> int:
    """Bytes that `open_or_fill` would still have to write, taking the records at their word.

    Raises:
        ValueError: an argument is malformed.
    """
    store = _Store(Path(folder), key, tuple(shape), np.dtype(dtype))
    present = 0
    for path in (store.finished, store.part):
        if _read_record(store, path) is not None:
            with contextlib.suppress(OSError):
                present = max(present, (path / ROWS).stat().st_size)
    return max(0, store.row_count * store.row_bytes - present)


def require_room(folder: Path, byte_count: int) -> None:
    """Checks that the disk of `folder` can take `byte_count` bytes more, with a little to spare.

    Raises:
        DataError: it cannot, or the folder cannot be made.
    """
    with _faults_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if byte_count + RESERVE_BYTES > free:
        raise DataError(
            f"{folder} must have room for {_in_units(byte_count)} of the cache and "
            f"{_in_units(RESERVE_BYTES)} to spare, received {_in_units(free)} free: make room "
            "there, choose a folder on another disk by --cache-dir or go without by --no-cache."
        )


def _in_units(byte_count: int) -> str:
    """A number of bytes for people, in decimal units as disks are sold."""
    for size, unit in ((10**9, "GB"), (10**6, "MB")):
        if byte_count >= size:
            return f"{byte_count / size:.1f} {unit}"
    return f"{byte_count} bytes"


@dataclasses.dataclass(frozen=True)
class _Store:
    """What a store is and where it lies."""

    folder: Path
    key: str
    shape: tuple[int, ...]
    dtype: np.dtype

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{16,}", self.key):
            raise ValueError(
                f"key must be at least 16 hexadecimal digits. Received: key={self.key}"
            )
        if not self.shape or min(self.shape) < 1:
            raise ValueError(f"shape must be of positive numbers. Received: shape={self.shape}")
        if self.dtype.hasobject:
            raise ValueError(f"dtype must be without objects. Received: dtype={self.dtype}")

    @property
    def finished(self) -> Path:
        return self.folder / self.key[:16]

    @property
    def part(self) -> Path:
        return self.folder / f"{self.key[:16]}.part"

    @property
    def lock(self) -> Path:
        return self.folder / f"{self.key[:16]}.lock"

    @property
    def row_count(self) -> int:
        return self.shape[0]

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def block_rows(self) -> int:
        return max(1, BLOCK_BYTES // self.row_bytes)

    @property
    def description(self) -> dict[str, int | str | list[int]]:
        """What a record must say to be one of this store."""
        return {
            "version": VERSION,
            "key": self.key,
            "shape": list(self.shape),
            "dtype": self.dtype.str,
            "block_rows": self.block_rows,
        }


@dataclasses.dataclass
class _Progress:
    """Rows that are there, and the CRC-32 of each begun block of them."""

    rows: int
    checksums: list[int]

    def add(self, chunk: np.ndarray, block_rows: int) -> None:
        """Counts the rows of `chunk`, which follow those counted before."""
        while len(chunk):
            filled = self.rows % block_rows
            if not filled:
                self.checksums.append(0)
            now, chunk = np.split(chunk, [block_rows - filled])
            self.checksums[-1] = zlib.crc32(now.reshape(-1).view(np.uint8), self.checksums[-1])
            self.rows += len(now)


def _read_record(store: _Store, path: Path) -> _Progress | None:
    """What the record in `path` claims; None if it is no record of this store."""
    try:
        with (path / RECORD).open("rb") as file:
            document = json.loads(file.read(_MAX_RECORD_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("store") != store.description:
        return None
    rows, checksums = document.get("rows"), document.get("checksums")
    if type(rows) is not int or not 0 <= rows <= store.row_count:
        return None
    if not isinstance(checksums, list) or len(checksums) != -(-rows // store.block_rows):
        return None
    return _Progress(rows, checksums)


def _save_record(store: _Store, progress: _Progress) -> None:
    temporary = store.part / f"{RECORD}.part"
    document = {"store": store.description, **dataclasses.asdict(progress)}
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(store.part / RECORD)


def _verified(store: _Store, path: Path) -> _Progress:
    """The rows in `path` up to the first block that differs from its check sum."""
    verified = _Progress(0, [])
    recorded = _read_record(store, path)
    if recorded is None:
        return verified
    with contextlib.suppress(OSError), (path / ROWS).open("rb", buffering=0) as file:
        for checksum in recorded.checksums:
            rows = min(store.block_rows, recorded.rows - verified.rows)
            received = _checksum(file, rows * store.row_bytes)
            if received is None or received != checksum:
                break
            verified.rows += rows
            verified.checksums.append(received)
    return verified


def _checksum(file: BinaryIO, byte_count: int) -> int | None:
    """CRC-32 of the next `byte_count` bytes; None if there are fewer."""
    checksum, buffer = 0, memoryview(bytearray(_READ_BYTES))
    while byte_count:
        received = file.readinto(buffer[: min(byte_count, _READ_BYTES)])
        if not received:
            return None
        checksum = zlib.crc32(buffer[:received], checksum)
        byte_count -= received
    return checksum


def _part_to_fill(store: _Store, progress: _Progress) -> _Progress:
    """Makes the `.part` folder ready to go on with, of a damaged store or of an earlier part.

    Args:
        progress: the rows of the finished folder that are right.

    Returns:
        The rows of the `.part` folder that are right.
    """
    with _faults_named(store.folder):
        damaged = os.path.lexists(store.finished)
        if damaged:
            _remove(store.part)
            store.finished.replace(store.part)
        elif os.path.lexists(store.part):
            progress = _verified(store, store.part)
            recorded = _read_record(store, store.part)
            damaged = recorded is None or recorded.rows > progress.rows
        if damaged:
            print(
                f"{store.finished} is damaged or of another origin: its rows from "
                f"{progress.rows} of {store.row_count} on are computed again.",
                flush=True,
            )
        if not progress.rows:
            _remove(store.part)
            store.part.mkdir()
            _save_record(store, progress)
    return progress


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_rows(store: _Store, progress: _Progress, fill: Fill, show: Show | None) -> None:
    """Writes the rows that are missing, noting each chunk in `progress` and in the record."""
    with _faults_named(store.folder):
        # Without a buffer, nothing is left to be written, and to fail, when the file is closed.
        # Never shortened: a process that has mapped rows past the end of a file is killed.
        (store.part / ROWS).touch()
        file = (store.part / ROWS).open("r+b", buffering=0)
    with file:
        file.seek(progress.rows * store.row_bytes)
        if show is not None:
            show(progress.rows, store.row_count)
        for chunk in fill(progress.rows):
            _require_fitting(store, progress, chunk)
            with _faults_named(store.folder):
                _write(file, chunk)
                progress.add(chunk, store.block_rows)
                _save_record(store, progress)
            if show is not None:
                show(progress.rows, store.row_count)
    if progress.rows != store.row_count:
        raise ValueError(
            f"fill must yield all {store.row_count} rows. Received: rows={progress.rows}"
        )


def _require_fitting(store: _Store, progress: _Progress, chunk: np.ndarray) -> None:
    if chunk.shape[1:] != store.shape[1:] or chunk.dtype != store.dtype:
        raise ValueError(
            f"fill must yield rows of shape {store.shape[1:]} and type "
            f"{store.dtype}. Received: shape={chunk.shape}, dtype={chunk.dtype}"
        )
    if progress.rows + len(chunk) > store.row_count:
        raise ValueError(
            f"fill must yield {store.row_count} rows and no more. Received: "
            f"rows={progress.rows + len(chunk)}"
        )


def _write(file: BinaryIO, chunk: np.ndarray) -> None:
    """Writes an array in C order; the system may take it in pieces."""
    rest = memoryview(chunk.reshape(-1).view(np.uint8))
    while rest:
        rest = rest[file.write(rest) :]


def _finish(store: _Store) -> None:
    """Gives the whole part its lasting name, once it is safely on disk."""
    with _faults_named(store.folder):
        for name in (ROWS, RECORD):
            with (store.part / name).open("rb+") as file:
                os.fsync(file.fileno())
        store.part.replace(store.finished)


def _mapped(store: _Store) -> np.ndarray:
    with _faults_named(store.folder):
        return np.memmap(store.finished / ROWS, store.dtype, "r", shape=store.shape)


@contextlib.contextmanager
def _faults_named(folder: Path) -> Iterator[None]:
    """Turns a refusal of the file system into a sentence for the user."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{folder} must be a folder that the cache can be written to, received "
            f"{error.strerror or error}: correct that, choose another folder by --cache-dir or go "
            "without by --no-cache."
        ) from error


@contextlib.contextmanager
def _locked(store: _Store) -> Iterator[None]:
    """Waits until no other process or thread has the lock of the store, and holds it.

    The system takes the lock back from a process that ends, however that happens.
    """
    with _faults_named(store.folder):
        file = store.lock.open("ab")
    with file:
        waiting = False
        while not _took_lock(store, file):
            if not waiting:
                print(f"waiting for another run that fills or checks {store.finished}", flush=True)
                waiting = True
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            _release_lock(file)


def _took_lock(store: _Store, file: BinaryIO) -> bool:
    with _faults_named(store.folder):
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                _lock_first_byte(file, "LK_NBLCK")
        except (BlockingIOError, PermissionError):  # PermissionError: the answer of msvcrt
            return False
        return True


def _release_lock(file: BinaryIO) -> None:
    # Said, because a forked child that still holds the file would keep the lock otherwise.
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_UN)
    else:
        _lock_first_byte(file, "LK_UNLCK")


def _lock_first_byte(file: BinaryIO, mode: str) -> None:
    import msvcrt  # there is none but on Windows

    file.seek(0)
    msvcrt.locking(file.fileno(), getattr(msvcrt, mode), 1)
