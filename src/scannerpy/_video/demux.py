"""Opens video files and decoders: which stream is *the* video, and the parameters its decoder needs.

Only local files are opened, by the ``file:`` protocol alone, so that neither a name with a colon in it nor a playlist
can make FFmpeg reach for anything else. Formats that see video in any text (FFmpeg's ``tty`` and its kin) are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from scannerpy._video import refusals
from scannerpy._video.web import INTRA_ONLY
from scannerpy._words.video import VideoIndex
from scannerpy.errors import IngestError, VideoError

_NOT_VIDEO = {"tty", "bin", "xbin", "adf", "idf", "ansi", "concat", "hls", "dash", "imf", "applehttp", "ffmetadata"}
# Decoders that mark the frames they repaired. Others show what they have (HEVC's a picture half of which was never
# written, so that it differs from time to time), and with several threads even these may let a frame out before it is
# marked; there an error has to end the packet, so that it is noticed.
_MARKS_DAMAGE = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
# Codecs whose frames are the same whatever the number of threads. VP8's are not where a frame is damaged, nor are those
# of interlaced MPEG-4.
_THREADED = INTRA_ONLY | {"h264", "hevc", "vp9", "av1", "mpeg1video", "mpeg2video", "ffv1"}
_DECODER = {"av1": "libdav1d"}  # FFmpeg's own "av1" needs hardware
REPAIR = (
    "to go on with what a player would show there, ingest a copy made by: ffmpeg -i in -c:v libx264 -crf 18 out.mp4"
)
REENCODE = "re-encode it (ffmpeg -i in -c:v libx264 -crf 18 out.mp4) and ingest the result"


@contextmanager
def opened(file: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open `file` and yield the container with FFmpeg's "best" video stream; other streams are not read.

    Raises IngestError with a sentence when there is no video in it.
    """
    if not file.exists():
        raise IngestError(f"{file}: no such file")
    if file.is_dir():
        raise IngestError(f"{file} is a directory: name a video file inside it")
    if file.stat().st_size == 0:
        raise IngestError(f"{file} is empty (0 bytes)")
    with _container(file) as container:
        name = container.format.name
        if set(name.split(",")) & _NOT_VIDEO:
            raise refusals.unopened(file, f"FFmpeg reads it as {name}")
        if name.endswith("_pipe") or name == "image2":
            raise refusals.picture(file, name)
        yield container, _best_stream(container, file)


@contextmanager
def _container(file: Path) -> Iterator[InputContainer]:
    try:
        container = av.open(f"file:{file}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise refusals.unopened(file, _reason(error)) from error
    try:
        yield container
    finally:
        container.close()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _best_stream(container: InputContainer, file: Path) -> VideoStream:
    best = container.streams.best("video")
    if not isinstance(best, VideoStream) or best.disposition & Disposition.attached_pic:
        raise refusals.without_stream(file, [stream.type or "unknown data" for stream in container.streams])
    if best.codec_context is None:
        raise IngestError(f"{file}: this FFmpeg has no decoder for its video stream; {REENCODE}")
    for stream in container.streams:
        if stream.index != best.index:
            stream.discard = Discard.all
    return best


def codec_name(context: VideoCodecContext) -> str:
    """Return the name of the codec (not of the decoder that happens to be built in)."""
    return str(context.codec.canonical_name)


def open_decoder(index: VideoIndex, threads: int, reorder: int) -> VideoCodecContext:
    """Return a fresh decoder for `index`, knowing what the container knew but nothing of the container.

    `reorder` is how many frames H.264 must hold back; FFmpeg would otherwise guess it and lose frames while learning.
    """
    try:
        context = av.CodecContext.create(_DECODER.get(index.codec, index.codec), "r")
    except ValueError as error:
        raise VideoError(f"this FFmpeg has no decoder for {index.codec}: {REENCODE}") from error
    if not isinstance(context, VideoCodecContext):
        raise VideoError(f"{index.codec} is not a video codec")
    context.extradata = index.extradata or None
    context.codec_tag = index.codec_tag
    context.width, context.height = index.coded_width, index.coded_height
    context.pix_fmt = index.pix_fmt
    context.bits_per_coded_sample = index.bits_per_coded_sample
    context.colorspace, context.color_range = index.color_space, index.color_range
    context.reorder_depth = reorder
    set_threads(context, threads)
    if context.thread_count > 1 or index.codec not in _MARKS_DAMAGE:
        context.options = {"err_detect": "crccheck+explode"}
    return context


def set_threads(context: VideoCodecContext, threads: int) -> None:
    """Let a decoder use `threads` threads, or one where more would not be exact."""
    context.thread_count = threads if codec_name(context) in _THREADED else 1
    context.thread_type = "AUTO" if context.thread_count > 1 else "NONE"


def numbered(data: bytes | memoryview, number: int, *, key: bool) -> Packet[Any]:
    """Return a packet holding a zero-padded copy of `data`, with `number` for its time.

    The frame that comes out carries that time, and so says which packet it was. `key` is what the container called it:
    some decoders (PNG, Flash Screen) have no other way to tell a whole picture from a change to the one before.
    """
    packet: Packet[Any] = Packet(len(data))
    packet.update(cast("bytes", data))  # any buffer will do
    packet.pts = packet.dts = number
    packet.is_keyframe = key
    return packet
