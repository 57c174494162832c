"""Reads a column of blobs stored in many chunks: any rows, in any order, lazily."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from scannerpy._store.chunk import Chunk, ChunkRef, RowOutOfRange
from scannerpy._store.objects import Objects
from scannerpy._words.elements import NULL, NullElement

OPEN_CHUNKS = 32
WINDOW_ROWS = 4096
WINDOW_BYTES = 32 << 20

Rows = npt.NDArray[np.int64]


class ChunkList:
    """The chunks of one column, by row. Keeps the last few open; safe to share between threads."""

    def __init__(self, objects: Objects, refs: Sequence[ChunkRef]) -> None:
        self.objects = objects
        self.refs = tuple(refs)
        self._starts = np.array([ref.start for ref in self.refs], dtype=np.int64)
        self._lock = threading.Lock()
        self._open: OrderedDict[int, Chunk] = OrderedDict()

    @property
    def rows(self) -> int:
        """How many rows the column has."""
        return self.refs[-1].end if self.refs else 0

    def locate(self, rows: Rows) -> tuple[npt.NDArray[np.int64], Rows]:
        """Which chunk each row is in, and its row there. Raises RowOutOfRange."""
        if len(rows) and (rows.min() < 0 or rows.max() >= self.rows):
            bad = int(rows.min() if rows.min() < 0 else rows.max())
            raise RowOutOfRange(f"Row {bad} is asked of a column of {self.rows} rows; the first is row 0")
        chunks = np.searchsorted(self._starts, rows, side="right") - 1
        return chunks.astype(np.int64), rows - self._starts[chunks]

    def chunk(self, number: int) -> Chunk:
        """The chunk of that number, opened."""
        with self._lock:
            found = self._open.get(number)
            if found is None:
                found = self._open[number] = Chunk.open(self.objects, self.refs[number])
                if len(self._open) > OPEN_CHUNKS:
                    self._open.popitem(last=False)
            self._open.move_to_end(number)
            return found


class BlobColumn:
    """A column of blobs. Holds at most a window of rows (some tens of megabytes, or one item) in memory."""

    def __init__(self, objects: Objects, refs: Sequence[ChunkRef]) -> None:
        self._chunks = ChunkList(objects, refs)

    @property
    def rows(self) -> int:
        """How many rows the column has."""
        return self._chunks.rows

    def read(self, rows: Sequence[int] | Rows | None = None) -> Iterator[bytes | NullElement]:
        """The items of `rows`, in that order, as often as asked; all, if None. Lazily: rows are read as they are taken.

        Raises RowOutOfRange at once; CorruptObject and StorageError as rows are reached.
        """
        wanted = np.arange(self.rows) if rows is None else np.asarray(rows, dtype=np.int64)
        chunks, local = self._chunks.locate(wanted)
        return self._read(chunks, local)

    def _read(self, chunks: Rows, local: Rows) -> Iterator[bytes | NullElement]:
        first = 0
        while first < len(chunks):
            last = first + self._window(chunks[first : first + WINDOW_ROWS], local[first : first + WINDOW_ROWS])
            yield from self._read_window(chunks[first:last], local[first:last])
            first = last

    def _window(self, chunks: Rows, local: Rows) -> int:
        """How many of these rows to read together: as many as fit, at least one."""
        sizes = np.zeros(len(chunks), dtype=np.int64)
        for number in np.unique(chunks).tolist():
            mine = chunks == number
            sizes[mine] = self._chunks.chunk(number).sizes(local[mine])
        return max(1, int(np.searchsorted(np.cumsum(sizes), WINDOW_BYTES, side="right")))

    def _read_window(self, chunks: Rows, local: Rows) -> list[bytes | NullElement]:
        found: list[bytes | NullElement] = [NULL] * len(chunks)
        for number in np.unique(chunks).tolist():
            mine = np.flatnonzero(chunks == number)
            for k, item in zip(mine.tolist(), self._chunks.chunk(number).read(local[mine]), strict=True):
                found[k] = item
        return found
