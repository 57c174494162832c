"""The header parsers of VP8, VP9, AV1 and FFV1, and of intra-only codecs.

These are shown in the order they are stored. A key frame that is shown renews everything a decoder remembers, so it
is a START; a packet must show exactly one frame (further hidden ones may travel in it). Nothing is dropped: even a
frame no other refers to may leave its probabilities behind.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from scannerpy._video.headers import Doubt, Header
from scannerpy._video.nal import Bits, Malformed
from scannerpy._words.video import NONREF, START

INTRA_ONLY = frozenset({"asv1", "asv2", "cfhd", "dnxhd", "dvvideo", "ffvhuff", "hap", "huffyuv", "jpeg2000", "jpegls"})
INTRA_ONLY |= {"ljpeg", "magicyuv", "mjpeg", "prores", "r210", "rawvideo", "utvideo", "v210", "v410"}
"""Codecs (FFmpeg's names) whose every packet is one whole picture that refers to no other."""


class _InOrder:
    """Numbers packets as they come."""

    def __init__(self) -> None:
        self._count = 0

    def finish(self, flags: list[int]) -> None:
        """Nothing is left to the end."""

    def _header(self, flags: int) -> Header:
        self._count += 1
        return Header(flags, (0, self._count))


class IntraOnly(_InOrder):
    """Reads a stream of independent pictures: any may be started from, any left out."""

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (all are keyframes, whatever is said)
        """Read one packet."""
        if not packet:
            raise Doubt("an empty packet")
        return self._header(START | NONREF)


class Ffv1(_InOrder):
    """Reads FFV1. A frame begins with its keyframe mark, arithmetic-coded: the upper half of the range is "yes".

    FFmpeg patches damaged slices silently with pieces of the frame before, so their checksums are looked at here.
    """

    _TRAILER = 8  # size (3 bytes), status (1), checksum (4)

    def __init__(self) -> None:
        super().__init__()
        self._checked = False

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet."""
        sound = self._is_sound(packet)
        self._checked = self._checked or bool(sound)
        if sound is False or (sound is None and self._checked):
            self._header(0)
            return Header(0, doubt="damaged slices", missing_reference=True)
        return self._header(START if int.from_bytes(packet[:2], "big") >= 0xFF00 // 2 else 0)

    def _is_sound(self, packet: bytes) -> bool | None:
        """Whether all slices fit their checksums; None where they seem to have none."""
        end, sound = len(packet), True
        while end:
            begin = end - self._TRAILER - int.from_bytes(packet[end - self._TRAILER : end - 5], "big")
            if not 0 <= begin <= end - self._TRAILER:
                return None
            sound = sound and _crc_of_ffv1(packet[begin:end]) == 0
            end = begin
        return sound


class Vp8(_InOrder):
    """Reads VP8."""

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet."""
        if not packet or not packet[0] & 0x10:
            raise Doubt("a packet that shows no frame")
        if packet[0] & 1:
            return self._header(0)
        if packet[3:6] != b"\x9d\x01\x2a":
            raise Doubt("a keyframe without its mark")
        return self._header(START)


class Vp9(_InOrder):
    """Reads VP9, where hidden frames travel in the packet of a shown one (a superframe)."""

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet."""
        frames = [_vp9_frame(frame) for frame in _superframe(packet)]
        if sum(shown for shown, _ in frames) != 1:
            raise Doubt("a packet that does not show exactly one frame")
        shown, key_frame = frames[0]
        return self._header(START if shown and key_frame else 0)


class Av1(_InOrder):
    """Reads AV1 temporal units."""

    _SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6

    def __init__(self, extradata: bytes) -> None:
        super().__init__()
        self._still = False
        self._sequence = b""
        if extradata[:1] == b"\x81":
            for kind, data in _obus(extradata[4:]):
                if kind == self._SEQUENCE:
                    self._sequence = data
        self._fixed = bool(self._sequence)

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet."""
        shown = 0
        headed = start = False
        for kind, data in _obus(packet):
            if kind == self._SEQUENCE:
                headed = True
                self._new_sequence(data)
            elif kind in {self._FRAME_HEADER, self._FRAME}:
                visible, key_frame = self._frame(data)
                start = start or (visible and key_frame and not shown)
                shown += visible
        if shown != 1:
            raise Doubt("a packet that does not show exactly one frame")
        return self._header(START if start and (headed or self._fixed) else 0)

    def _new_sequence(self, data: bytes) -> None:
        self._fixed = self._fixed and data == self._sequence
        bits = Bits(data[:1])
        bits.u(4)
        self._still = bool(bits.u(1))

    def _frame(self, data: bytes) -> tuple[bool, bool]:
        """Return (is shown, is a key frame); a frame shown again is no key frame to start from."""
        if self._still:
            return True, True
        bits = Bits(data[:1])
        if bits.u(1):
            return True, False
        kind = bits.u(2)
        return bool(bits.u(1)), kind == 0


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _crc_of_ffv1(data: bytes) -> int:
    """Return the CRC-32 that takes bits from the high end and begins with 0; zlib's takes them from the low end."""
    return zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF


def _superframe(packet: bytes) -> Iterator[bytes]:
    """Yield the frames of a VP9 packet."""
    mark = packet[-1] if packet else 0
    width, count = ((mark >> 3) & 3) + 1, (mark & 7) + 1
    index = len(packet) - 2 - width * count
    if mark & 0xE0 != 0xC0 or index < 0 or packet[index] != mark:
        yield packet
        return
    position = 0
    for n in range(count):
        at = index + 1 + n * width
        size = int.from_bytes(packet[at : at + width], "little")
        if size:
            yield packet[position : position + size]
        position += size


def _vp9_frame(frame: bytes) -> tuple[bool, bool]:
    """Return (is shown, is a key frame)."""
    bits = Bits(frame[:2])
    if bits.u(2) != 2:
        raise Malformed("not a VP9 frame")
    profile = bits.u(1) | bits.u(1) << 1
    if profile == 3:
        bits.u(1)
    if bits.u(1):
        return True, False
    inter = bits.u(1)
    return bool(bits.u(1)), not inter


def _obus(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (type, first bytes) of the units of an AV1 packet; whole for a sequence header."""
    position = 0
    while position < len(data):
        head = data[position]
        position += 2 if head & 4 else 1
        size = len(data) - position
        if head & 2:
            size, position = _leb128(data, position)
        if position + size > len(data):
            raise Malformed("a unit is longer than its packet")
        kind = (head >> 3) & 15
        yield kind, data[position : position + (size if kind == 1 else min(size, 8))]
        position += size


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if not byte & 128:
            break
    return value, position
