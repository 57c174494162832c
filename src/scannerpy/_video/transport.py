"""What a transport stream (TS) says about its own losses.

A TS numbers its packets (modulo 16) and pads the last packet of each unit (PES), so it tells where bytes are missing
even from codecs whose decoders would not notice: HEVC, for one, shows half a picture without a word. FFmpeg's own
mark of damage is not used, as it also falls on streams that were simply put one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
_SYNC, _SIZE = 0x47, 188
_PADDED = ((188, 0), (192, 4))  # distance of packets, position of the sync byte: plain, and with a time in front
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
    data = np.memmap(file, np.uint8, mode="r")
    framed = _framed(data)
    if framed is None:
        return None
    packets, distance = framed
    positions = np.arange(len(packets), dtype=np.int64) * distance
    is_cut = len(data) % distance != 0
    own = (((packets[:, 1] & 0x1F).astype(np.int64) << 8) | packets[:, 2]) == pid
    own &= (packets[:, 3] & 0x10) != 0  # carries payload
    begins = own & ((packets[:, 1] & 0x40) != 0)
    if not begins.any():
        return Losses(is_cut=is_cut)
    own[: int(np.argmax(begins))] = False  # the rest of a unit whose beginning was cut off
    return replace(_judge(packets[own, :6], begins[own], positions[own], packets[begins]), is_cut=is_cut)


def _framed(data: Bytes) -> tuple[Bytes, int] | None:
    """Cut the file into its packets and return them with their distance; None when some do not begin as they must."""
    for distance, sync in _PADDED:
        count = (len(data) - sync - _SIZE) // distance + 1
        if count < 1:
            continue
        strided = np.lib.stride_tricks.as_strided(data[sync:], (count, _SIZE), (distance, 1))
        if (strided[:, 0] == _SYNC).all():
            return strided, distance
    return None


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
