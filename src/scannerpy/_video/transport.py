"""Detects lost packets in MPEG transport streams (TS) from their continuity counters and padding.

A TS numbers its packets (modulo 16) and pads the last packet of each unit (PES), so it tells where bytes are missing
even from codecs whose decoders would not notice: HEVC, for one, shows half a picture without a word. FFmpeg's own
mark of damage is not used, as it also falls on streams that were simply put one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scannerpy._words.heartbeat import beat

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
_SYNC, _SIZE = 0x47, 188
_PADDED = ((188, 0), (192, 4))  # distance of packets, position of the sync byte: plain, and with a time in front
_PACKETS_AT_ONCE = 1 << 15
_PES_START = 9  # bytes of a PES header before its optional part


@dataclass(frozen=True, slots=True)
class Losses:
    """File positions of units: those that lost bytes, those right after a loss, and the last where its end is open.

    `is_cut` says that the file ends inside a packet, whatever stream that may have belonged to.
    """

    inside: frozenset[int] = frozenset()
    before: frozenset[int] = frozenset()
    open_end: int | None = None
    is_cut: bool = False


def losses(file: Path, pid: int) -> Losses | None:
    """Find what the video with number `pid` lost; None where the file is no regular transport stream."""
    for distance, sync in _PADDED:
        blocks = _own(file, pid, distance, sync)
        if blocks is not None:
            is_cut = file.stat().st_size % distance != 0
            return replace(_judged(blocks), is_cut=is_cut)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Of the packets of one stream in a piece of the file: their first bytes, which begin a unit (and those whole),
    their positions.
    """

    packets: Bytes
    begins: npt.NDArray[np.bool_]
    heads: Bytes
    positions: Ints


def _own(file: Path, pid: int, distance: int, sync: int) -> list[_Block] | None:
    """Read the file a piece at a time; None when some packets do not begin as they must, or there is none."""
    found: list[_Block] = []
    with file.open("rb") as data:
        data.seek(sync)
        for number, piece in enumerate(iter(lambda: data.read(distance * _PACKETS_AT_ONCE), b"")):
            beat()
            packets = _cut(piece, distance)
            if (packets[:, 0] != _SYNC).any():
                return None
            own = (((packets[:, 1] & 0x1F).astype(np.int64) << 8) | packets[:, 2]) == pid
            own &= (packets[:, 3] & 0x10) != 0  # carries payload
            begins = (packets[own, 1] & 0x40) != 0
            positions = (np.flatnonzero(own) + number * _PACKETS_AT_ONCE) * distance
            found.append(_Block(packets[own, :6], begins, packets[own][begins], positions))
    return found if found and file.stat().st_size >= sync + _SIZE else None


def _cut(piece: bytes, distance: int) -> Bytes:
    """The whole packets in a piece of the file."""
    count = max(0, (len(piece) - _SIZE) // distance + 1)
    return np.lib.stride_tricks.as_strided(np.frombuffer(piece, np.uint8), (count, _SIZE), (distance, 1))


def _judged(blocks: Sequence[_Block]) -> Losses:
    begins = np.concatenate([block.begins for block in blocks])
    if not begins.any():
        return Losses()
    first = int(np.argmax(begins))  # before it: the rest of a unit whose beginning was cut off
    packets = np.concatenate([block.packets for block in blocks])
    positions = np.concatenate([block.positions for block in blocks])
    heads = np.concatenate([block.heads for block in blocks])
    return _judge(packets[first:], begins[first:], positions[first:], heads)


def _judge(packets: Bytes, begins: npt.NDArray[np.bool_], positions: Ints, heads: Bytes) -> Losses:
    unit = np.cumsum(begins) - 1
    start = positions[begins]
    broken = _broken(packets)
    complete = _complete(packets, begins, heads)
    faulty = (packets[:, 1] & 0x80) != 0  # marked by the receiver
    fresh = unit[broken & begins]
    inside = np.concatenate((unit[(broken & ~begins) | faulty], (fresh - 1)[~complete[fresh - 1]]))
    open_end = None if complete[-1] else int(start[-1])
    return Losses(frozenset(start[inside].tolist()), frozenset(start[fresh].tolist()), open_end)


def _broken(packets: Bytes) -> npt.NDArray[np.bool_]:
    """Whether the counter jumps at a packet. A repeated packet is allowed, and so is an announced jump."""
    counter = packets[:, 3] & 15
    announced = ((packets[:, 3] & 0x20) != 0) & (packets[:, 4] > 0) & ((packets[:, 5] & 0x80) != 0)
    counted = np.append(np.int64(counter[0]) - 1, counter.astype(np.int64))
    step = (counted[1:] - counted[:-1]) & 15
    jumps: npt.NDArray[np.bool_] = (step > 1) & ~announced
    return jumps


def _complete(packets: Bytes, begins: npt.NDArray[np.bool_], heads: Bytes) -> npt.NDArray[np.bool_]:
    """For each unit, whether its end is certain: its last packet is padded, or its length is as announced."""
    adapted = (packets[:, 3] & 0x20) != 0
    length = np.where(adapted, packets[:, 4].astype(np.int64) + 1, 0)
    clock = adapted & (packets[:, 4] > 0) & ((packets[:, 5] & 0x10) != 0)
    padded = adapted & (length > np.where(clock, 8, 2))
    padded |= adapted & (length <= 2) & ~clock  # one or two bytes are padding, there is no smaller one
    last = np.append(np.flatnonzero(begins)[1:] - 1, len(packets) - 1)
    at = np.minimum(4 + length[begins], _SIZE - _PES_START)
    rows = np.arange(len(heads))
    announced = heads[rows, at + 4].astype(np.int64) << 8 | heads[rows, at + 5]
    carried = np.add.reduceat(184 - length, np.flatnonzero(begins))
    complete: npt.NDArray[np.bool_] = padded[last] | ((announced > 0) & (carried >= announced + 6))
    return complete
