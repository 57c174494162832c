"""What no encoder or muxer at hand makes, written bit by bit: field pictures, frames reordered without a hint of it,
packed B-frames, edit lists.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet

Plane = npt.NDArray[np.uint8]


@dataclass(slots=True)
class BitWriter:
    """Collects bits, most significant first."""

    bits: list[str] = field(default_factory=list)

    def u(self, n: int, value: int) -> BitWriter:
        """Append `value` in n bits."""
        self.bits.append(f"{value:0{n}b}")
        return self

    def ue(self, *values: int) -> BitWriter:
        """Append unsigned Exp-Golomb numbers."""
        for value in values:
            code = f"{value + 1:b}"
            self.bits.append("0" * (len(code) - 1) + code)
        return self

    def finish(self) -> bytes:
        """Append the stop bit and return whole bytes."""
        text = "".join(self.bits) + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")

    def align(self) -> BitWriter:
        """Append zeros up to a whole byte."""
        text = "".join(self.bits)
        self.bits = [text + "0" * (-len(text) % 8)]
        return self


def nal(header: int, payload: bytes) -> bytes:
    """Return a NAL unit with start code and emulation prevention."""
    out, zeros = bytearray(), 0
    for byte in payload:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([header]) + bytes(out)


def field_coded_h264(pictures: Sequence[Plane], gop: int = 5) -> list[bytes]:
    """Return H.264 access units, one per *field*, of gray pictures (height a multiple of 32, width of 16).

    The top field of each picture is stored as it is. The bottom field says "as before": a copy of an earlier field, so
    that it can only be right where everything before it, from the keyframe on, was decoded.
    """
    fields: list[bytes] = []
    for number, picture in enumerate(pictures):
        inside = number % gop
        head = _h264_headers(*picture.shape, interlaced=True) if inside == 0 else b""
        top = _h264_slice(picture[0::2], frame=inside, order=2 * inside, idr=inside == 0, bottom=False)
        fields += [head + top, _copied_field(inside, picture.shape)]
    return fields


def reordered_h264(pictures: Sequence[Plane], gop: int = 16) -> list[tuple[int, bytes]]:
    """Return (number, access unit) of gray pictures in decode order: a pyramid of depth 4, and no hint of it anywhere.

    A decoder that guesses how many frames to hold back learns it too late, and loses some.
    """
    units: list[tuple[int, bytes]] = []
    for first in range(0, len(pictures), gop):
        frame = 0
        for number in _pyramid(first, min(first + gop, len(pictures))):
            inside, shown = number - first, pictures[number]
            head = _h264_headers(*shown.shape, interlaced=False) if inside == 0 else b""
            leaf = inside % 2 == 1
            unit = _h264_slice(shown, frame=frame, order=2 * inside, idr=inside == 0, reference=not leaf)
            units.append((number, head + unit))
            frame += not leaf
    return units


def _pyramid(begin: int, end: int) -> list[int]:
    """Return the numbers begin, then the last, then the middle of what is left, and so on."""

    def between(low: int, high: int) -> list[int]:
        middle = (low + high) // 2
        return [middle, *between(low, middle), *between(middle, high)] if high - low > 1 else []

    return [begin, *([end - 1] if end - begin > 1 else []), *between(begin, end - 1)]


def _h264_headers(height: int, width: int, *, interlaced: bool) -> bytes:
    sps = BitWriter().u(8, 77).u(8, 0).u(8, 30).ue(0, 4, 0, 4, 4).u(1, 0)
    sps.ue(width // 16 - 1, height // (32 if interlaced else 16) - 1).u(1, int(not interlaced))
    if interlaced:
        sps.u(1, 0)
    sps.u(1, 1).u(1, 0).u(1, 0)
    pps = BitWriter().ue(0, 0).u(1, 0).u(1, 0).ue(0, 0, 0).u(1, 0).u(2, 0).ue(0, 0, 0).u(1, 1).u(1, 0).u(1, 0)
    return nal(0x67, sps.finish()) + nal(0x68, pps.finish())


def _h264_slice(
    lines: Plane, *, frame: int, order: int, idr: bool, reference: bool = True, bottom: bool | None = None
) -> bytes:
    """Return one picture as raw macroblocks (I_PCM); a field where `bottom` is told."""
    bits = BitWriter().ue(0, 7, 0).u(8, frame)
    if bottom is not None:
        bits.u(1, 1).u(1, int(bottom))
    if idr:
        bits.ue(0)
    bits.u(8, order)
    if reference:
        bits.u(2 if idr else 1, 0)
    bits.ue(0, 1)
    for y in range(0, lines.shape[0], 16):
        for x in range(0, lines.shape[1], 16):
            block = lines[y : y + 16, x : x + 16].tobytes() + bytes([128]) * 128
            bits.ue(25).align().u(8 * len(block), int.from_bytes(block, "big"))
    kind = 5 if idr else 1
    return nal(0x60 | kind if reference else kind, bits.finish())


def _copied_field(inside: int, shape: tuple[int, ...]) -> bytes:
    """Return a bottom field all of whose macroblocks are skipped."""
    bits = BitWriter().ue(0, 5, 0).u(8, inside).u(1, 1).u(1, 1).u(8, 2 * inside + 1)
    bits.u(1, 0).u(1, 0).u(1, 0).ue(0, 1).ue(shape[0] // 32 * shape[1] // 16)
    return nal(0x61, bits.finish())


def mux(path: Path, codec: str, size: tuple[int, int], packets: Sequence[tuple[int, int, bytes]], keys: int) -> None:
    """Write (pts, dts, bytes) packets, at 25 a second, into a file; every `keys`-th is a keyframe."""
    with av.open(str(path), "w") as container:
        stream = container.add_mux_stream(codec, rate=25, width=size[0], height=size[1])
        stream.time_base = Fraction(1, 25)
        for number, (pts, dts, data) in enumerate(packets):
            packet: Packet[Any] = Packet(data)
            packet.pts, packet.dts, packet.time_base = pts, dts, Fraction(1, 25)
            packet.is_keyframe, packet.stream = number % keys == 0, stream
            container.mux(packet)


def set_edit_list(path: Path, edits: Sequence[tuple[float, float | None]]) -> None:
    """Rewrite an MP4 file to play (seconds, from second) pieces of its video one after another; None is a pause."""
    data = bytearray(path.read_bytes())
    movie, movie_end = _box(data, b"moov", 0, len(data))
    track, track_end = _box(data, b"trak", movie, movie_end)
    media, media_end = _box(data, b"mdia", track, track_end)
    second = _number(data, _box(data, b"mvhd", movie, movie_end)[0] + 12)
    tick = _number(data, _box(data, b"mdhd", media, media_end)[0] + 12)
    entries = [(round(length * second), -1 if at is None else round(at * tick), 1 << 16) for length, at in edits]
    body = struct.pack(">II", 0, len(entries)) + b"".join(struct.pack(">IiI", *entry) for entry in entries)
    inner = struct.pack(">I4s", 8 + len(body), b"elst") + body
    old, old_end = _box(data, b"edts", track, track_end)
    replacement = struct.pack(">I4s", 8 + len(inner), b"edts") + inner
    data[old - 8 : old_end] = replacement
    for begin in (movie - 8, track - 8):  # the boxes around it; the media stand before them and do not move
        data[begin : begin + 4] = struct.pack(">I", _number(data, begin) + len(replacement) - (old_end - old + 8))
    path.write_bytes(data)


def _box(data: bytearray, name: bytes, begin: int, end: int) -> tuple[int, int]:
    """Return where the contents of the first box of that name begin and end."""
    while begin < end:
        size = _number(data, begin)
        if data[begin + 4 : begin + 8] == name:
            return begin + 8, begin + size
        begin += size
    raise ValueError(f"no {name.decode()} box")


def _number(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def pack_b_frames(source: Path, target: Path) -> None:
    """Rewrite an MPEG-4 AVI whose every other picture is a B-frame as DivX did: P and B in one chunk, then a dummy."""
    with av.open(str(source)) as reading, av.open(str(target), "w") as writing:
        stream = reading.streams.video[0]
        copy = writing.add_stream_from_template(stream)
        extradata = stream.codec_context.extradata or b""
        copy.codec_context.extradata = extradata + b"\0\0\1\xb2DivX503b1393p"
        chunks = _packed([bytes(packet) for packet in reading.demux(stream) if packet.size])
        for number, (data, key) in enumerate(chunks):
            packet: Packet[Any] = Packet(data)
            packet.pts = packet.dts = number
            packet.time_base = 1 / (stream.average_rate or Fraction(25))
            packet.is_keyframe, packet.stream = key, copy
            writing.mux(packet)


def _packed(packets: list[bytes]) -> list[tuple[bytes, bool]]:
    chunks: list[tuple[bytes, bool]] = []
    n = 0
    while n < len(packets):
        own = _vop_type(packets[n])
        if n + 1 < len(packets) and _vop_type(packets[n + 1]) == 2:
            chunks += [(packets[n] + packets[n + 1], own == 0), (b"\0\0\1\xb6\x5f\x9f\x7f", False)]
            n += 2
        else:
            chunks.append((packets[n], own == 0))
            n += 1
    return chunks


def _vop_type(packet: bytes) -> int:
    return packet[packet.rindex(b"\0\0\1\xb6") + 4] >> 6
