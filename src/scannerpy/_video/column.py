"""Reads a column of frames stored in many chunks, video and raw ones mixed: any rows, in any order, lazily.

Rows that ascend are streamed: a decoder keeps its place, so the next task of the same video goes on where the last
stopped. Others are taken a window at a time, sorted, decoded once and handed out in the order asked. Memory is bounded
by the window and a few decoders.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from scannerpy._store.blobs import ChunkList
from scannerpy._store.chunk import Chunk, ChunkRef
from scannerpy._store.objects import Objects
from scannerpy._video.decode import Decoder
from scannerpy._video.external import ExternalFile
from scannerpy._video.index import from_bytes
from scannerpy._video.pixels import Pixels
from scannerpy._video.raw import RawChunk
from scannerpy._words.elements import NULL, Frame, NullElement
from scannerpy._words.video import VideoIndex
from scannerpy.errors import CorruptObject, VideoError

LONG_RUN = 32
WINDOW_BYTES = 192 << 20
IDLE_DECODERS = 2

Rows = npt.NDArray[np.int64]


class FrameColumn:
    """A column of frames.

    `bgr` gives video-coded frames as BGR, as OpenCV wants them; raw ones come as they were stored. `name` is what
    errors call it: a user knows the stream, not the object its rows are in. Several `read` may be under way at once,
    but in one thread.
    """

    def __init__(
        self, objects: Objects, refs: Sequence[ChunkRef], *, bgr: bool = False, threads: int = 1, name: str = ""
    ) -> None:
        self._chunks = ChunkList(objects, refs)
        self._format = "bgr24" if bgr else "rgb24"
        self._threads = threads
        self._name = name
        self._open: OrderedDict[int, VideoChunk | RawChunk] = OrderedDict()

    @property
    def rows(self) -> int:
        """How many rows the column has."""
        return self._chunks.rows

    @property
    def row_bytes(self) -> int:
        """The size of a typical frame in memory: that of the first chunk's."""
        filled = [k for k, ref in enumerate(self._chunks.refs) if ref.rows]
        return self._chunk(filled[0]).row_bytes if filled else 0

    @property
    def refs(self) -> tuple[ChunkRef, ...]:
        """The chunks."""
        return self._chunks.refs

    def video(self, number: int) -> VideoChunk | None:
        """Chunk `number` as a video, None if it is raw."""
        found = self._chunk(number)
        return found if isinstance(found, VideoChunk) else None

    def keyframes(self) -> Rows:
        """The rows that stand alone: keyframes of video-coded chunks, all rows of raw ones."""
        found = [np.zeros(0, np.int64)]
        for number, ref in enumerate(self._chunks.refs):
            chunk = self._chunk(number)
            local = chunk.keyframes() if isinstance(chunk, VideoChunk) else np.arange(ref.rows)
            found.append(local + ref.start)
        return np.concatenate(found)

    def read(self, rows: Sequence[int] | Rows | None = None) -> Iterator[Frame | NullElement]:
        """The frames of `rows`, in that order, as often as asked; all, if None. Each array is the caller's own.

        Raises RowOutOfRange at once; VideoError, CorruptObject and StorageError as rows are reached.
        """
        wanted = np.arange(self.rows) if rows is None else np.asarray(rows, dtype=np.int64)
        self._chunks.locate(wanted)
        return self._read(wanted)

    def close(self) -> None:
        """Close files and decoders."""
        while self._open:
            _, chunk = self._open.popitem()
            chunk.close()

    def _read(self, rows: Rows) -> Iterator[Frame | NullElement]:
        falls = np.append(np.flatnonzero(np.diff(rows) < 0) + 1, len(rows))
        first = 0
        while first < len(rows):
            last = int(falls[np.searchsorted(falls, first, side="right")])
            if last < len(rows) and last - first < LONG_RUN:
                last = min(len(rows), first + max(1, WINDOW_BYTES // max(1, self.row_bytes)))
                yield from self._shuffled(rows[first:last])
            else:
                yield from self._rising(rows[first:last])
            first = last

    def _rising(self, rows: Rows) -> Iterator[Frame | NullElement]:
        """Rows that never fall, with repetitions."""
        distinct, counts = np.unique(rows, return_counts=True)
        for count, frame in zip(counts.tolist(), self._distinct(distinct), strict=True):
            for _ in range(count - 1):
                yield frame if isinstance(frame, NullElement) else frame.copy()
            yield frame

    def _shuffled(self, rows: Rows) -> Iterator[Frame | NullElement]:
        """A window of rows in any order: all are decoded before the first is needed, at worst."""
        distinct, where, left = np.unique(rows, return_inverse=True, return_counts=True)
        decoded = self._distinct(distinct)
        held: dict[int, Frame | NullElement] = {}
        ready = 0
        for k in where.tolist():
            while ready <= k:
                held[ready] = next(decoded)
                ready += 1
            left[k] -= 1
            frame = held[k] if left[k] else held.pop(k)
            yield frame if isinstance(frame, NullElement) or not left[k] else frame.copy()

    def _distinct(self, rows: Rows) -> Iterator[Frame | NullElement]:
        """Rows that ascend and are unique, chunk by chunk."""
        chunks, local = self._chunks.locate(rows)
        borders = np.concatenate(([0], np.flatnonzero(np.diff(chunks)) + 1, [len(rows)]))
        for first, last in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
            if last > first:
                yield from self._chunk(int(chunks[first])).read(local[first:last])

    def _chunk(self, number: int) -> VideoChunk | RawChunk:
        found = self._open.get(number)
        if found is None:
            found = self._open[number] = self._opened(self._chunks.chunk(number))
            if len(self._open) > IDLE_DECODERS:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(number)
        return found

    def _opened(self, chunk: Chunk) -> VideoChunk | RawChunk:
        if chunk.kind == "raw":
            return RawChunk(chunk)
        if chunk.kind == "video":
            return VideoChunk(chunk, self._format, self._threads, self._name)
        raise CorruptObject(f"{chunk.path} is a chunk of kind {chunk.kind!r}, not of frames: make the stream again")


def check_alike(objects: Objects, refs: Sequence[ChunkRef]) -> None:
    """Check that the chunks of a column fit together as they would have to in one chunk alone.

    All frames are stored as video, and have one size, or all are stored raw; nulls are neither. Else whether a column
    of changing frames is refused, and how it is stored, would depend on where its tasks were cut. Reads the chunks'
    ends. Raises VideoError naming the row.
    """
    first: tuple[str, str] | None = None
    for ref in refs:
        chunk = Chunk.open(objects, ref)
        found = _first_frame(chunk) if ref.rows else None
        if found is None:
            continue
        row, kind, looks = found
        if first is None:
            first = (kind, looks)
        elif kind != first[0]:
            raise VideoError(_two_kinds(ref.start + row, looks, kind, first[1]))
        elif kind == "video" and looks != first[1]:
            raise VideoError(
                f"row {ref.start + row} is {looks}, but this column's H.264 video began as {first[1]}: "
                "make all frames one size, or store the column with lossless()"
            )


def _first_frame(chunk: Chunk) -> tuple[int, str, str] | None:
    """The first row of a chunk that is not null, how it is stored, and what it looks like."""
    if chunk.kind == "raw":
        raw = RawChunk(chunk)
        return None if raw.first is None else (raw.first, "raw", raw.describe(raw.first))
    nulls = VideoChunk(chunk).nulls
    row = 0 if nulls is None else int(np.argmin(nulls))
    return row, "video", f"{chunk.meta['width']}×{chunk.meta['height']}×3 uint8"


def _two_kinds(row: int, looks: str, kind: str, began: str) -> str:
    how = "which the default compression stores " + ("raw" if kind == "raw" else "as H.264")
    other = "as H.264" if kind == "raw" else "raw"
    return (
        f"row {row} is {looks}, {how}, but this column began as {began}, which it stores {other}: "
        "make all frames alike, or store the column with lossless()"
    )


class VideoChunk:
    """A chunk of kind ``video``, whose packets stand in itself or, ingested in place, in the user's file."""

    def __init__(
        self,
        chunk: Chunk,
        format: str = "rgb24",  # noqa: A002 (FFmpeg's word)
        threads: int = 1,
        name: str = "",
    ) -> None:
        self.chunk = chunk
        self.name = name or chunk.path
        self.index: VideoIndex = from_bytes(chunk.section("index"))
        external = chunk.meta.get("external")
        self.external = ExternalFile(**external) if external else None
        self.read_packets = self.external.read if self.external else self._own_packets
        self.nulls = self._null_rows()
        self.size = (chunk.meta.get("width", self.index.width), chunk.meta.get("height", self.index.height))
        self._format = format
        self._threads = threads
        self._idle: list[Decoder] = []

    @property
    def row_bytes(self) -> int:
        """The size of a frame."""
        return int(self.size[0]) * int(self.size[1]) * 3

    def keyframes(self) -> Rows:
        """The rows of keyframes."""
        rows = self.index.keyframe_rows
        return rows if self.nulls is None else np.flatnonzero(~self.nulls)[rows].astype(np.int64)

    def read(self, rows: Rows) -> Iterator[Frame | NullElement]:
        """The frames of `rows`, which ascend and are unique."""
        if self.nulls is None:
            yield from self._frames(rows)
            return
        frames = self._frames((np.cumsum(~self.nulls) - 1)[rows[~self.nulls[rows]]])
        for is_null in self.nulls[rows].tolist():
            yield NULL if is_null else next(frames)

    def close(self) -> None:
        """Close the decoder and the file."""
        self._idle.clear()
        if self.external:
            self.external.close()

    def _frames(self, rows: Rows) -> Iterator[Frame]:
        decoder = self._idle.pop() if self._idle else self._decoder()
        for number, frame in enumerate(_named(decoder, rows, self.name), 1):
            if number == len(rows):  # before the last yield: the consumer may never resume this generator
                self._idle[:] = [decoder]
            yield self._cut(frame)

    def _decoder(self) -> Decoder:
        return Decoder(self.index, self.read_packets, self._threads, self._format)

    def _cut(self, frame: Pixels) -> Pixels:
        """Without the padding that made an odd size even."""
        width, height = self.size
        return frame if frame.shape[:2] == (height, width) else np.ascontiguousarray(frame[:height, :width])

    def _own_packets(self, starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        sizes = [end - start for start, end in zip(starts, ends, strict=True)]
        return self.chunk.data_ranges(starts, sizes)

    def _null_rows(self) -> npt.NDArray[np.bool_] | None:
        rows = self.chunk.end - self.chunk.start
        if "nulls" not in self.chunk.sections:
            self._check(self.index.rows, rows)
            return None
        nulls = np.unpackbits(np.frombuffer(self.chunk.section("nulls"), np.uint8), count=rows).astype(np.bool_)
        self._check(self.index.rows, int((~nulls).sum()))
        return nulls

    def _check(self, frames: int, rows: int) -> None:
        if frames != rows:
            raise CorruptObject(
                f"{self.chunk.path} is damaged: its index has {frames} frames for {rows} rows; make the stream again"
            )


def _named(decoder: Decoder, rows: Rows, name: str) -> Iterator[Pixels]:
    try:
        for _, frame in decoder.frames(rows):
            yield frame
    except VideoError as error:
        raise VideoError(f"{name}: {error}") from error
