"""Packed files: many elements in one file. A count, that many sizes (all uint64, this machine's order), then the bytes.

The format older programs use to hand many small blobs to a graph. `write_packed` makes such a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scannerpy.backends.handles import InputStream, absolute, file_identity, takes_client
from scannerpy.errors import IngestError
from scannerpy.source import register_source
from scannerpy.storage import StorageBackend

__all__ = ["PackedStorage", "PackedStream", "write_packed"]


def write_packed(path: str | os.PathLike[str], elements: Sequence[bytes]) -> None:
    """Write `elements` as a packed file."""
    head = np.array([len(elements), *map(len, elements)], np.uint64)
    Path(path).write_bytes(b"".join([head.tobytes(), *elements]))


class PackedStorage(StorageBackend):
    """Packed files on this machine."""

    def source(self, sc: Any, streams: Sequence[PackedStream]) -> Any:
        """Return the column ``output`` of the elements."""
        return sc.sources.PackedFile(path=[absolute(stream.path) for stream in streams])


class PackedStream(InputStream):
    """The elements packed in the file at `path`."""

    @takes_client
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def __repr__(self) -> str:
        return f"PackedStream({self.path!r})"

    def storage(self) -> PackedStorage:
        """Return the backend."""
        return PackedStorage()

    def name(self) -> str:
        """Return the path."""
        return self.path

    def open(self) -> PackedReader:
        """Return a reader of the file."""
        return PackedReader(self.path)


@register_source("PackedFile", stream_params=("path",))
class PackedReader:
    """Reads the elements of a packed file by number, without reading the rest."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = file_identity(path, "the packed file")
        size = self._file[1]
        (count,) = self._numbers(0, 1) if size >= 8 else (-1,)
        if not 0 <= count <= size // 8 - 1:
            raise self._damaged()
        self._sizes = self._numbers(1, count)
        self._starts = 8 * (count + 1) + np.concatenate([[0], np.cumsum(self._sizes)]).astype(np.int64)
        if self._starts[-1] != size or (self._sizes < 0).any():
            raise self._damaged()

    def __len__(self) -> int:
        return len(self._sizes)

    def identity(self) -> Any:
        """Return the file's path, size and time."""
        return self._file

    def read(self, rows: Sequence[int]) -> Iterator[bytes]:
        """Yield elements."""
        with Path(self._path).open("rb") as file:
            for row in rows:
                file.seek(int(self._starts[row]))
                yield file.read(int(self._sizes[row]))

    def _numbers(self, first: int, count: int) -> Any:
        return np.fromfile(self._path, np.uint64, count, offset=8 * first).astype(np.int64)

    def _damaged(self) -> IngestError:
        return IngestError(
            f"{self._path} is no packed file: the count and sizes at its head do not add up to its "
            f"{self._file[1]} bytes; make it with scannerpy.backends.packed.write_packed"
        )
