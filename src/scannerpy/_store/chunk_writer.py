"""Writing chunks: in memory for a task's output, through a file on the store's own disk for videos of any size.

Both make the same bytes for the same items (see `chunk_format` for the layout).
"""

from __future__ import annotations

import contextlib
import json
import zlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from scannerpy._store.chunk_format import FORMAT, MAGIC, MAGIC_NUMBER, TAIL, ChunkRef, read_end
from scannerpy._store.objects import Objects, storage_errors

__all__ = ["ChunkWriter", "SpoolingChunkWriter"]


class ChunkBuilder:
    """What both writers share: items are counted and checked as they pass to `_emit`, the rest is kept for the end.

    `kind` is ``blob``, ``raw`` or ``video``; `meta` any JSON, and may be changed until the chunk is stored; `start` is
    the column's row that the chunk's first row is.
    """

    def __init__(self, kind: str, meta: Mapping[str, Any] | None = None, *, start: int = 0) -> None:
        self.kind = kind
        self.meta = dict(meta or {})
        self.start = start
        self._sizes = array("q")
        self._crcs = array("I")
        self._nulls = bytearray()
        self._sections: dict[str, bytes] = {}
        self._data_bytes = 0

    @property
    def items(self) -> int:
        """How many items were added."""
        return len(self._sizes)

    @property
    def data_bytes(self) -> int:
        """How many bytes of items were added: the position the next item will have."""
        return self._data_bytes

    def add(self, item: bytes | memoryview | None) -> int:
        """Add an item (None: null) and return its position in the data area."""
        at = self._data_bytes
        data = b"" if item is None else item
        if data:
            self._emit(data)
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        self._data_bytes += size
        self._sizes.append(size)
        self._crcs.append(zlib.crc32(data))
        self._nulls.append(item is None)
        return at

    def section(self, name: str, data: bytes) -> None:
        """Add a named section. Each name once."""
        if name in self._sections:
            raise ValueError(f"the chunk has a section {name!r} already")
        self._sections[name] = bytes(data)

    def _emit(self, data: bytes | memoryview) -> None:
        raise NotImplementedError

    def _ref(self, path: str, tail: bytes, rows: int | None) -> ChunkRef:
        footer_bytes, crc, _, _ = TAIL.unpack(tail)
        total = self._footer_at + footer_bytes + TAIL.size
        return ChunkRef(path, self.start, self.start + (self.items if rows is None else rows), total, crc)

    def _closing(self, rows: int | None) -> list[bytes]:
        """Everything behind the data."""
        parts: list[bytes] = []
        at = len(MAGIC) + self._data_bytes

        def placed(data: bytes) -> dict[str, Any]:
            nonlocal at
            parts.append(data)
            at += len(data)
            return {"at": at - len(data), "size": len(data), "crc": zlib.crc32(data)}

        sections = {name: placed(data) for name, data in self._sections.items()}
        sizes = _narrow(np.frombuffer(self._sizes, dtype=np.int64))
        footer = {
            "kind": self.kind,
            "start": self.start,
            "end": self.start + (self.items if rows is None else rows),
            "items": self.items,
            "meta": self.meta,
            "data": self._data_bytes,
            "sections": sections,
            "sizes": {"dtype": sizes.dtype.str, **placed(sizes.tobytes())},
            "crcs": placed(np.frombuffer(self._crcs, dtype=np.uint32).astype("<u4").tobytes()),
            "nulls": placed(_bits(self._nulls)) if any(self._nulls) else None,
        }
        self._footer_at = at
        encoded = json.dumps(footer, separators=(",", ":"), allow_nan=False).encode()
        return [*parts, encoded, TAIL.pack(len(encoded), zlib.crc32(encoded), FORMAT, MAGIC_NUMBER)]


class ChunkWriter(ChunkBuilder):
    """Keeps its items in memory."""

    def __init__(self, kind: str, meta: Mapping[str, Any] | None = None, *, start: int = 0) -> None:
        super().__init__(kind, meta, start=start)
        self._parts: list[bytes] = []

    def finish(self, rows: int | None = None) -> list[bytes]:
        """The whole chunk, in parts. `rows` is how many rows of the column it holds: the items, if not given."""
        return [MAGIC, *self._parts, *self._closing(rows)]

    def to(self, objects: Objects, path: str, *, create: bool = True, rows: int | None = None) -> ChunkRef:
        """Store the chunk and refer to it. With `create`, a chunk that is already there wins and is referred to."""
        parts = self.finish(rows)
        if objects.put(path, parts, create=create):
            return self._ref(path, parts[-1], rows)
        return read_end(objects, path).ref

    def _emit(self, data: bytes | memoryview) -> None:
        self._parts.append(bytes(data))


class SpoolingChunkWriter(ChunkBuilder):
    """A writer whose items go to a file beside the store, so that a chunk may be larger than memory.

    A context manager: what was not stored by `to` is removed at the end.
    """

    def __init__(self, objects: Objects, kind: str, meta: Mapping[str, Any] | None = None, *, start: int = 0) -> None:
        super().__init__(kind, meta, start=start)
        self._objects = objects
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._staging = self._objects.staging()
        self._path: Path = self._staging.__enter__()
        self._file = self._path.open("wb", buffering=1 << 20)
        self._file.write(MAGIC)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk: told when it was written, and the file goes anyway
                self._file.close()
        self._staging.__exit__(None, None, None)

    def to(self, objects: Objects, path: str, *, create: bool = True, rows: int | None = None) -> ChunkRef:
        """Store the chunk; as `ChunkWriter.to`. Call once."""
        file = self._open_file()
        closing = self._closing(rows)
        with storage_errors(self._path, "write"):
            file.writelines(closing)
            file.close()
        if objects.put_file(path, self._path, create=create):
            return self._ref(path, closing[-1], rows)
        return read_end(objects, path).ref

    def _emit(self, data: bytes | memoryview) -> None:
        file = self._open_file()
        with storage_errors(self._path, "write"):
            file.write(data)

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise TypeError("a SpoolingChunkWriter is used in a `with` statement")
        return self._file


def _narrow(sizes: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, Any]:
    """The same numbers in the fewest bytes."""
    largest = int(sizes.max()) if len(sizes) else 0
    return sizes.astype(np.min_scalar_type(largest).newbyteorder("<"))


def _bits(flags: bytearray) -> bytes:
    return np.packbits(np.frombuffer(flags, dtype=np.uint8)).tobytes()
