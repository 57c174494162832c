"""Chunks: the only thing stored. One immutable object holds many items and everything needed to read any of them.

Rows and items are not the same: a ``video`` chunk's items are packets in decode order, its rows are frames. Rows
[start, end) of the column stand in the footer, so a chunk can be found by its path alone: **a chunk that exists is a
task that is done** (`find_chunks`). See `chunk_format` for the layout, `chunk_writer` for writing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy._store.chunk_format import MAGIC, ChunkRef, End, RowOutOfRange, damaged, read_end
from scannerpy._store.chunk_writer import ChunkWriter, SpoolingChunkWriter
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy._words.elements import NULL, NullElement
from scannerpy.errors import CorruptObject

__all__ = ["Chunk", "ChunkRef", "ChunkWriter", "RowOutOfRange", "SpoolingChunkWriter", "find_chunks"]

NEAR = 32 << 10
"""Items less than this apart are read together: a seek or a request costs more than the bytes between."""
RUN = 32 << 20
"""…but no single read is made longer than this by joining."""

Rows = npt.NDArray[np.int64]


class Chunk:
    """A chunk opened for reading. Safe to share between threads: it never changes and keeps no position."""

    def __init__(self, objects: Objects, end: End) -> None:
        self._objects = objects
        self._footer = end.footer
        self._tail = end.tail
        self.ref = end.ref
        self.path = end.ref.path
        self.kind: str = end.footer["kind"]
        self.meta: dict[str, Any] = end.footer["meta"]
        self.items: int = end.footer["items"]

    @classmethod
    def open(cls, objects: Objects, path: str | ChunkRef) -> Chunk:
        """Read a chunk's end and check it; by reference, also that it is the very chunk that was committed.

        Raises ObjectMissing, CorruptObject, NewerFormat, StorageError.
        """
        if isinstance(path, str):
            return cls(objects, read_end(objects, path))
        end = read_end(objects, path.path)
        if (path.bytes, path.checksum) != (end.ref.bytes, end.ref.checksum):
            raise damaged(objects, path.path, "it is not the object that was committed")
        return cls(objects, end)

    @property
    def start(self) -> int:
        """The first row of the column that is in this chunk."""
        return self.ref.start

    @property
    def end(self) -> int:
        """One past the last row."""
        return self.ref.end

    @property
    def sections(self) -> tuple[str, ...]:
        """The names of the sections."""
        return tuple(self._footer["sections"])

    def section(self, name: str) -> bytes:
        """A named section, verified. Raises KeyError if the chunk has none of that name."""
        return self._part(self._footer["sections"][name])

    def read(self, rows: Sequence[int] | Rows) -> list[bytes | NullElement]:
        """The items numbered `rows` (from 0 within this chunk), in any order, as often as asked; each is verified."""
        wanted = np.asarray(rows, dtype=np.int64)
        distinct, where = np.unique(wanted, return_inverse=True)
        self._check_rows(distinct)
        found = self._read_distinct(distinct)
        return [found[k] for k in where]

    def data_ranges(self, offsets: Sequence[int] | Rows, sizes: Sequence[int] | Rows) -> list[bytes]:
        """Byte ranges of the data area (position 0 is the first item's first byte), as a decoder asks for packets.

        Every item that lies whole within a range is verified.
        """
        starts = np.asarray(offsets, dtype=np.int64)
        ends = starts + np.asarray(sizes, dtype=np.int64)
        if len(starts) and (starts.min() < 0 or ends.max() > self.data_bytes):
            raise self._damage("its index points outside of its data")
        got = self._fetch(starts, ends)
        for start, end, data in zip(starts.tolist(), ends.tolist(), got, strict=True):
            self._check_items(start, end, data)
        return got

    def sizes(self, rows: Sequence[int] | Rows) -> Rows:
        """How many bytes each of these items has; null: 0. Nothing is read."""
        wanted = np.asarray(rows, dtype=np.int64)
        self._check_rows(wanted)
        return self._ends[wanted] - self._starts[wanted]

    @property
    def data_bytes(self) -> int:
        """The length of the data area."""
        return int(self._footer["data"])

    @cached_property
    def _ends(self) -> Rows:
        spec = self._footer["sizes"]
        sizes = np.frombuffer(self._part(spec), dtype=spec["dtype"])
        ends = np.cumsum(sizes, dtype=np.int64)
        if len(sizes) != self.items or (self.items and int(ends[-1]) != self.data_bytes):
            raise self._damage("its item sizes do not add up")
        return ends

    @cached_property
    def _starts(self) -> Rows:
        starts = np.zeros(self.items, dtype=np.int64)
        starts[1:] = self._ends[:-1]
        return starts

    @cached_property
    def _crcs(self) -> npt.NDArray[np.uint32]:
        crcs = np.frombuffer(self._part(self._footer["crcs"]), dtype="<u4")
        if len(crcs) != self.items:
            raise self._damage("its item checksums are incomplete")
        return crcs

    @cached_property
    def _nulls(self) -> npt.NDArray[np.bool_]:
        spec = self._footer["nulls"]
        if spec is None:
            return np.zeros(self.items, dtype=np.bool_)
        return np.unpackbits(np.frombuffer(self._part(spec), dtype=np.uint8), count=self.items).astype(np.bool_)

    def _read_distinct(self, rows: Rows) -> list[bytes | NullElement]:
        datas = self._fetch(self._starts[rows], self._ends[rows])
        for k, (data, crc) in enumerate(zip(datas, self._crcs[rows].tolist(), strict=True)):
            if zlib.crc32(data) != crc:
                raise self._damage(f"item {rows[k]} fails its checksum")
        found: list[bytes | NullElement] = [*datas]
        for k in np.flatnonzero(self._nulls[rows]).tolist():
            found[k] = NULL
        return found

    def _fetch(self, starts: Rows, ends: Rows) -> list[bytes]:
        """Byte ranges of the data area, near ones by one read."""
        order = np.argsort(starts, kind="stable")
        runs = list(_runs(starts[order], ends[order]))
        head = len(MAGIC)
        blocks = self._objects.get_ranges(self.path, [r[2] + head for r in runs], [r[3] + head for r in runs])
        begin, end = starts.tolist(), ends.tolist()
        found: list[bytes] = [b""] * len(order)
        for (first, last, low, high), block in zip(runs, blocks, strict=True):
            if len(block) != high - low:
                raise self._damage("it is shorter than its footer says")
            for k in order[first:last].tolist():
                found[k] = block[begin[k] - low : end[k] - low]  # no copy where it is the whole block
        return found

    def _part(self, spec: Mapping[str, int]) -> bytes:
        """A part that the footer describes: from the tail already read, where it reaches so far back."""
        at, size, begins = spec["at"], spec["size"], self.ref.bytes - len(self._tail)
        if at >= begins:
            data = self._tail[at - begins : at - begins + size]
        else:
            data = self._objects.get_range(self.path, at, at + size)
        if len(data) != size or zlib.crc32(data) != spec["crc"]:
            raise self._damage("a part of it fails its checksum")
        return data

    def _check_items(self, start: int, end: int, data: bytes) -> None:
        """Check the items that lie whole within bytes [start, end) of the data area."""
        first = int(np.searchsorted(self._starts, start, side="left"))
        last = int(np.searchsorted(self._ends, end, side="right"))
        view = memoryview(data)
        for item, low, high in zip(
            range(first, last), self._starts[first:last].tolist(), self._ends[first:last].tolist(), strict=True
        ):
            self._check_item(item, view[low - start : high - start])

    def _check_item(self, item: int, data: bytes | memoryview) -> None:
        if zlib.crc32(data) != self._crcs[item]:
            raise self._damage(f"item {item} fails its checksum")

    def _check_rows(self, rows: Rows) -> None:
        if len(rows) and (rows.min() < 0 or rows.max() >= self.items):
            bad = int(rows.min() if rows.min() < 0 else rows.max())
            raise RowOutOfRange(f"Row {bad} is asked of chunk {self.path}, which has {self.items} items")

    def _damage(self, what: str) -> CorruptObject:
        return damaged(self._objects, self.path, what)


def find_chunks(objects: Objects, folder: str) -> tuple[list[ChunkRef], list[CorruptObject]]:
    """The finished chunks in a folder, by first row, and what is wrong with those that are damaged.

    Only the ends are read. A damaged one should be deleted and its task done again.
    """
    found: list[ChunkRef] = []
    damaged: list[CorruptObject] = []
    for path, _ in objects.list(folder):
        try:
            found.append(read_end(objects, path).ref)
        except CorruptObject as error:
            damaged.append(error)
        except ObjectMissing:  # deleted while we list
            continue
    return sorted(found, key=lambda ref: (ref.start, ref.path)), damaged


def _runs(starts: Rows, ends: Rows) -> Iterator[tuple[int, int, int, int]]:
    """Ascending byte ranges joined where near: (first range, one past the last, low byte, high byte)."""
    if not len(starts):
        return
    reach = np.maximum.accumulate(ends)
    apart = np.flatnonzero(starts[1:] - reach[:-1] > NEAR) + 1
    for first, last in zip([0, *apart.tolist()], [*apart.tolist(), len(starts)], strict=True):
        yield from _short_runs(starts, reach, first, last)


def _short_runs(starts: Rows, reach: Rows, first: int, last: int) -> Iterator[tuple[int, int, int, int]]:
    while first < last:
        low = int(starts[first])
        stop = max(first + 1, first + int(np.searchsorted(reach[first:last], low + RUN, side="right")))
        yield first, stop, low, int(reach[stop - 1])
        first = stop
