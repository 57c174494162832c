"""One pass over a video file: its packets are noted (and copied, where asked), its frames are counted and ordered.

Nothing is decoded but the first frame, as long as the packets themselves prove how many frames there are and in which
order they are shown: see `headers` for what counts as proof. At the first doubt the file is decoded once, and what a
sequential decode presents is the truth by definition.

Surprising: the container's times are never used to *identify* a frame, only to order frames, and only where the
codec's own order says the same. The decoder later names frames by packet number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

from scannerpy._plan.decode import damaged_rows
from scannerpy._video.demux import REPAIR, codec_name, opened
from scannerpy._video.losses import DamageDetector, frames_beyond, missing_bytes
from scannerpy._video.packets import FirstFrame, PacketLocator, Packets
from scannerpy._video.refusals import NoVideo
from scannerpy._video.truth import presented, proven_starts
from scannerpy._words.video import DAMAGED, DISCARD, KEY, NO_TIME, START, VideoIndex
from scannerpy.errors import IngestError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found. `problems` are sentences for the user: what of the file is lost, and why.

    Offsets of the index count from the first byte given to the sink; without a sink they are positions in the file,
    and mean something only where `inplace_possible`. `decoded` says that it took a decode to be certain, and why.
    """

    index: VideoIndex
    inplace_possible: bool
    problems: list[str]
    decoded: str = ""


def scan(file: Path, sink: Callable[[bytes], None] | None, *, fits_inplace: bool) -> Scan:
    """Read the video stream of `file` once.

    Every packet's bytes go to `sink`, in decode order. `fits_inplace` asks to find out whether each packet stands in
    one piece in the file, so that it need not be copied; it is not looked at when there is a sink.
    Raises IngestError when not a single frame can be read.
    """
    look_inside = fits_inplace and sink is None
    with opened(file) as (container, stream), PacketLocator(file if look_inside else None) as locator:
        packets = Packets(file, stream, DamageDetector(file, container, stream), locator, sink)
        packets.read(container.demux(stream))
        index = _index(stream, packets, _first(packets))
        beyond = frames_beyond(file, container, stream)
    order = _proven_order(packets, index)
    index = _decoded_index(packets, index) if order is None else _with(index, index.flags, order)
    return _checked(file, index, packets, beyond, locator)


def _first(packets: Packets) -> FirstFrame:
    if packets.first is None and not len(packets):
        raise NoVideo(
            f"{packets.file} has a video track without a single frame: the recording was stopped at once, or cut off; "
            "copy it again, or leave it out"
        )
    if packets.first is None:
        codec = codec_name(packets.stream.codec_context)
        raise IngestError(
            f"{packets.file}: not a single frame of its {codec} video can be decoded: its headers are missing, or it "
            "is damaged"
        )
    return packets.first


def _index(stream: VideoStream, packets: Packets, first: FirstFrame) -> VideoIndex:
    """Return the index but for its rows."""
    context = stream.codec_context
    return VideoIndex(
        codec=codec_name(context),
        codec_tag=context.codec_tag,
        extradata=context.extradata or b"",
        pix_fmt=first.pix_fmt,
        coded_width=first.width,
        coded_height=first.height,
        rotation=first.rotation,
        mirrored=first.mirrored,
        color_space=int(context.colorspace),
        color_range=int(context.color_range),
        bits_per_coded_sample=context.bits_per_coded_sample,
        time_base=stream.time_base or Fraction(1, 1000),
        average_rate=stream.average_rate or stream.base_rate or Fraction(25),
        offset=np.array(packets.offset, np.int64),
        size=np.array(packets.size, np.int64),
        pts=np.array(packets.pts, np.int64),
        dts=np.array(packets.dts, np.int64),
        flags=np.array(packets.flags, np.uint8),
        frame_packet=np.zeros(0, np.int64),
        color_primaries=int(context.color_primaries),
        color_trc=int(context.color_trc),
        sample_aspect_ratio=stream.sample_aspect_ratio or Fraction(0),
    )


def _with(index: VideoIndex, flags: npt.NDArray[np.uint8], frame_packet: Ints) -> VideoIndex:
    return replace(index, flags=flags, frame_packet=frame_packet)


def _proven_order(packets: Packets, index: VideoIndex) -> Ints | None:
    """Return the packet of each row where nothing speaks against sorting by time; else None, with the doubt noted."""
    pts = index.pts
    if packets.doubts:
        return None
    if (pts == NO_TIME).any():
        packets.doubt("packets without a time")
    elif len(np.unique(pts)) < len(pts):
        packets.doubt("packets of the same time")
    elif not index.flags[0] & START:
        packets.doubt("the video does not begin with a keyframe")
    elif pts[0] != pts.min():
        packets.doubt("frames before the first keyframe")
    if not packets.doubts and not _codec_agrees(packets, pts):
        packets.doubt("the container's times contradict the codec's order")
    if packets.doubts:
        return None
    shown = np.flatnonzero((index.flags & DISCARD) == 0)
    return shown[np.argsort(pts[shown], kind="stable")].astype(np.int64)


def _codec_agrees(packets: Packets, pts: Ints) -> bool:
    """Whether the order the codec itself tells is that of the container's times."""
    told = [order for order in packets.order if order is not None]
    sequence, place = np.array(told, np.int64).reshape(-1, 2).T
    return len(told) == len(pts) and bool((np.diff(pts[np.lexsort((place, sequence))]) > 0).all())


def _decoded_index(packets: Packets, index: VideoIndex) -> VideoIndex:
    """Decode everything and take down what comes out. Flags are kept only where they stay proven."""
    try_starts = _has_unproven_keyframes(index)
    found = presented(packets.file, len(packets), digest=try_starts)
    damaged = found.damaged | packets.damaged
    rows = _without_damaged_end(packets, found.packets, damaged)
    flags = index.flags & np.uint8(KEY | START | DISCARD)
    flags[list(damaged)] |= np.uint8(DAMAGED)
    if try_starts:
        flags[proven_starts(packets.file, index, found)] |= np.uint8(START)
    own_frame = np.zeros(index.packets, bool)
    own_frame[rows] = True
    flags[~own_frame] &= np.uint8(~START & 0xFF)
    return _with(index, flags, np.array(rows, np.int64))


def _has_unproven_keyframes(index: VideoIndex) -> bool:
    """Whether nothing but the container's word says where decoding may start."""
    later = index.flags[1:]
    return bool((later & KEY).any()) and not (later & START).any()


def _without_damaged_end(packets: Packets, rows: list[int], damaged: set[int]) -> list[int]:
    """Leave out frames of the last packets as long as they did not decode cleanly."""
    end = len(packets)
    while end - 1 in damaged:
        end -= 1
    if end == len(packets):
        return rows
    packets.problems.append(f"the last {len(packets) - end} packets are damaged, and their frames left out")
    return [packet for packet in rows if packet < end]


def _checked(file: Path, index: VideoIndex, packets: Packets, beyond: int, locator: PacketLocator) -> Scan:
    if not index.rows:
        raise IngestError(f"{file}: none of its {index.packets} packets yields a frame that is shown")
    problems = packets.problems
    if beyond:
        problems.append(f"{beyond} of {beyond + len(packets)} frames are missing: the file is cut off")
    elif missing := missing_bytes(file):
        problems.append(f"the last {missing:,} bytes of the file are missing: it is cut off")
    if damaged := int(damaged_rows(index).sum()):
        problems.append(f"{damaged} of {index.rows} rows are damaged and cannot be read; {REPAIR}")
    return Scan(index, locator.possible, problems, "; ".join(packets.doubts))
