"""The user's own file, read in place: an index in the database points into it, so it must stay as it was ingested."""

from __future__ import annotations

import os
from collections.abc import Sequence

from scannerpy.errors import VideoError


class ExternalFile:
    """The file at `path`, which had this size and modification time when it was indexed. Opened when first read."""

    def __init__(self, path: str, size: int, mtime_ns: int) -> None:
        self.path = path
        self._size = size
        self._mtime_ns = mtime_ns
        self._fd: int | None = None

    def read(self, starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        """Byte ranges of the file. Raises VideoError if it is gone, cannot be read or was changed."""
        try:
            fd = self._opened()
            self._check(os.fstat(fd))
            return [os.pread(fd, end - start, start) for start, end in zip(starts, ends, strict=True)]
        except OSError as error:
            raise VideoError(
                f"{self.path} cannot be read ({error.strerror}). It was ingested in place, so it must stay where it "
                "was: put it back, or ingest it again from where it is"
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __del__(self) -> None:
        self.close()

    def _opened(self) -> int:
        if self._fd is None:
            # What has taken the file's place may be a pipe, which to open would wait for a writer.
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        return self._fd

    def _check(self, found: os.stat_result) -> None:
        if (found.st_size, found.st_mtime_ns) != (self._size, self._mtime_ns):
            raise VideoError(
                f"{self.path} has changed since it was ingested in place ({self._size} bytes then, {found.st_size} "
                "now): its index no longer fits. Give the stream its path again, or ingest it with force=True"
            )
