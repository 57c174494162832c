"""The HEVC header parser: which packets decoding can start from, which can be dropped, and the presentation order.

START is an IDR or CRA picture (what is shown from a CRA on never refers to what came before it). NONREF is a picture
of a "sub-layer non-reference" type at the highest temporal layer of the whole stream: no picture of its own layer may
refer to it, and there is no higher layer. Which layer is the highest is known only at the end: see `finish`.
"""

from __future__ import annotations

from dataclasses import dataclass

from scannerpy._video.annexb import START_CODE, length_width
from scannerpy._video.headers import Doubt, Header
from scannerpy._video.nal import Bits, Malformed, ParameterSets, picture_order_msb, unescape, units
from scannerpy._words.video import NONREF, START

_RASL = {8, 9}
_BLA = {16, 17, 18}
_IDR = {19, 20}
_CRA = 21
_VPS, _SPS, _PPS, _END_OF_SEQUENCE, _END_OF_STREAM = 32, 33, 34, 36, 37
_SUB_LAYER_NON_REFERENCE = {0, 2, 4, 6, 8, 10, 12, 14}
_LEADING = {6, 7, 8, 9}


def without_sei(packet: bytes, extradata: bytes) -> bytes | None:
    """Return a packet reduced to its slices, parameter sets and end marks; None if it holds nothing else (no SEI)."""
    width = length_width("hevc", extradata)
    try:
        found = [packet[begin:end] for begin, end in units(packet, width)]
    except Malformed:
        return None
    kept = [unit for unit in found if _type(unit) <= _PPS or _type(unit) in {_END_OF_SEQUENCE, _END_OF_STREAM}]
    if len(kept) == len(found):
        return None
    return b"".join((len(unit).to_bytes(width, "big") if width else START_CODE) + unit for unit in kept)


@dataclass(slots=True)
class _Sps:
    separate_planes: bool
    poc_bits: int


@dataclass(slots=True)
class _Pps:
    sps: int
    output_flag: bool
    extra_bits: int


class Hevc:
    """Reads the packets of one HEVC stream in decode order."""

    def __init__(self, extradata: bytes) -> None:
        self._width = 0
        self._sps: dict[int, _Sps] = {}
        self._pps: dict[int, _Pps] = {}
        self._sets = ParameterSets()
        self._sequence = -1
        self._tid0_poc = 0
        self._begun = False
        self._skips_leading = False
        self._layers: list[int] = []  # temporal layer of each packet that could be NONREF, −1 for the others
        if extradata[:1] == b"\1":
            self._read_hvcc(extradata)
        else:
            for begin, end in units(extradata, 0):
                self._unit_of_extradata(extradata[begin:end])
        self._sets.keep_as_extradata()
        self._highest = 0

    def _read_hvcc(self, extradata: bytes) -> None:
        self._width = (extradata[21] & 3) + 1
        position = 23
        for _ in range(extradata[22]):
            count = int.from_bytes(extradata[position + 1 : position + 3], "big")
            position += 3
            for _ in range(count):
                size = int.from_bytes(extradata[position : position + 2], "big")
                self._unit_of_extradata(extradata[position + 2 : position + 2 + size])
                position += 2 + size

    def _unit_of_extradata(self, unit: bytes) -> None:
        if _VPS <= _type(unit) <= _PPS and not _layer(unit):
            self._parameter_set(unit)

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (the bytes tell)
        """Read one packet. Raises Doubt when it is not exactly one frame that is fully understood."""
        order: tuple[int, int] | None = None
        here: set[tuple[int, int]] = set()
        kind = layer = -1
        for begin, end in units(packet, self._width):
            unit = packet[begin : min(end, begin + 64)]
            if len(unit) < 2 or _layer(unit):
                continue  # of another view or layer; FFmpeg shows the base layer
            if _type(unit) < 32:
                if unit[2] & 0x80:
                    if order is not None:
                        raise Doubt("several pictures in one packet")
                    kind, layer = _type(unit), (unit[1] & 7) - 1
                    order = self._first_slice(unit, kind, layer)
                elif order is None or _type(unit) != kind:
                    raise Doubt("a picture that does not begin with its first slice")
            elif _VPS <= _type(unit) <= _PPS:
                here.add(self._parameter_set(packet[begin:end]))
            elif _type(unit) in {_END_OF_SEQUENCE, _END_OF_STREAM}:
                raise Doubt("an end-of-sequence mark")
        if order is None:
            raise Doubt("a packet without a picture")
        return self._header(kind, layer, order, here)

    def _header(self, kind: int, layer: int, order: tuple[int, int], here: set[tuple[int, int]]) -> Header:
        start = (kind in _IDR or kind == _CRA) and self._sets.is_self_contained(here)
        discardable = kind in _SUB_LAYER_NON_REFERENCE and not here
        self._highest = max(self._highest, layer)
        self._layers.append(layer if discardable else -1)
        return Header(START if start else 0, order)

    def finish(self, flags: list[int]) -> None:
        """Add NONREF to the flags of all packets, now that the highest temporal layer is known."""
        for n, layer in enumerate(self._layers):
            if layer == self._highest:
                flags[n] |= NONREF

    def _first_slice(self, unit: bytes, kind: int, layer: int) -> tuple[int, int]:
        bits = Bits(unescape(unit[2:]))
        bits.u(1)
        if 16 <= kind <= 23 and bits.u(1) and self._begun:
            raise Doubt("pictures that are never output (no_output_of_prior_pics)")
        pps = self._pps.get(bits.ue())
        sps = self._sps.get(pps.sps) if pps else None
        if pps is None or sps is None:
            raise Doubt("a picture without parameter sets")
        bits.u(pps.extra_bits)
        bits.ue()
        if pps.output_flag and not bits.u(1):
            raise Doubt("a picture that is never output")
        if sps.separate_planes:
            bits.u(2)
        lsb = 0 if kind in _IDR else bits.u(sps.poc_bits)
        return self._picture_order(kind, layer, lsb, 1 << sps.poc_bits)

    def _picture_order(self, kind: int, layer: int, lsb: int, span: int) -> tuple[int, int]:
        """Return the picture order count within the current sequence (HEVC 8.3.1)."""
        if kind in _BLA:
            raise Doubt("a broken link")
        if 16 <= kind <= 23:
            self._skips_leading = not self._begun
        if kind in _RASL and (self._skips_leading or not self._begun):
            raise Doubt("leading pictures of the first keyframe, which no decoder shows")
        msb = 0
        if kind in _IDR or not self._begun:
            self._sequence += 1
        else:
            earlier = self._tid0_poc % span
            msb = picture_order_msb(lsb, earlier, self._tid0_poc - earlier, span)
        self._begun = True
        if layer == 0 and kind not in _LEADING and kind not in _SUB_LAYER_NON_REFERENCE:
            self._tid0_poc = msb + lsb
        return self._sequence, msb + lsb

    def _parameter_set(self, unit: bytes) -> tuple[int, int]:
        kind = _type(unit)
        data = unescape(unit[2:])
        number = data[0] >> 4 if kind == _VPS else -1
        if kind == _SPS:
            number, sps = _read_sps(data)
            self._sps[number] = sps
        elif kind == _PPS:
            number, pps = _read_pps(data)
            self._pps[number] = pps
        self._sets.put(kind, number, unit.rstrip(b"\0"))
        return kind, number


def _type(unit: bytes) -> int:
    return (unit[0] >> 1) & 63


def _layer(unit: bytes) -> int:
    return (unit[0] & 1) << 5 | unit[1] >> 3


def _read_sps(data: bytes) -> tuple[int, _Sps]:
    bits = Bits(data)
    bits.u(4)
    sub_layers = bits.u(3)
    bits.u(1)
    _skip_profile(bits, sub_layers)
    number = bits.ue()
    if number > 15:
        raise Malformed("an SPS number above 15")
    separate = bits.ue() == 3 and bool(bits.u(1))
    bits.ue(), bits.ue()  # width and height
    if bits.u(1):
        bits.ue(), bits.ue(), bits.ue(), bits.ue()  # cropping
    bits.ue(), bits.ue()  # bit depths
    return number, _Sps(separate, bits.ue() + 4)


def _skip_profile(bits: Bits, sub_layers: int) -> None:
    bits.u(88), bits.u(8)
    present = [(bits.u(1), bits.u(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.u(2 * (8 - sub_layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)


def _read_pps(data: bytes) -> tuple[int, _Pps]:
    bits = Bits(data[:24])
    number, sps = bits.ue(), bits.ue()
    bits.u(1)
    return number, _Pps(sps, output_flag=bool(bits.u(1)), extra_bits=bits.u(3))
