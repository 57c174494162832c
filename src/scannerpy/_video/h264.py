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

from scannerpy._video.headers import Doubt, Header
from scannerpy._video.nal import Bits, Malformed, ParameterSets, unescape, units
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


@dataclass(slots=True)
class _Pps:
    sps: int
    bottom_poc: bool


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
        elif not first and not picture.field:
            raise Doubt("several pictures in one packet")
        elif picture.reference != reference and not picture.field:
            raise Doubt("slices of one picture disagree about being referred to")
        picture.intra = picture.intra and kind == 2
        return picture

    def _first_slice(self, bits: Bits, *, reference: bool, idr: bool) -> _Picture:
        pps = self._pps.get(bits.ue())
        sps = self._sps.get(pps.sps) if pps else None
        if pps is None or sps is None:
            raise Doubt("a picture without parameter sets")
        picture = _Picture(reference, idr, poc_type=sps.poc_type, poc_bits=sps.poc_bits)
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

    def _check_frame_num(self, number: int, sps: _Sps, picture: _Picture) -> bool:
        """Keep count of the reference pictures; return whether some are missing before this one.

        After a "reset all" command (MMCO 5, not read here) numbers begin at 0 again, so 0 and 1 are never a gap.
        """
        before, limit = self._frame_num, 1 << sps.frame_num_bits
        if picture.reference or picture.idr:
            self._frame_num = number
        expected = picture.idr or before < 0 or number in {before, (before + 1) % limit, 0, 1}
        return not expected and not sps.gaps_allowed

    def _picture_order(self, picture: _Picture) -> int:
        """Return the picture order count within the current sequence (H.264 8.2.1)."""
        if picture.idr:
            self._sequence += 1
            self._poc_msb = self._poc_lsb = 0
        self._decoded += 1
        if picture.poc_type == 2:
            return self._decoded
        span = 1 << picture.poc_bits
        msb = self._poc_msb
        if picture.poc_lsb < self._poc_lsb and self._poc_lsb - picture.poc_lsb >= span // 2:
            msb += span
        elif picture.poc_lsb > self._poc_lsb and picture.poc_lsb - self._poc_lsb > span // 2:
            msb -= span
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
    separate = _skip_high_profile(bits) if profile in _HIGH_PROFILES else False
    frame_num_bits = bits.ue() + 4
    poc_type = bits.ue()
    poc_bits = bits.ue() + 4 if poc_type == 0 else 4
    if poc_type == 1:
        _skip_poc_cycle(bits)
    bits.ue()  # number of reference frames
    gaps_allowed = bool(bits.u(1))
    bits.ue(), bits.ue()  # width and height in macroblocks
    return number, _Sps(profile, separate, frame_num_bits, poc_type, poc_bits, bool(bits.u(1)), gaps_allowed)


def _skip_high_profile(bits: Bits) -> bool:
    chroma = bits.ue()
    separate = bool(bits.u(1)) if chroma == 3 else False
    bits.ue(), bits.ue(), bits.u(1)  # bit depths, lossless flag
    if bits.u(1):
        for n in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _skip_scaling_list(bits, 16 if n < 6 else 64)
    return separate


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
    return number, _Pps(sps, bool(bits.u(1)))


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
