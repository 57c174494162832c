"""A column of frames, or some of its rows, as an .mp4 file.

Where the stored packets can stand in an mp4 as they are, they are remuxed (`remux`), and where some rows are
asked for, only the frames at the edges of each range are encoded (`cut`). Else (a codec an mp4 cannot hold, a new
size, chunks whose encoders differ) every frame is decoded and encoded, and the log says why.

What an op made has rows and no times, so it plays at 25 frames per second unless told otherwise; an ingested video
keeps its own times.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av.error
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.stream import VideoStream

from scannerpy._store.objects import explained, storage_errors
from scannerpy._video import cut, remux
from scannerpy._video.column import FrameColumn, VideoChunk
from scannerpy._video.encode import RATE, Converter, configure, even
from scannerpy._video.nal import Malformed
from scannerpy._video.pixels import Pixels
from scannerpy._video.remux import Timeline, muxer
from scannerpy._words.elements import NullElement
from scannerpy._words.encoding import EncoderOptions
from scannerpy._words.video import VideoIndex
from scannerpy.common import log
from scannerpy.errors import StorageError, VideoError

TOLERANCE = Fraction(1, 1_000_000)
"""Seconds given as floats are taken to mean the frame they come so close to."""

Ints = npt.NDArray[np.int64]
Seconds = tuple[float, float] | Sequence[tuple[float, float]]


def save_mp4(
    column: FrameColumn,
    output_name: str,
    fps: float | Fraction | None = None,
    scale: tuple[int, int] | None = None,
    rows: Sequence[int] | None = None,
    seconds: Seconds | None = None,
) -> Path:
    """Write all rows, or some, to ``output_name + ".mp4"`` and return that path. `scale` is (width, height).

    `rows` are row numbers in the order they are to be shown, `seconds` one or several (start, end) of the stored video.
    The file appears whole or not at all. Raises VideoError for a column that is not stored as video, has nulls or no
    rows, or cannot be decoded; StorageError where the file cannot be written.
    """
    rate = _rate(fps)
    _check_scale(scale)
    selection = _Selection.all(column) if rows is None and seconds is None else _selection(column, rows, seconds)
    timeline = _timeline(selection, rate)
    target = Path(f"{output_name}.mp4")
    with _atomic_file(target) as file:
        if scale is not None or not _copy_packets(selection, timeline, file):
            _encode(column, selection, timeline, scale, file)
    return target


@dataclass(frozen=True, slots=True, eq=False)
class _Selection:
    """`rows` of a column, and the same as frames of its video chunks; `complete` where they are all, in order."""

    rows: Ints
    ranges: tuple[cut.FrameRange, ...]
    complete: bool

    @classmethod
    def all(cls, column: FrameColumn) -> _Selection:
        """Every row."""
        return cls.of(column, np.arange(column.rows), complete=True)

    @classmethod
    def of(cls, column: FrameColumn, rows: Ints, *, complete: bool = False) -> _Selection:
        """Some rows. Raises VideoError for none, and for rows that are null or not stored as video."""
        if not len(rows):
            raise VideoError("there are no rows to save as an mp4: an empty video cannot be played")
        runs = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2) != 1).tolist()
        ends = [*runs[1:], len(rows)]
        ranges: list[cut.FrameRange] = []
        for begin, end in zip(runs, ends, strict=True):
            ranges += _ranges(column, int(rows[begin]), int(rows[end - 1]) + 1)
        return cls(rows, tuple(ranges), complete)


def _ranges(column: FrameColumn, start: int, end: int) -> Iterator[cut.FrameRange]:
    """Rows [start, end), chunk by chunk."""
    for number in range(bisect_right(column.refs, start, key=lambda ref: ref.end), len(column.refs)):
        ref = column.refs[number]
        if ref.start >= end:
            return
        first, last = max(start, ref.start), min(end, ref.end)
        if first < last:
            chunk = column.video(number)
            if chunk is None:
                raise VideoError(
                    f"rows {ref.start} to {ref.end - 1} are stored raw, not as video, so there is nothing to put in an "
                    "mp4: store the column with compress_video(), or load() it and write the frames yourself"
                )
            yield _frames(chunk, ref.start, first - ref.start, last - ref.start)


def _frames(chunk: VideoChunk, base: int, first: int, last: int) -> cut.FrameRange:
    if chunk.nulls is None:
        return cut.FrameRange(chunk, first, last)
    nulls = np.flatnonzero(chunk.nulls[first:last])
    if len(nulls):
        row = base + first + int(nulls[0])
        raise VideoError(f"row {row} is null, and a video has no empty frames: save a column without RepeatNull")
    before = int((~chunk.nulls[:first]).sum())
    return cut.FrameRange(chunk, before, before + last - first)


def _selection(column: FrameColumn, rows: Sequence[int] | None, seconds: Seconds | None) -> _Selection:
    if rows is not None and seconds is not None:
        raise VideoError("rows and seconds both say what to save: give one of them")
    if seconds is not None:
        return _Selection.of(column, _rows_of(column, seconds))
    wanted = np.asarray(rows)
    if len(wanted) and not np.issubdtype(wanted.dtype, np.integer):
        raise VideoError(f"rows must be whole numbers, range(100, 200) for instance, not {wanted.dtype}")
    outside = wanted[(wanted < 0) | (wanted >= column.rows)]
    if len(outside):
        raise VideoError(f"row {int(outside[0])} does not exist; the rows are 0 to {column.rows - 1}")
    return _Selection.of(column, wanted.astype(np.int64))


def _rows_of(column: FrameColumn, seconds: Seconds) -> Ints:
    """The rows that begin to be shown within [start, end), range after range."""
    ranges: Any = [seconds] if len(seconds) and np.ndim(seconds[0]) == 0 else seconds
    everything = _Selection.all(column)
    timeline = _timeline(everything, None)
    found = []
    for pair in ranges:
        if len(pair) != 2 or not 0 <= pair[0] < pair[1]:
            raise VideoError(f"seconds={pair}: give (start, end) with 0 <= start < end")
        low, high = ((Fraction(at) - TOLERANCE) / timeline.base for at in (pair[0], min(pair[1], 10**9)))
        first, last = np.searchsorted(timeline.pts, [float(low), float(high)])
        if first == last:
            raise VideoError(
                f"no frame begins within seconds={pair}; the video lasts {float(timeline.end * timeline.base)}"
            )
        found.append(np.arange(first, last, dtype=np.int64))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _rate(fps: float | Fraction | None) -> Fraction | None:
    if fps is None:
        return None
    rate = Fraction(fps).limit_denominator(1_000_000) if 0 < fps < 100_000 else Fraction(0)
    if not rate:
        raise VideoError(f"fps={fps}: frames per second must be a positive number, 25 for instance")
    return rate


def _check_scale(scale: tuple[int, int] | None) -> None:
    if scale is not None and (len(scale) != 2 or min(scale) < 1):
        raise VideoError(f"scale={scale}: give (width, height) in pixels")


def _timeline(selection: _Selection, rate: Fraction | None) -> Timeline:
    """When each frame of the file is shown: as long as it was stored to be, one after the other; or steadily."""
    index = selection.ranges[0].chunk.index
    if rate is None and all(each.chunk is selection.ranges[0].chunk for each in selection.ranges):
        if remux.ascending(index):
            return _own_timeline(selection)
        rate = index.average_rate
    rate = rate or RATE
    return Timeline(np.arange(len(selection.rows), dtype=np.int64), len(selection.rows), 1 / rate, rate)


def _own_timeline(selection: _Selection) -> Timeline:
    index = selection.ranges[0].chunk.index
    step = max(1, round(1 / (index.average_rate * index.time_base)))
    lasts = np.append(np.diff(index.frame_pts), step)
    ends = np.cumsum(np.concatenate([lasts[each.start : each.end] for each in selection.ranges]))
    return Timeline(np.concatenate(([0], ends[:-1])), int(ends[-1]), index.time_base, index.average_rate)


def _copy_packets(selection: _Selection, timeline: Timeline, file: Path) -> bool:
    """Write the packets as they are where that is possible; else say why not."""
    if selection.complete:
        why = remux.obstacle([each.chunk for each in selection.ranges])
        if not why:
            _remux(selection, timeline, file)
    else:
        why = cut.write(selection.ranges, timeline, file)
    if why:
        log.info("%s is re-encoded, because %s", file.name.removeprefix(".").rsplit(".", 2)[0], why)
    return not why


def _remux(selection: _Selection, timeline: Timeline, file: Path) -> None:
    runs, first = [], 0
    for each in selection.ranges:
        runs.append(remux.all_packets(each.chunk, timeline, first))
        first += each.chunk.index.rows
    index = selection.ranges[0].chunk.index
    remux.write(file, index, index.extradata, timeline, runs)


def _encode(
    column: FrameColumn, selection: _Selection, timeline: Timeline, scale: tuple[int, int] | None, file: Path
) -> None:
    with muxer(file) as container:
        stream: VideoStream | None = None
        for number, frame in enumerate(column.read(selection.rows)):
            if isinstance(frame, NullElement):  # refused before
                continue
            if stream is None:
                size = even(*(scale or (frame.shape[1], frame.shape[0])))
                stream, converter = _encoding_stream(container, timeline, size), Converter(size)
                if scale is None:
                    stream.codec_context.sample_aspect_ratio = _aspect(selection.ranges[0].chunk.index)
            made = converter.convert(cast("Pixels", frame), int(timeline.pts[number]), timeline.base)
            container.mux(stream.encode(made))
        if stream is not None:
            container.mux(stream.encode(None))


def _encoding_stream(container: OutputContainer, timeline: Timeline, size: tuple[int, int]) -> VideoStream:
    stream = container.add_stream("libx264", rate=timeline.rate)
    configure(stream.codec_context, size, EncoderOptions(), threads=0, rate=timeline.rate)
    stream.time_base = stream.codec_context.time_base = timeline.base
    return stream


def _aspect(index: VideoIndex) -> Fraction:
    """How wide a pixel is for its height, once the frame is turned."""
    aspect = index.sample_aspect_ratio
    return 1 / aspect if aspect and index.rotation in {90, 270} else aspect


@contextmanager
def _atomic_file(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its name when all went well, and is removed otherwise."""
    if not target.parent.is_dir():
        raise StorageError(f"{target} cannot be written: the folder {target.parent} does not exist; make it first")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        with storage_errors(target, "write"):
            part.replace(target)
    except av.error.FFmpegError as error:
        raise explained(error, target, "write") from error
    except Malformed as error:
        raise VideoError(f"the stored packets cannot be put into an mp4 ({error}): ingest the video again") from error
    finally:
        part.unlink(missing_ok=True)
