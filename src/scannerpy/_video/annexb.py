"""H.264 and HEVC packets with start codes before each unit, whatever framing they were stored in.

In this form parameter sets travel inside the first packet, so packets of any origin can be handed to a muxer without
its knowing where they came from.
"""

from __future__ import annotations

from collections.abc import Iterator

from scannerpy._video.nal import Malformed, by_length

_START = b"\0\0\0\1"
CODECS = {"h264", "hevc"}


def length_width(codec: str, extradata: bytes) -> int:
    """How many bytes of length stand before each unit; 0: start codes do."""
    if extradata[:1] != b"\1":
        return 0
    return (extradata[4 if codec == "h264" else 21] & 3) + 1


def packet(data: bytes, width: int) -> bytes:
    """`data` with start codes. Raises nal.Malformed."""
    if not width:
        return data
    return b"".join(_START + data[begin:end] for begin, end in by_length(data, width))


def parameter_sets(codec: str, extradata: bytes) -> bytes:
    """The parameter sets of the extradata, with start codes. Raises nal.Malformed."""
    if extradata[:1] != b"\1":
        return extradata
    try:
        found = _avcc(extradata) if codec == "h264" else _hvcc(extradata)
        return b"".join(_START + unit for unit in found)
    except IndexError as error:
        raise Malformed("the extradata ends too early") from error


def _avcc(data: bytes) -> Iterator[bytes]:
    position = 5
    for mask in (31, 255):
        count, position = data[position] & mask, position + 1
        for _ in range(count):
            unit, position = _sized(data, position)
            yield unit


def _hvcc(data: bytes) -> Iterator[bytes]:
    position = 23
    for _ in range(data[22]):
        count, position = int.from_bytes(data[position + 1 : position + 3], "big"), position + 3
        for _ in range(count):
            unit, position = _sized(data, position)
            yield unit


def _sized(data: bytes, position: int) -> tuple[bytes, int]:
    end = position + 2 + int.from_bytes(data[position : position + 2], "big")
    if end > len(data):
        raise Malformed("a parameter set is longer than the extradata")
    return data[position + 2 : end], end
