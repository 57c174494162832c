"""Annex B and length-prefixed framing of H.264 and HEVC packets: telling them apart, and converting the former to the
latter.
"""

from __future__ import annotations

from scannerpy._video.nal import Malformed, by_start_code

START_CODE = b"\0\0\0\1"
_SPS, _PPS = 7, 8


def length_width(codec: str, extradata: bytes) -> int:
    """How many bytes of length stand before each unit; 0: start codes do."""
    if extradata[:1] != b"\1":
        return 0
    return (extradata[4 if codec == "h264" else 21] & 3) + 1


def length_prefixed(data: bytes, width: int) -> bytes:
    """A packet with start codes, with a length of `width` bytes before each unit instead; 0: as it is."""
    if not width:
        return data
    units = (data[begin:end].rstrip(b"\0") for begin, end in by_start_code(data))
    return b"".join(len(unit).to_bytes(width, "big") + unit for unit in units)


def with_parameter_sets(extradata: bytes, more: bytes) -> bytes:
    """H.264 extradata to which the parameter sets of `more`, with start codes, are added. Raises nal.Malformed."""
    found = [more[begin:end].rstrip(b"\0") for begin, end in by_start_code(more)]
    added = [unit for unit in found if unit[0] & 31 in {_SPS, _PPS}]
    if extradata[:1] != b"\1":
        return extradata + b"".join(START_CODE + unit for unit in added)
    try:
        return _avcc_with(extradata, added)
    except IndexError as error:
        raise Malformed("the extradata ends too early") from error


def _avcc_with(extradata: bytes, added: list[bytes]) -> bytes:
    position, sets = 5, list[bytes]()
    for kind, mask in ((_SPS, 31), (_PPS, 255)):
        count, position = extradata[position] & mask, position + 1
        units = []
        for _ in range(count):
            unit, position = _sized(extradata, position)
            units.append(unit)
        units += [unit for unit in added if unit[0] & 31 == kind]
        if len(units) > mask:
            raise Malformed("there are too many parameter sets")
        sets.append(bytes([len(units) | (0xFF ^ mask)]))  # the bits beside the count are ones
        sets += [len(unit).to_bytes(2, "big") + unit for unit in units]
    level = max([extradata[3], *(unit[3] for unit in added if unit[0] & 31 == _SPS)])
    return extradata[:3] + bytes([level]) + extradata[4:5] + b"".join(sets) + extradata[position:]


def _sized(data: bytes, position: int) -> tuple[bytes, int]:
    end = position + 2 + int.from_bytes(data[position : position + 2], "big")
    if end > len(data):
        raise Malformed("a parameter set is longer than the extradata")
    return data[position + 2 : end], end
