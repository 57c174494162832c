"""The H.264 header parser: which packets decoding can start from, which can be dropped, and the presentation order.

START is an IDR picture, or an I picture whose recovery point says "everything shown from here on is exact" (count 0,
exact match: an open GOP). A gradual refresh (count above 0) is not a start. NONREF is a picture of which every slice
has nal_ref_idc 0 and which carries no parameter sets.

The picture order count in the slice headers tells the order of presentation independently of the container, so the
container's times can be checked instead of believed. Whatever is not understood becomes a doubt, and doubts make the
scan decode the video once.
"""

from __future__ import annotations

from dataclasses import dataclass

from scannerpy._video.h264_marking import HEADER_BYTES, Syntax, forgets_all
from scannerpy._video.headers import Doubt, Header
from scannerpy._video.nal import Bits, Malformed, ParameterSets, picture_order_msb, unescape, units
from scannerpy._words.video import NONREF, START

_SLICE, _PARTITION_A, _PARTITION_C, _IDR, _SEI, _SPS, _PPS, _END_OF_SEQUENCE, _END_OF_STREAM = (
    1,
    2,
    4,
    5,
    6,
    7,
    8,
    10,
    11,
)
_LAYERED = {13, 14, 15, 20, 21}
_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_RECOVERY_POINT = 6


@dataclass(slots=True)
class _Sps:
    profile: int
    separate_planes: bool
    frame_num_bits: int
    poc_type: int
    poc_bits: int
    frames_only: bool
    gaps_allowed: bool
    chroma: bool


@dataclass(slots=True)
class _Pps:
    sps: int
    bottom_poc: bool
    references: tuple[int, int] = (1, 1)
    weighted: frozenset[int] = frozenset()
    redundant: bool = False


@dataclass(slots=True)
class _Picture:
    reference: bool
    idr: bool
    intra: bool = True
    poc_lsb: int = 0
    bottom_delta: int = 0
    poc_type: int = 0
    poc_bits: int = 4
    field: bool = False
    after_gap: bool = False
    pps: int = 0


class H264:
    """Reads the packets of one H.264 stream in decode order."""

    def __init__(self, extradata: bytes) -> None:
        self._width = 0
        self._sps: dict[int, _Sps] = {}
        self._pps: dict[int, _Pps] = {}
        self._sets = ParameterSets()
        self._sequence = -1
        self._poc_msb = self._poc_lsb = 0
        self._decoded = 0
        self._frame_num = -1  # of the reference picture before
        self._marking: tuple[bytes, _Sps, _Pps] | None = None  # how that picture begins; None for an IDR
        if extradata[:1] == b"\1":
            self._read_avcc(extradata)
        else:
            for begin, end in units(extradata, 0):
                self._parameter_set(extradata[begin:end])
        self._sets.keep_as_extradata()

    def _read_avcc(self, extradata: bytes) -> None:
        self._width = (extradata[4] & 3) + 1
        position, count = 6, extradata[5] & 31
        for _ in range(2):
            for _ in range(count):
                size = int.from_bytes(extradata[position : position + 2], "big")
                self._parameter_set(extradata[position + 2 : position + 2 + size])
                position += 2 + size
            count = extradata[position] if position < len(extradata) else 0
            position += 1

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet. Raises Doubt when it is not exactly one frame that is fully understood."""
        picture: _Picture | None = None
        here: set[tuple[int, int]] = set()
        recovery = False
        for begin, end in units(packet, self._width):
            kind = packet[begin] & 31
            if kind in {_SLICE, _IDR}:
                picture = self._slice(packet, begin, end, picture)
            elif kind in {_SPS, _PPS}:
                here.add(self._parameter_set(packet[begin:end]))
            elif kind == _SEI:
                recovery = recovery or _is_exact_recovery_point(packet[begin + 1 : end])
            elif _PARTITION_A <= kind <= _PARTITION_C or kind in _LAYERED:
                raise Doubt(f"NAL units of type {kind}")
            elif kind in {_END_OF_SEQUENCE, _END_OF_STREAM}:
                raise Doubt("an end-of-sequence mark")
        if picture is None:
            raise Doubt("a packet without a picture")
        return self._header(picture, here, recovery=recovery)

    def finish(self, flags: list[int]) -> None:
        """Nothing is left to the end."""

    def _header(self, picture: _Picture, here: set[tuple[int, int]], *, recovery: bool) -> Header:
        start = picture.idr or (recovery and picture.intra)
        flags = START if start and self._sets.is_self_contained(here) else 0
        if not picture.reference and not here:
            flags |= NONREF
        place = self._picture_order(picture)
        order = (self._sequence, place)  # which sequence it is was settled just now
        if picture.after_gap and not flags & START:
            return Header(0, order, "missing reference pictures", missing_reference=True)
        doubt = "pictures stored as separate fields" if picture.field else ""
        return Header(flags & START if doubt else flags, order, doubt)

    def _slice(self, packet: bytes, begin: int, end: int, picture: _Picture | None) -> _Picture:
        reference = (packet[begin] & 0x60) != 0
        bits = Bits(unescape(packet[begin + 1 : min(begin + 49, end)]))
        first = bits.ue()
        kind = bits.ue() % 5
        if picture is None:
            if first:
                raise Doubt("a picture that does not begin with its first slice")
            picture = self._first_slice(bits, reference=reference, idr=packet[begin] & 31 == _IDR)
            self._keep_marking(packet[begin + 1 : min(begin + 1 + HEADER_BYTES, end)], picture)
        elif not first and not picture.field:
            raise Doubt("several pictures in one packet")
        elif picture.reference != reference and not picture.field:
            raise Doubt("slices of one picture disagree about being referred to")
        picture.intra = picture.intra and kind == 2
        return picture

    def _first_slice(self, bits: Bits, *, reference: bool, idr: bool) -> _Picture:
        number = bits.ue()
        pps = self._pps.get(number)
        sps = self._sps.get(pps.sps) if pps else None
        if pps is None or sps is None:
            raise Doubt("a picture without parameter sets")
        picture = _Picture(reference, idr, poc_type=sps.poc_type, poc_bits=sps.poc_bits, pps=number)
        if sps.separate_planes:
            bits.u(2)
        picture.after_gap = self._check_frame_num(bits.u(sps.frame_num_bits), sps, picture)
        if not sps.frames_only and bits.u(1):
            picture.field = True
            bits.u(1)
        if idr:
            bits.ue()
        if sps.poc_type == 0:
            picture.poc_lsb = bits.u(sps.poc_bits)
            picture.bottom_delta = bits.se() if pps.bottom_poc else 0
        elif sps.poc_type == 1:
            raise Doubt("picture order count of type 1")
        return picture

    def _keep_marking(self, header: bytes, picture: _Picture) -> None:
        """Keep the slice header of a reference picture: the number after it may ask what it says."""
        if picture.reference:
            pps = self._pps[picture.pps]
            self._marking = None if picture.idr else (header, self._sps[pps.sps], pps)

    def _check_frame_num(self, number: int, sps: _Sps, picture: _Picture) -> bool:
        """Keep count of the reference pictures; return whether some are missing before this one."""
        before, limit = self._frame_num, 1 << sps.frame_num_bits
        if picture.reference or picture.idr:
            self._frame_num = number
        if picture.idr or before < 0 or number in {before, (before + 1) % limit} or sps.gaps_allowed:
            return False
        return number > 1 or not self._resets_frame_num()

    def _resets_frame_num(self) -> bool:
        """Whether the reference picture before tells the decoder to forget all, after which numbers begin at 0."""
        if self._marking is None:
            return False
        header, sps, pps = self._marking
        poc_bits = sps.poc_bits if sps.poc_type == 0 else 0
        syntax = Syntax(
            sps.separate_planes, sps.frame_num_bits, sps.frames_only, poc_bits, pps.bottom_poc, pps.redundant,
            pps.references, pps.weighted, sps.chroma,
        )  # fmt: skip
        return forgets_all(header, syntax)

    def _picture_order(self, picture: _Picture) -> int:
        """Return the picture order count within the current sequence (H.264 8.2.1)."""
        if picture.idr:
            self._sequence += 1
            self._poc_msb = self._poc_lsb = 0
        self._decoded += 1
        if picture.poc_type == 2:
            return self._decoded
        msb = picture_order_msb(picture.poc_lsb, self._poc_lsb, self._poc_msb, 1 << picture.poc_bits)
        if picture.reference:
            self._poc_msb, self._poc_lsb = msb, picture.poc_lsb
        return msb + picture.poc_lsb + min(0, picture.bottom_delta)

    def _parameter_set(self, unit: bytes) -> tuple[int, int]:
        kind = unit[0] & 31
        data = unescape(unit[1:])
        if kind == _SPS:
            number, sps = _read_sps(data)
            self._sps[number] = sps
        elif kind == _PPS:
            number, pps = _read_pps(data)
            self._pps[number] = pps
        else:
            raise Malformed(f"a unit of type {kind} among the parameter sets")
        self._sets.put(kind, number, unit.rstrip(b"\0"))
        return kind, number


def parameter_sets(extradata: bytes) -> tuple[set[int], set[int]]:
    """The profiles (profile_idc) of a stream's sequence parameter sets, and the numbers that sets of any kind have.

    Raises nal.Malformed, Doubt or IndexError for what is no H.264 extradata.
    """
    reader = H264(extradata)
    return {sps.profile for sps in reader._sps.values()}, {*reader._sps, *reader._pps}


def _read_sps(data: bytes) -> tuple[int, _Sps]:
    bits = Bits(data)
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    chroma, separate = _skip_high_profile(bits) if profile in _HIGH_PROFILES else (True, False)
    frame_num_bits = bits.ue() + 4
    poc_type = bits.ue()
    poc_bits = bits.ue() + 4 if poc_type == 0 else 4
    if poc_type == 1:
        _skip_poc_cycle(bits)
    bits.ue()  # number of reference frames
    gaps_allowed = bool(bits.u(1))
    bits.ue(), bits.ue()  # width and height in macroblocks
    frames_only = bool(bits.u(1))
    return number, _Sps(profile, separate, frame_num_bits, poc_type, poc_bits, frames_only, gaps_allowed, chroma)


def _skip_high_profile(bits: Bits) -> tuple[bool, bool]:
    """Return whether there is chroma beside luma, and whether both are pictures of their own."""
    chroma = bits.ue()
    separate = bool(bits.u(1)) if chroma == 3 else False
    bits.ue(), bits.ue(), bits.u(1)  # bit depths, lossless flag
    if bits.u(1):
        for n in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _skip_scaling_list(bits, 16 if n < 6 else 64)
    return chroma > 0 and not separate, separate


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_poc_cycle(bits: Bits) -> None:
    bits.u(1), bits.se(), bits.se()
    for _ in range(bits.ue()):
        bits.se()


def _read_pps(data: bytes) -> tuple[int, _Pps]:
    bits = Bits(data[:16])
    number, sps = bits.ue(), bits.ue()
    bits.u(1)
    bottom_poc = bool(bits.u(1))
    if bits.ue():  # slice groups: nobody makes them, and their map would have to be read
        raise Doubt("slice groups")
    references = (bits.ue() + 1, bits.ue() + 1)
    weighted = frozenset({0, 3} if bits.u(1) else ()) | frozenset({1} if bits.u(2) == 1 else ())  # P and SP; B
    bits.se(), bits.se(), bits.se(), bits.u(2)  # quantizers, deblocking, constrained prediction
    return number, _Pps(sps, bottom_poc, references, weighted, bool(bits.u(1)))


def _is_exact_recovery_point(sei: bytes) -> bool:
    """Whether one of the messages is a recovery point with count 0 and exact match."""
    data, position = unescape(sei), 0
    while position + 2 < len(data):
        kind, position = _sei_number(data, position)
        size, position = _sei_number(data, position)
        if kind == _RECOVERY_POINT:
            bits = Bits(data[position : position + size])
            return bits.ue() == 0 and bits.u(1) == 1
        position += size
    return False


def _sei_number(data: bytes, position: int) -> tuple[int, int]:
    total = 0
    while position < len(data) and data[position] == 0xFF:
        total += 255
        position += 1
    return total + (data[position] if position < len(data) else 0), position + 1
