"""Frames stored as they are: ``raw`` chunks. Any shape of up to three dimensions, changing from row to row if it must.

An item is an array's bytes in C order, little endian. Their shapes and types are in two sections: ``shapes``,
int32[n, 4] (number of dimensions, then up to three of them), and ``dtypes``, uint8[n].
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy._store.chunk import Chunk
from scannerpy._store.chunk_writer import ChunkBuilder
from scannerpy._words.elements import Frame, NullElement
from scannerpy.errors import CorruptObject, VideoError

DTYPES = {"|u1": 1, "<f4": 2, "<f8": 3}
"""What a frame's values may be, and its code; 0 is null."""
_BY_CODE = {code: np.dtype(name) for name, code in DTYPES.items()}
_WINDOW = 32 << 20

Rows = npt.NDArray[np.int64]


class RawCoder:
    """Adds frames to a chunk of kind ``raw``."""

    def __init__(self, writer: ChunkBuilder) -> None:
        self.writer = writer
        self._shapes = array("i")
        self._dtypes = bytearray()

    def add(self, frame: Frame | NullElement, row: int) -> None:
        """Add one row. Raises VideoError naming `row` for arrays that cannot be stored."""
        if isinstance(frame, NullElement):
            self.writer.add(None)
            self._note((), 0)
            return
        dtype = frame.dtype.newbyteorder("<")
        code = DTYPES.get(dtype.str)
        if code is None or frame.ndim > 3:
            raise VideoError(f"row {row} is {describe(frame)}: {_advice(frame)}")
        data = np.ascontiguousarray(frame, dtype=dtype)
        self.writer.add(data.reshape(-1).view(np.uint8).data)
        self._note(frame.shape, code)

    def finish(self) -> None:
        """Add the sections."""
        self.writer.section("shapes", np.frombuffer(self._shapes, np.int32).astype("<i4").tobytes())
        self.writer.section("dtypes", bytes(self._dtypes))

    def _note(self, shape: tuple[int, ...], code: int) -> None:
        self._shapes.extend([len(shape), *shape, *[0] * (3 - len(shape))])
        self._dtypes.append(code)


class RawChunk:
    """Reads frames from a chunk of kind ``raw``."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk

    @property
    def row_bytes(self) -> int:
        """The size of the first row that has one."""
        sizes = self._chunk.sizes(np.arange(min(self._chunk.items, 64)))
        return int(sizes[sizes > 0][0]) if (sizes > 0).any() else 0

    @property
    def first(self) -> int | None:
        """The first row that is not null."""
        filled = np.flatnonzero(self._dtypes)
        return int(filled[0]) if len(filled) else None

    def describe(self, row: int) -> str:
        """The size and type of a row that is not null; its pixels are not read."""
        ndim, *dims = self._shapes[row].tolist()
        return describe(np.broadcast_to(np.zeros((), _BY_CODE[int(self._dtypes[row])]), dims[:ndim]))

    def close(self) -> None:
        """Nothing is held."""

    def read(self, rows: Rows) -> Iterator[Frame | NullElement]:
        """The frames of `rows`, some tens of megabytes at a time. Arrays are the caller's own."""
        ends = np.cumsum(self._chunk.sizes(rows))
        first = 0
        while first < len(rows):
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + _WINDOW, side="right")))
            for row, item in zip(rows[first:last].tolist(), self._chunk.read(rows[first:last]), strict=True):
                yield item if isinstance(item, NullElement) else self._array(row, item)
            first = last

    def _array(self, row: int, data: bytes) -> Frame:
        ndim, *dims = self._shapes[row].tolist()
        dtype = _BY_CODE[int(self._dtypes[row])]
        found: Any = np.frombuffer(data, dtype).reshape(dims[:ndim])
        return np.array(found)  # writable, and the caller's own

    @cached_property
    def _shapes(self) -> npt.NDArray[np.int32]:
        shapes = np.frombuffer(self._chunk.section("shapes"), "<i4").astype(np.int32).reshape(-1, 4)
        if len(shapes) != self._chunk.items:
            raise CorruptObject(f"{self._chunk.path} is damaged: it has shapes for {len(shapes)} rows")
        return shapes

    @cached_property
    def _dtypes(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self._chunk.section("dtypes"), np.uint8)


def describe(frame: Frame) -> str:
    """``640×480×3 uint8``, width first, as people say it."""
    height, width, *rest = frame.shape if frame.ndim >= 2 else (1, *frame.shape, *(1,) * (1 - frame.ndim))
    return f"{'×'.join(map(str, (width, height, *rest)))} {frame.dtype.name}"


def _advice(frame: Any) -> str:
    if frame.ndim > 3:
        return "frames have at most 3 dimensions; reshape it, or return it as Any or bytes"
    return "frames are uint8, float32 or float64; convert it (frame.astype(np.float32)), or return it as Any or bytes"
