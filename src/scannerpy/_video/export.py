"""A column of frames as an .mp4 file.

Where the stored packets can stand in an mp4 as they are, they are only wrapped anew: no quality is lost, and it takes
as long as copying. Else (another codec, a new size, a rotation, frames that must be decoded but not shown, chunks whose
encoders differ) every frame is decoded and encoded.

What an op made has rows and no times, so it plays at 25 frames per second unless told otherwise; an ingested video
keeps its own times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from scannerpy._store.objects import explained, storage_errors
from scannerpy._video import annexb
from scannerpy._video.column import FrameColumn, VideoChunk
from scannerpy._video.encode import RATE, Converter, EncoderOptions, configure, even
from scannerpy._video.nal import Malformed
from scannerpy._video.pixels import Pixels
from scannerpy._words.elements import NullElement
from scannerpy._words.video import NO_TIME, START
from scannerpy.errors import StorageError, VideoError

BATCH = 64

Ints = npt.NDArray[np.int64]


def save_mp4(
    column: FrameColumn, output_name: str, fps: float | Fraction | None = None, scale: tuple[int, int] | None = None
) -> Path:
    """Write all rows to ``output_name + ".mp4"`` and return that path. `scale` is (width, height).

    The file appears whole or not at all. Raises VideoError for a column that is not stored as video, has nulls or no
    rows, or cannot be decoded; StorageError where the file cannot be written.
    """
    rate = _rate(fps)
    _check_scale(scale)
    chunks = _videos(column)
    times = _times(chunks, rate)
    target = Path(f"{output_name}.mp4")
    with _part_of(target) as part:
        if scale is None and _fit_together(chunks):
            _remux(chunks, times, part)
        else:
            _encode(column, times, scale, part)
    return target


@dataclass(frozen=True, slots=True)
class _Times:
    """When each row is shown, in units of `base`; `rate` is what the file declares."""

    pts: Ints
    base: Fraction
    rate: Fraction


def _videos(column: FrameColumn) -> list[VideoChunk]:
    chunks = []
    for number, ref in enumerate(column.refs):
        chunk = column.video(number) if ref.rows else None
        if chunk is not None:
            _refuse_nulls(chunk, ref.start)
            chunks.append(chunk)
        elif ref.rows:
            raise VideoError(
                f"rows {ref.start} to {ref.end - 1} are stored raw, not as video, so there is nothing to put in an "
                "mp4: store the column with compress_video(), or load() it and write the frames yourself"
            )
    if not chunks:
        raise VideoError("there are no rows to save as an mp4: an empty video cannot be played")
    return chunks


def _refuse_nulls(chunk: VideoChunk, start: int) -> None:
    if chunk.nulls is not None:
        row = start + int(np.flatnonzero(chunk.nulls)[0])
        raise VideoError(f"row {row} is null, and a video has no empty frames: save a column without RepeatNull")


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


def _times(chunks: list[VideoChunk], rate: Fraction | None) -> _Times:
    index = chunks[0].index
    if rate is None and len(chunks) == 1:
        pts = index.frame_pts
        if (np.diff(pts) > 0).all() and pts[0] != NO_TIME:
            return _Times(pts - pts[0], index.time_base, index.average_rate)
        rate = index.average_rate
    rate = rate or RATE
    rows = sum(chunk.index.rows for chunk in chunks)
    return _Times(np.arange(rows, dtype=np.int64), 1 / rate, rate)


def _fit_together(chunks: list[VideoChunk]) -> bool:
    """Whether the packets of all chunks can stand one after another in one mp4 and be shown as they are."""
    first = chunks[0].index
    like = (first.codec, first.extradata, first.coded_width, first.coded_height)
    return all(
        chunk.index.codec in annexb.CODECS
        and chunk.index.extradata
        and (chunk.index.codec, chunk.index.extradata, chunk.index.coded_width, chunk.index.coded_height) == like
        and not chunk.index.rotation
        and chunk.index.rows == chunk.index.packets
        and chunk.index.flags[0] & START
        for chunk in chunks
    )


def _remux(chunks: list[VideoChunk], times: _Times, part: Path) -> None:
    index = chunks[0].index
    delay = max(_reordering(chunk) for chunk in chunks)
    sets = annexb.parameter_sets(index.codec, index.extradata)
    first = 0
    with _muxer(part) as container:
        stream: Any = container.add_mux_stream(
            index.codec, times.rate, width=index.coded_width, height=index.coded_height, time_base=times.base
        )
        for chunk in chunks:
            for packet in _packets(chunk, _timed(chunk, times, first, delay), sets):
                packet.stream, packet.time_base = stream, times.base
                container.mux(packet)
            first, sets = first + chunk.index.rows, b""


def _packets(chunk: VideoChunk, timed: Iterator[tuple[int, int, int]], sets: bytes) -> Iterator[Packet[Any]]:
    """The packets of a chunk; the parameter sets stand in the very first, where the muxer looks for them."""
    width = annexb.length_width(chunk.index.codec, chunk.index.extradata)
    for key, data, (pts, dts, duration) in zip(chunk.index.flags & START, _stored(chunk), timed, strict=True):
        packet: Packet[Any] = Packet(sets + annexb.packet(data, width))
        packet.is_keyframe = bool(key)
        packet.pts, packet.dts, packet.duration = pts, dts, duration
        sets = b""
        yield packet


def _stored(chunk: VideoChunk) -> Iterator[bytes]:
    starts, sizes = chunk.index.offset, chunk.index.size
    for first in range(0, chunk.index.packets, BATCH):
        begin = starts[first : first + BATCH]
        yield from chunk.read_packets(begin.tolist(), (begin + sizes[first : first + BATCH]).tolist())


def _row_of(chunk: VideoChunk) -> Ints:
    rows = np.empty(chunk.index.packets, np.int64)
    rows[chunk.index.frame_packet] = np.arange(chunk.index.rows)
    return rows


def _reordering(chunk: VideoChunk) -> int:
    """By how many packets a frame may be stored after it is to be shown."""
    return int((np.arange(chunk.index.packets) - _row_of(chunk)).max())


def _timed(chunk: VideoChunk, times: _Times, first: int, delay: int) -> Iterator[tuple[int, int, int]]:
    """(pts, dts, duration) of each packet of a chunk whose first row is `first`.

    Decoding times are made anew: packet n is decoded when frame n − `delay` is shown, so they ascend and no frame is
    shown before it is decoded.
    """
    rows = _row_of(chunk) + first
    decoded = np.arange(chunk.index.packets) + first - delay
    step = max(1, round(1 / (times.rate * times.base)))
    dts = times.pts[np.maximum(decoded, 0)] + np.minimum(decoded, 0) * step
    shown = np.append(times.pts, times.pts[-1] + step)
    yield from zip(times.pts[rows].tolist(), dts.tolist(), (shown[rows + 1] - shown[rows]).tolist(), strict=True)


def _encode(column: FrameColumn, times: _Times, scale: tuple[int, int] | None, part: Path) -> None:
    with _muxer(part) as container:
        stream: VideoStream | None = None
        for row, frame in enumerate(column.read()):
            if isinstance(frame, NullElement):  # refused before
                continue
            if stream is None:
                size = even(*(scale or (frame.shape[1], frame.shape[0])))
                stream, converter = _encoding_stream(container, times, size), Converter(size)
            made = converter.convert(_rgb(frame), int(times.pts[row]), times.base)
            container.mux(stream.encode(made))
        if stream is not None:
            container.mux(stream.encode(None))


def _encoding_stream(container: OutputContainer, times: _Times, size: tuple[int, int]) -> VideoStream:
    stream = container.add_stream("libx264", rate=times.rate)
    configure(stream.codec_context, size, EncoderOptions(), threads=0, rate=times.rate)
    stream.time_base = stream.codec_context.time_base = times.base
    return stream


def _rgb(frame: Any) -> Pixels:
    pixels: Pixels = frame
    return pixels


@contextmanager
def _muxer(part: Path) -> Iterator[OutputContainer]:
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        yield container


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
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
