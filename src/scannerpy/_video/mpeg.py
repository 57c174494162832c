"""MPEG-1, MPEG-2 and MPEG-4 part 2 packets.

START is an I picture that comes with its sequence header (or whose header stands in the extradata); pictures stored
after it but shown before it are recognised by their place in the order. NONREF is a B picture without headers: these
codecs never refer to one. The order follows from the types alone: a B picture is shown at once, any other is shown
when the next other one arrives.
"""

from __future__ import annotations

from collections.abc import Iterator

from scannerpy._video.headers import Doubt, Header
from scannerpy._video.nal import Bits
from scannerpy._words.video import NONREF, START

_I, _B = 1, 3
_MATRICES, _CODING = 3, 8  # kinds of MPEG-2 extension


class _TypeOrder:
    """Numbers pictures as they are shown, from their types as they are stored."""

    def __init__(self) -> None:
        self._anchor = -1

    def place(self, *, both_ways: bool, number: int) -> tuple[int, int]:
        """Give the order of the picture stored as `number`: a B picture stands right before the anchor it follows."""
        if both_ways:
            return self._anchor, number - (1 << 62)
        self._anchor = number
        return number, 0


class Mpeg12:
    """Reads the packets of one MPEG-1 or MPEG-2 stream in decode order."""

    _PICTURE, _SEQUENCE, _EXTENSION, _END, _GROUP = 0x00, 0xB3, 0xB5, 0xB7, 0xB8

    def __init__(self, extradata: bytes) -> None:
        self._sequence = _headers(extradata, self._SEQUENCE)
        self._fixed = True
        self._order = _TypeOrder()
        self._count = 0

    def look(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet. Raises Doubt when it is not exactly one frame picture."""
        kind = 0
        headed = field = False
        for begin, code in _start_codes(packet):
            if code == self._PICTURE:
                if kind:
                    raise Doubt("several pictures in one packet")
                kind = (packet[begin + 1] >> 3) & 7 if begin + 1 < len(packet) else 0
            elif code == self._EXTENSION and kind and packet[begin] >> 4 == _CODING:
                field = field or (packet[begin + 2] & 3) != 3
            elif code == self._EXTENSION and packet[begin] >> 4 == _MATRICES:
                self._fixed = False  # in force until the next sequence header
            elif code in {self._SEQUENCE, self._GROUP}:
                headed = True
            elif code == self._END:
                raise Doubt("an end-of-sequence mark")
        if kind not in {1, 2, 3}:
            raise Doubt("a packet without a picture")
        return self._header(packet, kind, headed=headed, field=field)

    def _header(self, packet: bytes, kind: int, *, headed: bool, field: bool) -> Header:
        here = _headers(packet, self._SEQUENCE) if headed else b""
        self._fixed = self._fixed and here in {b"", self._sequence}
        flags = START if kind == _I and (here or (self._fixed and self._sequence)) else 0
        if kind == _B and not headed:
            flags |= NONREF
        order = self._order.place(both_ways=kind == _B, number=self._count)
        self._count += 1
        return Header(flags & START, order, "pictures stored as separate fields") if field else Header(flags, order)

    def settle(self, flags: list[int]) -> None:
        """Nothing is left to the end."""


class Mpeg4:
    """Reads the packets of one MPEG-4 part 2 stream in decode order."""

    _VOP, _OBJECT_LAYER = 0xB6, range(0x20, 0x30)

    def __init__(self, extradata: bytes) -> None:
        self._layer = _layer_header(extradata)
        self._time_bits = _time_bits(self._layer) if self._layer else 0
        self._fixed = True
        self._order = _TypeOrder()
        self._count = 0

    def look(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet. Raises Doubt when it is not exactly one coded picture."""
        kind = -1
        headed = False
        for begin, code in _start_codes(packet):
            if code == self._VOP:
                if kind >= 0:
                    raise Doubt("several pictures in one packet (packed B-frames)")
                kind = self._picture(packet[begin : begin + 16])
            elif code in self._OBJECT_LAYER:
                headed = True
                self._new_layer(_layer_header(packet))
        if kind < 0:
            raise Doubt("a packet without a picture")
        flags = START if kind == 0 and (headed or self._fixed) else 0
        if kind == 2 and not headed:
            flags |= NONREF
        order = self._order.place(both_ways=kind == 2, number=self._count)
        self._count += 1
        return Header(flags, order)

    def settle(self, flags: list[int]) -> None:
        """Nothing is left to the end."""

    def _new_layer(self, layer: bytes) -> None:
        self._fixed = self._fixed and layer == self._layer
        self._time_bits = _time_bits(layer)

    def _picture(self, data: bytes) -> int:
        """Return the coding type. Raises Doubt for a picture that says "the same again" (an N-VOP)."""
        if not self._time_bits:
            raise Doubt("a picture without its header")
        bits = Bits(data)
        kind = bits.u(2)
        while bits.u(1):
            pass
        bits.u(1 + self._time_bits + 1)
        if not bits.u(1):
            raise Doubt("pictures that are not coded (N-VOP)")
        return kind


def _start_codes(packet: bytes) -> Iterator[tuple[int, int]]:
    """Yield (position behind it, code) of each start code."""
    position = packet.find(b"\0\0\1")
    while 0 <= position < len(packet) - 3:
        yield position + 4, packet[position + 3]
        position = packet.find(b"\0\0\1", position + 4)


def _headers(data: bytes, code: int) -> bytes:
    """Return everything from the sequence header up to the first group or picture."""
    begin = data.find(bytes((0, 0, 1, code)))
    if begin < 0:
        return b""
    ends = [position for mark in (0x00, 0xB8) if (position := data.find(bytes((0, 0, 1, mark)), begin)) >= 0]
    return data[begin : min(ends, default=len(data))].rstrip(b"\0")


def _layer_header(data: bytes) -> bytes:
    """Return the video object layer header with what follows it, up to the first group or picture."""
    for begin, code in _start_codes(data):
        if code in Mpeg4._OBJECT_LAYER:
            ends = [p for mark in (0xB3, 0xB6, 0xB2) if (p := data.find(bytes((0, 0, 1, mark)), begin)) >= 0]
            return data[begin : min(ends, default=len(data))].rstrip(b"\0")
    return b""


def _time_bits(layer: bytes) -> int:
    """Return how many bits the time of a picture takes (vop_time_increment)."""
    bits = Bits(layer[:64])
    bits.u(9)
    if bits.u(1):
        bits.u(7)
    if bits.u(4) == 15:
        bits.u(16)
    if bits.u(1):
        bits.u(3)
        if bits.u(1):
            bits.u(79)
    if bits.u(2):
        raise Doubt("a video object with a shape")
    bits.u(1)
    return max(1, (bits.u(16) - 1).bit_length())
