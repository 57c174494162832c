"""What a sequential decode presents: the last word on which frames a video has, and in which order.

Used by the scan where packets leave a doubt, and by tests as the reference. Packets get their number as their time
before they are decoded, so each frame that comes out says which packet it belongs to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av.error
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from scannerpy._video.demux import opened
from scannerpy.errors import IngestError


@dataclass(slots=True)
class Presented:
    """`packets`: the packet of each frame, in the order they came out. `damaged`: packets that did not decode cleanly.

    `sizes` maps (width, height) to the first row of that size.
    """

    packets: list[int] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)


def presented(file: Path, packets: int) -> Presented:
    """Decode the first `packets` packets of the video of `file` from beginning to end.

    Damage is decoded with one thread only: what FFmpeg puts in place of lost pictures depends on their number.
    Raises IngestError where frames cannot be told apart.
    """
    threads = min(os.cpu_count() or 1, 8)
    found = _decode(file, packets, threads)
    if found.damaged and threads > 1:
        found = _decode(file, packets, 1)
    if len(set(found.packets)) < len(found.packets):
        raise IngestError(f"{file}: several frames come out of one packet and cannot be told apart")
    return found


def _decode(file: Path, packets: int, threads: int) -> Presented:
    found = Presented()
    with opened(file) as (container, stream):
        stream.codec_context.thread_count = threads
        stream.codec_context.thread_type = "AUTO" if threads > 1 else "NONE"
        for packet in _numbered(container.demux(stream), packets):
            for frame in _decoded(stream, packet, found):
                _take(file, frame, found)
    return found


def _numbered(demuxed: Iterator[Packet[VideoStream]], packets: int) -> Iterator[Packet[VideoStream] | None]:
    number = 0
    try:
        for packet in demuxed:
            if packet.size and number < packets:
                packet.pts = packet.dts = number
                number += 1
                yield packet
    except (av.error.FFmpegError, OSError):
        pass  # the scan has met the same end and reported it
    yield None


def _decoded(stream: VideoStream, packet: Packet[VideoStream] | None, found: Presented) -> list[VideoFrame]:
    try:
        return stream.codec_context.decode(packet)
    except av.error.FFmpegError:
        if packet is not None and packet.pts is not None:
            found.damaged.add(packet.pts)
        return []


def _take(file: Path, frame: VideoFrame, found: Presented) -> None:
    if frame.pts is None:
        raise IngestError(f"{file}: frame {len(found.packets)} belongs to no packet and cannot be found again")
    if frame.is_corrupt:
        found.damaged.add(frame.pts)
    found.sizes.setdefault((frame.width, frame.height), len(found.packets))
    found.packets.append(frame.pts)
