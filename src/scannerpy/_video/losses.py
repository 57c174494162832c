"""Which packets of a file are known to be incomplete, before anything is decoded.

Three sources: FFmpeg's mark of damage (a packet shorter than its container said), for transport streams their own
counters and padding (`transport`), and the sizes in the heads of Matroska and AVI files, which tell of a lost end.
"""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from scannerpy._video import transport


class Condition(Enum):
    """Whether a packet is complete; or bytes of it are missing, or packets before it."""

    INTACT = auto()
    DAMAGED = auto()
    AFTER_LOSS = auto()


class DamageDetector:
    """Tells the condition of each packet of one stream, in decode order."""

    def __init__(self, file: Path, container: InputContainer, stream: VideoStream) -> None:
        is_transport = container.format.name == "mpegts"
        self._losses = transport.losses(file, stream.id) if is_transport else None
        self._unit = -1

    def check(self, packet: Packet[VideoStream]) -> Condition:
        """Return the condition of the next packet."""
        if self._losses is None:
            return Condition.DAMAGED if packet.is_corrupt else Condition.INTACT
        self._unit = self._unit if packet.pos is None else packet.pos  # several packets may share a unit
        if self._unit in self._losses.inside:
            return Condition.DAMAGED
        return Condition.AFTER_LOSS if self._unit in self._losses.before else Condition.INTACT

    def end_is_open(self, last: Condition) -> bool:
        """Whether the last packet may lack its end, given what happened to it."""
        return last is Condition.DAMAGED if self._losses is None else self._losses.open_end is not None

    def is_cut(self) -> bool:
        """Whether the file ends inside something."""
        return self._losses is not None and self._losses.is_cut


def frames_beyond(file: Path, container: InputContainer, stream: VideoStream) -> int:
    """How many frames the index of an MP4 or MOV file places beyond its end."""
    if "mp4" not in container.format.name:
        return 0
    size = file.stat().st_size
    return sum(entry.pos + entry.size > size for entry in stream.index_entries)


def missing_bytes(file: Path) -> int:
    """How many bytes the head of a Matroska or AVI file promises beyond the end of the file."""
    with file.open("rb") as data:
        head = data.read(4096)
    size = file.stat().st_size
    if head[:4] == b"RIFF":
        return max(0, 8 + int.from_bytes(head[4:8], "little") - size)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return max(0, _matroska_end(head) - size)
    return 0


def _matroska_end(head: bytes) -> int:
    """Return where the segment ends; 0 where that was left open, as live recordings do."""
    length, position = _matroska_number(head, 4)
    position += length
    if head[position : position + 4] != b"\x18\x53\x80\x67":
        return 0
    length, begin = _matroska_number(head, position + 4)
    unknown = length == (1 << 7 * (begin - position - 4)) - 1
    return 0 if unknown else begin + length


def _matroska_number(head: bytes, position: int) -> tuple[int, int]:
    """Return (value, position behind it) of a variable-length number."""
    width = 9 - head[position].bit_length() if position < len(head) and head[position] else 1
    value = int.from_bytes(head[position : position + width], "big") & ((1 << 7 * width) - 1)
    return value, position + width
