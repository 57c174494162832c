"""Remuxes stored packets into an mp4: nothing is decoded or encoded, so nothing is lost.

The file says of its packets what the index knows: codec and parameter sets, size, rotation, colours, and when each is
shown. Frames that must be decoded and are not shown (the file was cut inside a group of pictures) come before time 0,
where an edit list hides them. Decoding times (dts) are computed, so that packets of any origin can follow one another.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from scannerpy._plan.decode import damaged_rows, row_of_packet
from scannerpy._video.column import VideoChunk
from scannerpy._words.video import DISCARD, NO_TIME, START, VideoIndex

Ints = npt.NDArray[np.int64]

MP4_CODECS = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2video",
    "mpeg1video": "mpeg1video",
    "mjpeg": "mjpeg",
}
"""The codecs an mp4 can hold and players look for there, each with an encoder of it: PyAV describes a stream by one."""
NEEDS_EXTRADATA = {"h264", "hevc", "mpeg4"}
"""Codecs that cannot be decoded without the extradata."""
TAGS = {"hevc": "hvc1"}
"""What a codec is called in the file, where FFmpeg's first choice is one that Apple's players refuse."""
READ_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each frame of the file is shown, in units of `base`; `end` is when the last is over.

    `rate` is what the file declares.
    """

    pts: Ints
    end: int
    base: Fraction
    rate: Fraction

    @property
    def step(self) -> int:
        """How long a frame takes if nothing else is known."""
        return max(1, round(1 / (self.rate * self.base)))


@dataclass(frozen=True, slots=True, eq=False)
class PacketRun:
    """Packets in decode order; `keys` marks those that can be sought to, `pts` is when each one's frame is shown."""

    packets: Iterable[bytes]
    keys: npt.NDArray[np.bool_]
    pts: Ints


def obstacle(chunks: Sequence[VideoChunk]) -> str:
    """Why the packets of `chunks` cannot stand in one mp4, one after another, and be shown as they are; or nothing."""
    if why := header_obstacle([chunk.index for chunk in chunks]):
        return why
    return next((why for chunk in chunks if (why := _not_in_order(chunk.index, alone=len(chunks) == 1))), "")


def header_obstacle(indexes: Sequence[VideoIndex]) -> str:
    """Why one header of an mp4 cannot describe the packets of all `indexes`; or nothing."""
    first = indexes[0]
    if MP4_CODECS.get(first.codec) not in av.codecs_available:
        return f"an mp4 cannot hold {first.codec}"
    if first.codec in NEEDS_EXTRADATA and not first.extradata:
        return f"the {first.codec} parameter sets are not stored"
    if any(_header_of(index) != _header_of(first) for index in indexes[1:]):
        return "its parts were encoded with different settings, so their parameter sets differ"
    return ""


def _header_of(index: VideoIndex) -> tuple[object, ...]:
    """What two videos must have in common for their packets to stand in one stream."""
    return (
        index.codec, index.extradata, index.coded_width, index.coded_height, index.pix_fmt, index.rotation,
        index.mirrored, index.color_space, index.color_range, index.color_primaries, index.color_trc,
        index.sample_aspect_ratio,
    )  # fmt: skip


def _not_in_order(index: VideoIndex, *, alone: bool) -> str:
    rows = row_of_packet(index)
    hidden = (index.flags & DISCARD) != 0
    if ((rows < 0) & ~hidden).any():
        return "not every packet of it is one frame"
    if hidden.any() and not (alone and _hidden_before(index, hidden)):
        return "its edit list plays several pieces"
    if not index.flags[0] & START or not (hidden[0] or rows[0] == 0):
        return "it does not begin with a keyframe"
    if damaged_rows(index).any():
        return "some of its frames are damaged"
    return ""


def _hidden_before(index: VideoIndex, hidden: npt.NDArray[np.bool_]) -> bool:
    """Whether all hidden frames come before the first that is shown, beginning with packet 0."""
    if not ascending(index) or (index.pts[hidden] == NO_TIME).any():
        return False
    return bool(index.pts[hidden].max() < index.frame_pts[0] and index.pts[0] == index.pts.min())


def ascending(index: VideoIndex) -> bool:
    """Whether its own times say when each frame is to be shown."""
    pts = index.frame_pts
    return bool(len(pts) and pts[0] != NO_TIME and (np.diff(pts) > 0).all())


def all_packets(chunk: VideoChunk, timeline: Timeline, first: int) -> PacketRun:
    """All packets of a chunk, whose first row is frame `first` of the file."""
    index = chunk.index
    rows = row_of_packet(index)
    pts = np.where(rows >= 0, timeline.pts[np.maximum(rows, 0) + first], 0)
    hidden = rows < 0
    if hidden.any():  # then there is one chunk, and its timeline is its own, or a steady one
        before = index.pts[hidden] - index.frame_pts[0]
        pts[hidden] = before if timeline.base == index.time_base else _counted_back(before, timeline)
    return PacketRun(stored(chunk, 0, index.packets), (index.flags & START) != 0, pts)


def _counted_back(before: Ints, timeline: Timeline) -> Ints:
    return (np.argsort(np.argsort(before)) - len(before)).astype(np.int64) * timeline.step


def stored(chunk: VideoChunk, first: int, stop: int) -> Iterator[bytes]:
    """Packets [first, stop) of a chunk, read some at a time."""
    starts, sizes = chunk.index.offset[first:stop], chunk.index.size[first:stop]
    for begin in range(0, len(starts), READ_AHEAD):
        part = starts[begin : begin + READ_AHEAD]
        yield from chunk.read_packets(part.tolist(), (part + sizes[begin : begin + READ_AHEAD]).tolist())


def write(part: Path, index: VideoIndex, extradata: bytes, timeline: Timeline, runs: Sequence[PacketRun]) -> None:
    """Write `runs` one after another as a stream like `index` with that `extradata`."""
    with muxer(part) as container:
        stream = _output_stream(container, index, extradata, timeline)
        times = _timestamps(np.concatenate([run.pts for run in runs]), timeline)
        for run in runs:
            for key, data in zip(run.keys.tolist(), run.packets, strict=True):
                packet: Packet[Any] = Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, timeline.base, key
                packet.pts, packet.dts, packet.duration = next(times)
                container.mux(packet)


@contextmanager
def muxer(part: Path) -> Iterator[OutputContainer]:
    """An mp4 that plays before it is loaded to the end."""
    options = {"movflags": "+faststart", "avoid_negative_ts": "disabled"}
    with av.open(str(part), "w", format="mp4", options=options) as container:
        yield container


def _output_stream(container: OutputContainer, index: VideoIndex, extradata: bytes, timeline: Timeline) -> VideoStream:
    """A stream for packets made elsewhere.

    Made from a template, because such a stream's encoder is never opened: it only carries what the header shall say.
    """
    with av.open(io.BytesIO(), "w", format="mp4") as nowhere:
        template = nowhere.add_stream(MP4_CODECS[index.codec], rate=timeline.rate)
        stream = container.add_stream_from_template(template, opaque=True)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{index.codec} is no video codec")
    context = stream.codec_context
    context.extradata = extradata or None
    context.codec_tag = TAGS.get(index.codec, "\0\0\0\0")
    context.width, context.height = index.coded_width, index.coded_height
    context.pix_fmt, context.framerate = index.pix_fmt, timeline.rate
    context.colorspace, context.color_range = index.color_space, index.color_range
    context.color_primaries, context.color_trc = index.color_primaries, index.color_trc
    context.sample_aspect_ratio = index.sample_aspect_ratio
    stream.time_base = timeline.base
    if index.rotation or index.mirrored:
        stream.set_display_rotation(-index.rotation, hflip=index.mirrored)
    return stream


def _timestamps(pts: Ints, timeline: Timeline) -> Iterator[tuple[int, int, int]]:
    """(pts, dts, duration) of packets that are shown at `pts`.

    Packet n is decoded when the frame is shown that is `delay` places before the n-th shown, so decoding times ascend
    and no frame is shown before it is decoded.
    """
    shown = np.sort(pts)
    place = np.searchsorted(shown, pts)
    decoded = np.arange(len(pts)) - int((np.arange(len(pts)) - place).max())
    dts = shown[np.maximum(decoded, 0)] + np.minimum(decoded, 0) * timeline.step
    after = np.append(shown, timeline.end)[place + 1]
    yield from zip(pts.tolist(), dts.tolist(), (after - pts).tolist(), strict=True)
