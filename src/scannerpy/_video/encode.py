"""The H.264 encoder: one per chunk, so that each chunk begins with a keyframe and needs no other.

The index is made from the encoder's own packets, by the same header reader that ingest uses. Times are row numbers in
1/25 s, whatever the source's rate was: what an op makes has rows, not times.

libx264 takes even sizes only. An odd one is padded by repeating the last column or row; who stores the chunk records
the true size and who reads it cuts the padding off.

Surprising: a task done again must make the same bytes, and two things x264 does by default prevent that. With several
threads its choices depend on their number: it always gets one, as each pipeline instance has its own encoder. And its
"mbtree" (of FFmpeg 8.1's x264, with AVX-512) reads uninitialized memory where a row of macroblocks is no multiple of 8,
so that the same frames give other bytes each time; it is switched off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from scannerpy._video.headers import Doubt, Parser
from scannerpy._video.nal import Malformed
from scannerpy._video.parsers import parser_for
from scannerpy._video.pixels import Pixels
from scannerpy._words.encoding import EncoderOptions
from scannerpy._words.video import KEY, START, VideoIndex
from scannerpy.errors import VideoError

RATE = Fraction(25)
GOP = 120
PRESET = "veryfast"
CRF = 21
"""CRF with this preset and no mbtree: the PSNR of x264's own defaults (medium, 23) on clips of people and animation,
a quarter to a half more bytes, a third of the time."""
PARAMETERS = "mbtree=0"

_DEFAULTS = EncoderOptions()
BT709, SMPTE170M, LIMITED = 1, 6, 1
HD = 720


@dataclass(slots=True)
class _Packets:
    """The packets so far."""

    offset: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)


class Converter:
    """Turns RGB arrays into the frames an encoder of `size` takes: even, yuv420p, limited range."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.matrix = matrix_of(size)
        self._reformatter = VideoReformatter()

    def convert(self, frame: Pixels, pts: int, time_base: Fraction) -> VideoFrame:
        """`frame`, padded or scaled to the size, as a new frame. It is not kept, nor changed."""
        width, height = self.size
        padded = _padded(frame, width, height)
        made = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(np.ascontiguousarray(padded), "rgb24"),
            width,
            height,
            "yuv420p",
            dst_colorspace=self.matrix,
            dst_color_range=LIMITED,
            interpolation=None if padded.shape[:2] == (height, width) else Interpolation.AREA,
            threads=1,
        )
        made.pts, made.time_base = pts, time_base
        return made


class Encoder:
    """Encodes frames of `width` × `height`, uint8 RGB. Each packet goes to `sink`, which returns its offset.

    Not to be used from two threads.
    """

    def __init__(
        self,
        width: int,
        height: int,
        sink: Callable[[bytes], int],
        options: EncoderOptions = _DEFAULTS,
    ) -> None:
        self.width, self.height = width, height
        self._converter = Converter(even(width, height))
        self._context = _open(self._converter.size, options)
        self._sink = sink
        self._packets = _Packets()
        self._parser: Parser | None = None
        self.frames = 0

    def add(self, frame: Pixels) -> None:
        """Encode the next frame. It is not kept, nor changed."""
        self._encode(self._converter.convert(frame, self.frames, 1 / RATE))
        self.frames += 1

    def finish(self) -> VideoIndex:
        """Encode what is held back and describe all packets. The encoder is of no use afterwards."""
        if self.frames:
            self._encode(None)
        pts = self._packets.pts
        if len(pts) != self.frames or len(set(pts)) != self.frames:
            raise VideoError(
                f"x264 made {len(pts)} packets of {self.frames} frames: store them with lossless() instead"
            )
        return self._index()

    def _encode(self, frame: VideoFrame | None) -> None:
        try:
            packets = self._context.encode(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(f"x264 cannot encode frame {self.frames}: {error}; lossless() stores any frame") from error
        for packet in packets:
            self._note(packet)

    def _note(self, packet: Packet[VideoStream]) -> None:
        data = bytes(packet)
        if packet.pts is None or packet.dts is None:
            raise VideoError("x264 made a packet without a time: store the frames with lossless() instead")
        self._packets.offset.append(self._sink(data))
        self._packets.size.append(len(data))
        self._packets.pts.append(packet.pts)
        self._packets.dts.append(packet.dts)
        self._packets.flags.append(self._flags(data, key=packet.is_keyframe))

    def _flags(self, data: bytes, *, key: bool) -> int:
        if self._parser is None:
            self._parser = parser_for("h264", self._context.extradata or b"")
        try:
            return self._parser.parse(data, key=key).flags | KEY * key
        except (Doubt, Malformed, IndexError):  # nothing is proven then: x264's keyframes are IDR pictures
            return (KEY | START) * key

    def _index(self) -> VideoIndex:
        pts = np.array(self._packets.pts, np.int64)
        return VideoIndex(
            codec="h264",
            codec_tag=self._context.codec_tag,
            extradata=self._context.extradata or b"",
            pix_fmt="yuv420p",
            coded_width=self._context.width,
            coded_height=self._context.height,
            rotation=0,
            color_space=self._converter.matrix,
            color_range=LIMITED,
            bits_per_coded_sample=0,
            time_base=1 / RATE,
            average_rate=RATE,
            offset=np.array(self._packets.offset, np.int64),
            size=np.array(self._packets.size, np.int64),
            pts=pts,
            dts=np.array(self._packets.dts, np.int64),
            flags=np.array(self._packets.flags, np.uint8),
            frame_packet=np.argsort(pts, kind="stable").astype(np.int64),
        )


def configure(
    context: VideoCodecContext, size: tuple[int, int], options: EncoderOptions, threads: int, rate: Fraction = RATE
) -> None:
    """Set up an x264 context that is not open yet, but for its time base. `threads` 0 means all CPUs."""
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.framerate = rate
    context.gop_size = options.keyframe_distance or GOP
    context.colorspace, context.color_range = matrix_of(size), LIMITED
    context.thread_count = threads
    context.thread_type = "NONE" if threads == 1 else "AUTO"
    context.options = {"preset": PRESET, "x264-params": PARAMETERS}
    if options.bitrate is not None:
        context.bit_rate = options.bitrate
    else:
        crf = str(CRF if options.quality is None else options.quality)
        context.options = {**context.options, "crf": crf}


def matrix_of(size: tuple[int, int]) -> int:
    """BT.709 for HD, SMPTE 170M below: what players assume where they ignore the tag."""
    return BT709 if size[1] >= HD else SMPTE170M


def even(width: int, height: int) -> tuple[int, int]:
    """The next size that 4:2:0 allows."""
    return width + width % 2, height + height % 2


def _open(size: tuple[int, int], options: EncoderOptions) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    if not isinstance(context, VideoCodecContext):
        raise VideoError("this FFmpeg's libx264 is no video encoder: reinstall PyAV (pip install av)")
    configure(context, size, options, threads=1)
    context.time_base = 1 / RATE
    context.flags |= Flags.global_header  # parameter sets once, in the extradata, not in every keyframe
    try:
        context.open()
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(
            f"x264 cannot encode {size[0]}×{size[1]} frames ({error}): scale them, or store them with lossless()"
        ) from error
    return context


def _padded(frame: Pixels, width: int, height: int) -> Pixels:
    """With the last column and row repeated, if that is all it takes to reach the size."""
    down, right = height - frame.shape[0], width - frame.shape[1]
    if (down, right) != (0, 0) and 0 <= down <= 1 and 0 <= right <= 1:
        return np.pad(frame, ((0, down), (0, right), (0, 0)), mode="edge")
    return frame
