"""Some rows of a video as an mp4, exactly, with as little encoded as can be (a "smart cut").

Whole groups of pictures inside a range of frames are copied packet by packet; only the frames before and after them,
the edges, are encoded, as H.264 of the source's own profile and pixel format. Their parameter sets get a number the
source does not use, and stand beside the source's in the file's header, so that no packet has to be changed.

What is written is then decoded around each join and compared with what is stored, so that a stream that cannot be cut
is noticed here, not by its viewer. Where a cut is not possible, the reason is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from scannerpy._plan.cut import Copy, Cutter
from scannerpy._plan.decode import row_of_packet
from scannerpy._video import annexb, h264, joins, remux
from scannerpy._video.column import VideoChunk
from scannerpy._video.decode import Decoder
from scannerpy._video.nal import Malformed, units
from scannerpy._video.remux import PacketRun, Timeline
from scannerpy._words.video import START
from scannerpy.errors import VideoError

EDGE_QUALITY = 12
"""CRF of the edges: 43 to 56 dB on drawn pictures with hard edges; from 40 dB on the eye sees no difference."""
_PROFILES = {66: "baseline", 77: "main", 100: "high", 110: "high10", 122: "high422", 244: "high444"}
_IDR_TYPES = {"h264": ({5}, 31, 0), "hevc": ({19, 20}, 63, 1)}
"""The unit types of IDR pictures, with the mask and shift that extract the type from a unit's first byte."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameRange:
    """Frames [start, end) of one chunk."""

    chunk: VideoChunk
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class _Copied:
    chunk: VideoChunk
    block: Copy

    @property
    def frames(self) -> int:
        return self.block.end - self.block.start


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    """Frames between copied packets; several ranges may meet here."""

    parts: tuple[FrameRange, ...]

    @property
    def frames(self) -> int:
        return sum(part.end - part.start for part in self.parts)


class _CannotCut(Exception):
    """Why a cut has to be encoded as a whole."""


def write(frame_ranges: Sequence[FrameRange], timeline: Timeline, file: Path) -> str:
    """Write the frames of `frame_ranges`, one after another. Returns "", or why they must be encoded as a whole."""
    try:
        _write(frame_ranges, timeline, file)
    except _CannotCut as error:
        return str(error)
    except (Malformed, IndexError) as error:
        return f"its packets cannot be read ({error})"
    return ""


def _write(frame_ranges: Sequence[FrameRange], timeline: Timeline, file: Path) -> None:
    index = frame_ranges[0].chunk.index
    if why := remux.header_obstacle([frame_range.chunk.index for frame_range in frame_ranges]):
        raise _CannotCut(why)
    plan = _plan(frame_ranges)
    extradata, runs = index.extradata, list[PacketRun]()
    encoder = _EdgeEncoder(frame_ranges[0].chunk) if any(isinstance(each, _Edge) for each in plan) else None
    first = 0
    for each in plan:
        pts = timeline.pts[first : first + each.frames]
        if isinstance(each, _Copied):
            runs.append(_copied(each, pts))
        elif encoder is not None:
            runs.append(encoder.run(each.parts, pts))
        first += each.frames
    if encoder is not None:
        extradata = encoder.extradata
    remux.write(file, index, extradata, timeline, runs)
    if encoder is not None or len(plan) > 1:
        _check_joins(plan, timeline, file)


def _plan(frame_ranges: Sequence[FrameRange]) -> list[_Copied | _Edge]:
    plan = list[_Copied | _Edge]()
    cutters = dict[VideoChunk, Cutter]()
    for frame_range in frame_ranges:
        chunk = frame_range.chunk
        if chunk not in cutters:
            cutters[chunk] = Cutter(chunk.index, partial(_is_idr, chunk))
        for piece in cutters[chunk].pieces(frame_range.start, frame_range.end):
            if isinstance(piece, Copy):
                plan.append(_Copied(chunk, piece))
            else:
                _add_edge(plan, FrameRange(chunk, piece.start, piece.end))
    if not any(isinstance(each, _Copied) for each in plan):
        raise _CannotCut("no group of pictures that stands alone lies within the rows")
    return plan


def _add_edge(plan: list[_Copied | _Edge], part: FrameRange) -> None:
    last = plan[-1] if plan else None
    if isinstance(last, _Edge):
        plan[-1] = _Edge((*last.parts, part))
    else:
        plan.append(_Edge((part,)))


def _is_idr(chunk: VideoChunk, packet: int) -> bool:
    """Whether a decoder that has shown other frames forgets them here: in H.264 and HEVC only an IDR picture does."""
    codec = chunk.index.codec
    if codec not in _IDR_TYPES:
        return True
    kinds, mask, shift = _IDR_TYPES[codec]
    data = next(remux.stored(chunk, packet, packet + 1))
    found = units(data, annexb.length_width(codec, chunk.index.extradata))
    return any(data[begin] >> shift & mask in kinds for begin, _ in found)


def _copied(each: _Copied, pts: remux.Ints) -> PacketRun:
    block, index = each.block, each.chunk.index
    rows = row_of_packet(index)[block.first : block.stop] - block.start
    keys = (index.flags[block.first : block.stop] & START) != 0
    return PacketRun(remux.stored(each.chunk, block.first, block.stop), keys, pts[rows])


class _EdgeEncoder:
    """Encodes edges so that they can stand among the packets of `chunk`."""

    def __init__(self, chunk: VideoChunk) -> None:
        index = chunk.index
        if index.codec != "h264":
            raise _CannotCut(f"edges can be encoded in H.264 only, and this is {index.codec}")
        profiles, numbers = h264.parameter_sets(index.extradata)
        if len(profiles) != 1 or not profiles <= set(_PROFILES):
            raise _CannotCut(f"edges cannot be encoded in its H.264 profile ({sorted(profiles)})")
        self._index = index
        self._profile = _PROFILES[profiles.pop()]
        self._number = max(set(range(1, 32)) - numbers, default=0)
        self._sets = b""
        if not self._number:
            raise _CannotCut("it uses all numbers there are for parameter sets")

    @property
    def extradata(self) -> bytes:
        """The source's parameter sets and the edges'."""
        return annexb.with_parameter_sets(self._index.extradata, self._sets)

    def run(self, parts: Sequence[FrameRange], pts: remux.Ints) -> PacketRun:
        """Encode the frames of `parts`."""
        context: VideoCodecContext | None = None
        made = list[bytes]()
        keys = list[bool]()
        for number, (frame, aspect) in enumerate(_decoded_frames(parts)):
            if context is None:
                context = self._open(frame, aspect)
            frame.pts, frame.time_base, frame.pict_type = number, 1 / context.framerate, 0
            self._take(context, frame, made, keys)
        if context is not None:
            self._take(context, None, made, keys)
        if len(made) != len(pts):
            raise _CannotCut(f"x264 made {len(made)} packets of {len(pts)} frames")
        return PacketRun(made, np.array(keys, np.bool_), pts)

    def _open(self, frame: VideoFrame, aspect: Fraction | None) -> VideoCodecContext:
        if frame.interlaced_frame:
            raise _CannotCut("it is interlaced")
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
        context.framerate = self._index.average_rate
        context.time_base = 1 / self._index.average_rate
        context.colorspace, context.color_range = frame.colorspace, frame.color_range
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
        if aspect:
            context.sample_aspect_ratio = aspect
        context.flags |= Flags.global_header
        context.options = {
            "preset": "veryfast",
            "profile": self._profile,
            "crf": str(EDGE_QUALITY),
            "x264-params": f"sps-id={self._number}:bframes=0:mbtree=0",
        }
        try:
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise _CannotCut(f"x264 cannot encode {frame.format.name} as {self._profile} ({error})") from error
        sets = context.extradata or b""
        if self._sets and sets != self._sets:
            raise _CannotCut("its edges need different parameter sets")
        self._sets = sets
        return context

    def _take(self, context: VideoCodecContext, frame: VideoFrame | None, made: list[bytes], keys: list[bool]) -> None:
        width = annexb.length_width("h264", self._index.extradata)
        for packet in context.encode(frame):
            made.append(annexb.length_prefixed(bytes(packet), width))
            keys.append(packet.is_keyframe)


def _decoded_frames(parts: Sequence[FrameRange]) -> Iterator[tuple[VideoFrame, Fraction | None]]:
    """Every frame as the codec made it, with its pixels' aspect ratio."""
    for part in parts:
        decoder = Decoder(part.chunk.index, part.chunk.read_packets)
        try:
            for _, frame in decoder.pictures(range(part.start, part.end)):
                yield frame, decoder.sample_aspect_ratio
        except VideoError as error:
            raise VideoError(f"{part.chunk.name}: {error}") from error


def _check_joins(plan: Sequence[_Copied | _Edge], timeline: Timeline, file: Path) -> None:
    """Play what was written around each join. Raises _CannotCut where it is not what is stored."""
    shown = joins.Expected(timeline)
    for each in plan:
        if isinstance(each, _Copied):
            shown.copied(each.chunk, each.block)
        else:
            for part in each.parts:
                shown.encoded(part.chunk, part.start, part.end)
    if why := shown.difference(file):
        raise _CannotCut(why)
