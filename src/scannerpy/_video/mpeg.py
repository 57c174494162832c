"""The header parsers of MPEG-1, MPEG-2 and MPEG-4 part 2.

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
_I_VOP, _B_VOP = 0, 2
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

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
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

    def finish(self, flags: list[int]) -> None:
        """Nothing is left to the end."""


class Mpeg4:
    """Reads the packets of one MPEG-4 part 2 stream in decode order."""

    _VOP, _GROUP, _OBJECT_LAYER = 0xB6, 0xB3, range(0x20, 0x30)

    def __init__(self, extradata: bytes) -> None:
        self._layer = _layer_header(extradata)
        self._ticks, self._interlaced = _time_of_layer(self._layer) if self._layer else (0, False)
        self._fixed = True
        self._second = self._second_before = 0
        self._anchor = self._anchor_before = -1  # times of the last two pictures that are no B
        self._order = _TypeOrder()
        self._count = 0

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet. Raises Doubt when it is not exactly one coded picture."""
        kind = -1
        headed = False
        for begin, code in _start_codes(packet):
            if code == self._VOP:
                if kind >= 0:
                    raise Doubt("several pictures in one packet (packed B-frames)")
                kind = self._picture(packet[begin : begin + 16])
            elif code == self._GROUP:
                self._second = _seconds(packet[begin : begin + 4])
            elif code in self._OBJECT_LAYER:
                headed = True
                self._new_layer(_layer_header(packet))
        if kind < 0:
            raise Doubt("a packet without a picture")
        flags = START if kind == _I_VOP and (headed or self._fixed) else 0
        if kind == _B_VOP and not headed:
            flags |= NONREF
        order = self._order.place(both_ways=kind == _B_VOP, number=self._count)
        self._count += 1
        if self._interlaced:  # FFmpeg's idea of time in interlaced B pictures depends on the first one it ever met
            return Header(0, order, "interlaced MPEG-4")
        return Header(flags, order)

    def finish(self, flags: list[int]) -> None:
        """Nothing is left to the end."""

    def _new_layer(self, layer: bytes) -> None:
        self._fixed = self._fixed and layer == self._layer
        self._ticks, self._interlaced = _time_of_layer(layer)

    def _picture(self, data: bytes) -> int:
        """Return the coding type. Raises Doubt for a picture that says "the same again" (an N-VOP)."""
        if not self._ticks:
            raise Doubt("a picture without its header")
        bits = Bits(data)
        kind = bits.u(2)
        seconds = 0
        while bits.u(1):
            seconds += 1
        bits.u(1)
        ticks = bits.u(max(1, (self._ticks - 1).bit_length()))
        bits.u(1)
        if not bits.u(1):
            raise Doubt("pictures that are not coded (N-VOP)")
        self._tell_time(kind, seconds, ticks)
        return kind

    def _tell_time(self, kind: int, seconds: int, ticks: int) -> None:
        """Follow the clock of the pictures. Raises Doubt for a B picture FFmpeg would leave out as impossible."""
        if kind == _B_VOP:
            time = (self._second_before + seconds) * self._ticks + ticks
            if not self._anchor_before < time < self._anchor:
                raise Doubt("a B-frame outside the time of its neighbours")
            return
        self._second_before, self._second = self._second, self._second + seconds
        self._anchor_before, self._anchor = self._anchor, self._second * self._ticks + ticks


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


def _seconds(group: bytes) -> int:
    """Return the time code of a group of pictures."""
    bits = Bits(group)
    hours, minutes, _, seconds = bits.u(5), bits.u(6), bits.u(1), bits.u(6)
    return hours * 3600 + minutes * 60 + seconds


def _time_of_layer(layer: bytes) -> tuple[int, bool]:
    """Return how many ticks a second has (vop_time_increment_resolution), and whether pictures are interlaced."""
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
    ticks = bits.u(16)
    bits.u(1)
    if bits.u(1):
        bits.u(max(1, (ticks - 1).bit_length()))
    bits.u(1 + 13 + 1 + 13 + 1)  # width and height between marks
    return ticks, bool(bits.u(1))
