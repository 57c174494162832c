"""NAL units of H.264 and HEVC packets, and a bit reader with Exp-Golomb codes.

Two framings exist. MP4 and Matroska put a length before each unit (extradata says how wide, and begins with 1);
transport streams and AVI separate units by start codes. A length that points beyond its packet means that the packet
lost its tail: `units` then raises, and the caller decodes the video to see what is left.
"""

from __future__ import annotations

from collections.abc import Iterator


class Malformed(Exception):
    """A packet or header does not follow its own syntax."""


class Bits:
    """A reader of big-endian bits and Exp-Golomb numbers."""

    __slots__ = ("left", "value")

    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def u(self, n: int) -> int:
        """Read an unsigned number of n bits."""
        self.left -= n
        if self.left < 0:
            raise Malformed("the header ends too early")
        return (self.value >> self.left) & ((1 << n) - 1)

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb number."""
        rest = self.value & ((1 << self.left) - 1)
        zeros = self.left - rest.bit_length()
        self.left -= 2 * zeros + 1
        if self.left < 0:
            raise Malformed("the header ends too early")
        return (rest >> self.left) - 1

    def se(self) -> int:
        """Read a signed Exp-Golomb number."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def picture_order_msb(lsb: int, previous_lsb: int, previous_msb: int, span: int) -> int:
    """Return the high bits of a picture order count, given its low bits (of a range of `span`) and those of the
    reference picture before it (H.264 8.2.1.1, HEVC 8.3.1).
    """
    if lsb < previous_lsb and previous_lsb - lsb >= span // 2:
        return previous_msb + span
    if lsb > previous_lsb and lsb - previous_lsb > span // 2:
        return previous_msb - span
    return previous_msb


def unescape(data: bytes) -> bytes:
    """Remove the emulation prevention bytes."""
    return data.replace(b"\0\0\3", b"\0\0")


def by_length(packet: bytes, width: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of each unit of a length-prefixed packet."""
    position, total = 0, len(packet)
    while position < total:
        begin = position + width
        position = begin + int.from_bytes(packet[position:begin], "big")
        if position > total:
            raise Malformed("a unit is longer than its packet")
        if begin < position:
            yield begin, position


def by_start_code(packet: bytes) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of each unit of a packet with start codes."""
    begin = packet.find(b"\0\0\1") + 3
    while begin >= 3:
        following = packet.find(b"\0\0\1", begin)
        end = following if following >= 0 else len(packet)
        if begin < end:
            yield begin, end
        begin = following + 3


def units(packet: bytes, length_width: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of each unit; `length_width` 0 means start codes."""
    return by_length(packet, length_width) if length_width else by_start_code(packet)


class ParameterSets:
    """Which parameter sets a decoder holds, read from the beginning or entered in the middle.

    A START packet may only rely on sets that come with it or stand in the extradata: `is_self_contained` says
    whether that gives the same sets as reading everything before it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bytes] = {}
        self._extradata: dict[tuple[int, int], bytes] = {}
        self._changed: set[tuple[int, int]] = set()

    def keep_as_extradata(self) -> None:
        """Take all sets seen so far as those of the extradata."""
        self._extradata = dict(self._known)
        self._changed.clear()

    def put(self, kind: int, number: int, data: bytes) -> None:
        """Note a set; a later one of the same number replaces it."""
        key = (kind, number)
        self._known[key] = data
        if self._extradata.get(key) == data:
            self._changed.discard(key)
        else:
            self._changed.add(key)

    def is_self_contained(self, here: set[tuple[int, int]]) -> bool:
        """Whether the extradata and the sets `here`, in this very packet, are all that is in force."""
        return self._changed <= here
