"""Records every packet of a stream as it is demuxed: its position, size, times and flags, and doubts about it."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import av.error
import numpy as np
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from scannerpy._video.demux import REENCODE, codec_name
from scannerpy._video.headers import Doubt, Header, Parser
from scannerpy._video.losses import Condition, DamageDetector
from scannerpy._video.nal import Malformed
from scannerpy._video.parsers import parser_for
from scannerpy._video.refusals import NoVideo
from scannerpy._words.heartbeat import beat
from scannerpy._words.video import DISCARD, KEY, NO_TIME, START
from scannerpy.errors import IngestError

_NEEDS_MORE = {
    "palette": "a palette outside its bytes",
    "param_change": "a change of size outside its bytes",
    "encryption_info": "a decryption key",
}
_MOST_TIMES, _MOST_BEYOND = 64, 16 << 20
# Packets are pieces of the file, some of which an edit list may show several times. When they come to so many times its
# size, and so many bytes more, FFmpeg is going in circles.
_HEADER_OF_A_BLOCK = 128  # containers put a few bytes between a packet's position and its data


class PacketLocator:
    """Finds packets in the file itself; gives up at the first that does not stand there in one piece."""

    def __init__(self, file: Path | None) -> None:
        self.possible = file is not None
        self._file = file.open("rb") if file else None
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self._file else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._map is not None:
            self._map.close()
        if self._file is not None:
            self._file.close()

    def find(self, packet: Packet[VideoStream], data: bytes) -> int:
        """Return the position of `data` in the file, or −1."""
        at = self._search(packet.pos, data) if self.possible else -1
        self.possible = at >= 0
        return at

    def _search(self, position: int | None, data: bytes) -> int:
        if self._map is None or position is None:
            return -1
        at = self._map.find(data[:64], position, position + _HEADER_OF_A_BLOCK + 64)
        return at if at >= 0 and self._map[at : at + len(data)] == data else -1


@dataclass(slots=True)
class FirstFrame:
    """What the first frame says about all of them."""

    pix_fmt: str
    width: int
    height: int
    rotation: int
    mirrored: bool


@dataclass(slots=True)
class Packets:
    """The packets of `stream` so far, in decode order."""

    file: Path
    stream: VideoStream
    detector: DamageDetector
    locator: PacketLocator
    sink: Callable[[bytes], None] | None
    offset: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    order: list[tuple[int, int] | None] = field(default_factory=list)
    copied: int = 0
    first: FirstFrame | None = None
    damaged: set[int] = field(default_factory=set)
    doubts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.size)

    def read(self, demuxed: Iterator[Packet[VideoStream]]) -> None:
        """Note every packet; what cannot be read any more becomes a problem, what is not clear a doubt."""
        context = self.stream.codec_context
        parser = parser_for(codec_name(context), context.extradata or b"")
        context.thread_count = 1
        last: Packet[VideoStream] | None = None
        condition = Condition.INTACT
        for packet in self._until_unreadable(demuxed):
            if last is not None:
                self._note(last, parser, condition)
            last, condition = packet, self.detector.check(packet)
        if last is not None and self.detector.end_is_open(condition):
            cut = "the file ends inside its last packet, whose frame is left out"
            unsure = "nothing in the file tells whether its last frame is whole, so that is left out"
            self.problems.append(cut if condition is Condition.DAMAGED or self.detector.is_cut() else unsure)
        elif last is not None:
            self._note(last, parser, condition)
            if self.detector.is_cut():
                self.problems.append("the file is cut off; all its frames up to there are whole")
        self._first_frame(None)
        if not self.doubts:
            parser.finish(self.flags)

    def doubt(self, why: str) -> None:
        """Note a reason why order and number of the frames are not certain."""
        if why not in self.doubts:
            self.doubts.append(why)

    def _until_unreadable(self, demuxed: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        size, most = 0, _MOST_TIMES * self.file.stat().st_size + _MOST_BEYOND
        try:
            for packet in demuxed:
                beat()
                size += max(1, packet.size)
                if size > most:
                    raise NoVideo(f"{self.file} has no end: FFmpeg reads it round and round. {REENCODE}")
                if packet.size:
                    yield packet
        except IngestError:  # ours: which is an OSError too
            raise
        except (av.error.FFmpegError, OSError) as error:
            self.problems.append(f"reading stops after packet {len(self) - 1}: {error}")

    def _note(self, packet: Packet[VideoStream], parser: Parser, condition: Condition) -> None:
        data = bytes(packet)
        self._refuse_side_data(packet)
        header = self._look(parser, data, key=packet.is_keyframe)
        if condition is not Condition.INTACT:
            self.doubt("damaged or missing packets")
        if (
            condition is Condition.DAMAGED
            or header.missing_reference
            or (condition is Condition.AFTER_LOSS and not header.flags & START)
        ):
            self.damaged.add(len(self))
        self.offset.append(self.copied if self.sink else self.locator.find(packet, data))
        self.size.append(len(data))
        self.pts.append(NO_TIME if packet.pts is None else packet.pts)
        self.dts.append(NO_TIME if packet.dts is None else packet.dts)
        self.flags.append(header.flags | KEY * packet.is_keyframe | DISCARD * packet.is_discard)
        self.order.append(header.order)
        if self.sink:
            self.sink(data)
            self.copied += len(data)
        self._first_frame(packet)

    def _look(self, parser: Parser, data: bytes, *, key: bool) -> Header:
        try:
            header = parser.parse(data, key=key)
        except (Doubt, Malformed, IndexError) as doubt:
            self.doubt(str(doubt))
            return Header(0)
        if header.doubt:
            self.doubt(header.doubt)
        return header

    def _refuse_side_data(self, packet: Packet[VideoStream]) -> None:
        for kind in packet.iter_sidedata():
            if needs := _NEEDS_MORE.get(kind.data_type):
                raise IngestError(f"{self.file}: packet {len(self)} needs {needs}; {REENCODE}")
            if kind.data_type == "new_extradata" and bytes(kind) != (self.stream.codec_context.extradata or b""):
                raise IngestError(f"{self.file}: the codec's parameters change at packet {len(self)}; {REENCODE}")

    def _first_frame(self, packet: Packet[VideoStream] | None) -> None:
        if self.first is not None:
            return
        try:
            frames = self.stream.codec_context.decode(packet)
        except av.error.FFmpegError:
            return  # damaged, or nothing to decode it from: the next packet may be better
        if frames:
            frame = frames[0]
            self.first = FirstFrame(frame.format.name, frame.width, frame.height, *orientation(frame))


def orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Return (clockwise degrees, mirrored): how a decoded frame is to be turned, and then mirrored, to be shown.

    A matrix that does anything else, such as turning by 45 degrees, is left to the user.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData) or matrix.buffer_size != 36:
        return 0, False
    x_of_x, y_of_x, _, x_of_y, y_of_y = np.frombuffer(bytes(matrix), "<i4").astype(float)[:5]
    mirrored = x_of_x * y_of_y < x_of_y * y_of_x
    angle = np.degrees(np.arctan2(y_of_x, -x_of_x if mirrored else x_of_x))
    turns = round(angle / 90)
    return (turns % 4 * 90, bool(mirrored)) if abs(angle - turns * 90) < 1 else (0, False)
