"""The reference: a sequential decode, which defines which frames a video has, and in which order.

Used by the scan where packets leave a doubt. Packets get their number as their time before they are decoded, so each
frame that comes out says which packet it belongs to.

Decoders that do not mark the damage they meet leave parts of a picture unwritten: what is seen there is what lay in
memory, an older picture in the same buffer. Two passes that use their buffers differently then see two things, which is
how such damage is found here: the second holds on to the last frames, so that the decoder has to take other buffers.

For a codec of which nothing is known, a second pass proves by experiment which keyframes can be started from: it
opens a fresh decoder at each and compares what comes out with what the first pass saw.
"""

from __future__ import annotations

import itertools
import os
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av.error
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from scannerpy._video.demux import open_decoder, opened, set_threads
from scannerpy._video.pixels import Converter
from scannerpy._words.heartbeat import beat
from scannerpy._words.video import KEY, VideoIndex
from scannerpy.errors import IngestError

_ROUNDS = 4
_MOST_REORDERED = 16
_HELD, _HELD_BYTES = 32, 128 << 20


@dataclass(slots=True)
class Presented:
    """`packets`: the packet of each frame, in the order they came out. `damaged`: packets that did not decode cleanly.

    `digests` maps each packet to a checksum of its frame's pixels, where they were asked for.
    """

    packets: list[int] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)
    digests: dict[int, int] = field(default_factory=dict)


def presented(file: Path, packets: int, *, digest: bool = False) -> Presented:
    """Decode the first `packets` packets of the video of `file` from beginning to end.

    Damage is decoded with one thread only: what FFmpeg puts in place of lost pictures depends on their number.
    With `digest`, damage that the decoder does not mark is looked for, too. Raises IngestError where frames cannot be
    told apart.
    """
    threads = min(os.cpu_count() or 1, 8)
    found = _decode_all(file, packets, threads, digest=digest)
    if found.damaged and threads > 1:
        found = _decode_all(file, packets, 1, digest=digest)
    if digest:
        found.damaged |= _seen_otherwise(found, _decode_all(file, packets, 1, digest=True, hold=True))
    if len(set(found.packets)) < len(found.packets):
        raise IngestError(f"{file}: several frames come out of one packet and cannot be told apart")
    return found


def _seen_otherwise(found: Presented, again: Presented) -> set[int]:
    """The packets whose frames are not the same twice."""
    return {packet for packet, seen in found.digests.items() if again.digests.get(packet) != seen}


def proven_starts(file: Path, index: VideoIndex, found: Presented) -> list[int]:
    """Return keyframes from which a fresh decoder shows, up to the next of them, exactly what `found` holds.

    When one fails, those before it have to be tried again, up to the next that is left; after some rounds we give up.
    """
    candidates = [packet for packet in np.flatnonzero(index.flags & KEY).tolist() if packet in found.digests]
    for _ in range(_ROUNDS):
        passed = _try(file, index, found, candidates)
        if passed == candidates:
            return passed
        candidates = passed
    return []


@dataclass(slots=True)
class _Trial:
    """A decoder opened at packet `start`, to be fed up to packet `end`, and what is to come out of it."""

    start: int
    end: int
    expected: dict[int, int]  # packet → digest
    context: VideoCodecContext
    seen: dict[int, int] = field(default_factory=dict)

    def feed(self, packet: Packet[Any] | None, converter: Converter) -> None:
        for frame in _decode(self.context, packet, set()):
            if frame.pts is not None:
                self.seen[frame.pts] = _digest(converter, frame)

    def passed(self) -> bool:
        return self.start in self.expected and self.expected.items() <= self.seen.items()


def _try(file: Path, index: VideoIndex, found: Presented, candidates: list[int]) -> list[int]:
    """Open a fresh decoder at each candidate; return those from which all is as it should be up to the next one.

    "Up to" is meant as shown: pictures stored behind the next one, but shown before it, belong to the trial.
    """
    converter, passed, running = Converter(), list[int](), list[_Trial]()
    row = {packet: row for row, packet in enumerate(found.packets)}
    borders = [row[packet] for packet in candidates] + [len(found.packets)]
    groups = {found.packets[a]: found.packets[a:b] for a, b in itertools.pairwise(borders)}
    for number, packet in enumerate(_numbered(file, index.packets)):
        for trial in [trial for trial in running if trial.end == number or packet is None]:
            running.remove(trial)
            trial.feed(None, converter)
            passed += [trial.start] if trial.passed() else []
        if number in groups:
            expected = {packet: found.digests[packet] for packet in groups[number]}
            context = open_decoder(index, 1, _MOST_REORDERED)
            running.append(_Trial(number, max(expected, default=number) + 1, expected, context))
        for trial in running if packet is not None else ():
            trial.feed(packet, converter)
    return sorted(passed)


def _decode_all(file: Path, packets: int, threads: int, *, digest: bool, hold: bool = False) -> Presented:
    found, converter = Presented(), Converter()
    held: deque[VideoFrame] = deque(maxlen=0)
    with opened(file) as (container, stream):
        context = stream.codec_context
        set_threads(context, threads)
        for packet in _number(container.demux(stream), packets):
            for frame in _decode(context, packet, found.damaged):
                _take(file, frame, found)
                if digest and frame.pts is not None:
                    found.digests[frame.pts] = _digest(converter, frame)
                if hold and not held.maxlen:
                    size = 3 * frame.width * frame.height
                    held = deque(maxlen=max(4, min(_HELD, _HELD_BYTES // max(1, size))))
                held.append(frame)
    return found


def _numbered(file: Path, packets: int) -> Iterator[Packet[Any] | None]:
    with opened(file) as (container, stream):
        yield from _number(container.demux(stream), packets)


def _number(demuxed: Iterator[Packet[Any]], packets: int) -> Iterator[Packet[Any] | None]:
    number = 0
    try:
        for packet in demuxed:
            beat()
            if packet.size and number < packets:
                packet.pts = packet.dts = number
                number += 1
                yield packet
    except (av.error.FFmpegError, OSError):
        pass  # the scan has met the same end and reported it
    yield None


def _decode(context: VideoCodecContext, packet: Packet[Any] | None, damaged: set[int]) -> list[VideoFrame]:
    try:
        return context.decode(packet)
    except av.error.FFmpegError:
        if packet is not None and packet.pts is not None:
            damaged.add(packet.pts)
        return []


def _take(file: Path, frame: VideoFrame, found: Presented) -> None:
    if frame.pts is None:
        raise IngestError(f"{file}: frame {len(found.packets)} belongs to no packet and cannot be found again")
    if frame.is_corrupt:
        found.damaged.add(frame.pts)
    found.packets.append(frame.pts)


def _digest(converter: Converter, frame: VideoFrame) -> int:
    return zlib.crc32(converter.convert(frame).data)
