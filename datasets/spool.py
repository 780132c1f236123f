"""A temporary file of byte strings that can be read back in any order."""

from __future__ import annotations

import tempfile
import threading
import weakref

from datasets.core import DataError


class Spool:
    """Byte strings laid one after the other into a temporary file, which the system removes.

    The file has no name and vanishes with the process, however that ends. Threads may append and
    read at the same time.
    """

    def __init__(self) -> None:
        # It outlives this block: the finalizer closes it.
        self._file = tempfile.TemporaryFile(prefix="pictures-")  # noqa: SIM115
        self._lock = threading.Lock()
        weakref.finalize(self, self._file.close)

    def append(self, data: bytes) -> tuple[int, int]:
        """Lays `data` at the end.

        Returns:
            Where it lies: offset and length in bytes, as `read` takes them.

        Raises:
            DataError: the disk of temporary files is full.
        """
        with self._lock:
            try:
                offset = self._file.seek(0, 2)
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                raise DataError(
                    f"{tempfile.gettempdir()} has no room for the encoded pictures "
                    f"({error.strerror}): make room there or set TMPDIR to another folder."
                ) from error
            return offset, len(data)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes that `append` laid at `offset`."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)
