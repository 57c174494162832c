"""`StoredColumn`: reads a stored column of blobs or frames, or the row numbers of an ingested video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from scannerpy._client.database import INDEX_COLUMN, Database, index_bytes
from scannerpy._client.describing import video_descriptor
from scannerpy._plan import decode
from scannerpy._plan.decode import DecodeCost
from scannerpy._plan.rows import Rows
from scannerpy._store.blobs import BlobColumn
from scannerpy._store.catalog import TableRecord
from scannerpy._store.chunk import ChunkRef
from scannerpy._store.manifest import read_manifest
from scannerpy._words.elements import Element
from scannerpy._words.video import NO_TIME
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy._video.column import FrameColumn

MAX_CHUNKS_OPENED = 64


class StoredColumn:
    """Reads a column of a committed table."""

    def __init__(
        self,
        database: Database,
        refs: Sequence[ChunkRef],
        *,
        is_video: bool,
        rows: int,
        name: str,
        ingested: bool = False,
        label: str = "",
    ) -> None:
        self._database = database
        self._refs = refs
        self._is_video = is_video
        self._rows = rows
        self._name = name
        self._ingested = ingested
        self._label = label

    @classmethod
    def open(cls, database: Database, record: TableRecord, name: str) -> StoredColumn:
        """Open column `name` of a table."""
        column = next(each for each in record.columns if each.name == name)
        refs = read_manifest(database.objects, record.manifest).get(name, [])
        ingested = record.source is not None
        return cls(
            database,
            refs,
            is_video=column.is_video,
            rows=record.rows,
            name=f"{record.name}.{name}",
            ingested=ingested,
            label=f"stream {record.name!r}",
        )

    @classmethod
    def of_manifest(cls, database: Database, manifest: str, name: str, is_video: bool) -> StoredColumn:
        """Open a column by its table's manifest."""
        refs = read_manifest(database.objects, manifest).get(name, [])
        return cls(database, refs, is_video=is_video, rows=refs[-1].end if refs else 0, name=name)

    def read(self, rows: Rows, *, bgr: bool = True) -> Iterator[Element]:
        """Yield the elements of `rows`, in that order; video-coded frames in BGR, or in RGB as ops see them."""
        if self._is_video:
            return self._read_frames(rows, bgr=bgr)
        if not self._refs and self._name.endswith(f".{INDEX_COLUMN}"):
            return (index_bytes(row) for row in rows.tolist())
        return BlobColumn(self._database.objects, self._refs).read(rows)

    def keyframes(self) -> list[int]:
        """Return the rows that stand alone: keyframes of video, all rows of anything else."""
        return self._frames().keyframes().tolist() if self._is_video else list(range(self._rows))

    def starts(self) -> list[int]:
        """Return rows that are cheap to read: keyframes, or the first of each chunk where there are many."""
        if len(self._refs) > MAX_CHUNKS_OPENED:
            return [ref.start for ref in self._refs]
        return self.keyframes()

    def times(self) -> npt.NDArray[np.float64] | None:
        """Return the time of every row in seconds, as the file that was ingested has it (NaN where it does not say).

        None for what no file was ingested for: the frames that ops make have no times of their own.
        """
        video = self._frames().video(0) if self._ingested and self._is_video and len(self._refs) == 1 else None
        if video is None or video.nulls is not None:
            return None
        index = video.index
        seconds = index.frame_pts * (index.time_base.numerator / index.time_base.denominator)
        return np.where(index.frame_pts == NO_TIME, np.nan, seconds)

    def element_size(self) -> int:
        """Return the bytes of a frame, or the mean stored size of a blob."""
        if self._is_video:
            return self._frames().row_bytes
        return sum(ref.bytes for ref in self._refs) // max(1, self._rows)

    def decode_cost(self, rows: Rows) -> DecodeCost | None:
        """Return what decoding `rows` (ascending) in one go costs; None where nothing is decoded."""
        if not self._is_video:
            return None
        total = DecodeCost(0, 0, 0, 0)
        column = self._frames()
        for number, ref in enumerate(self._refs):
            inside = rows[np.searchsorted(rows, ref.start) : np.searchsorted(rows, ref.end)] - ref.start
            video = column.video(number) if len(inside) else None
            if video is not None and video.nulls is None:
                total = _sum(total, decode.cost(video.index, inside))
        return total

    def save_mp4(
        self,
        output_name: str,
        fps: float | None,
        scale: tuple[int, int] | None,
        rows: Sequence[int] | None,
        seconds: Any,
    ) -> None:
        """Write frames to ``output_name + ".mp4"``. Raises ScannerException where they are not video-coded."""
        from scannerpy._video.export import save_mp4

        if not self._is_video:
            raise ScannerException(f"column {self._name} holds no frames, so it cannot be written as {output_name}.mp4")
        save_mp4(self._frames(), output_name, fps=fps, scale=scale, rows=rows, seconds=seconds)

    def descriptor(self) -> Any:
        """Return the VideoDescriptor message of a column that is stored as video."""
        if not self._is_video:
            raise ScannerException(f"column {self._name} is not stored as video, so it has no VideoDescriptor")
        return video_descriptor(self._frames(), self._rows, self._name)

    def _read_frames(self, rows: Rows, *, bgr: bool) -> Iterator[Element]:
        column = self._frames(bgr=bgr)
        try:
            yield from column.read(rows)
        finally:
            column.close()

    def _frames(self, *, bgr: bool = False) -> FrameColumn:
        from scannerpy._video.column import FrameColumn

        return FrameColumn(self._database.objects, self._refs, bgr=bgr, name=self._label)


def _sum(one: DecodeCost, other: DecodeCost) -> DecodeCost:
    return DecodeCost(
        one.frames + other.frames, one.packets + other.packets, one.bytes + other.bytes, one.gops + other.gops
    )
