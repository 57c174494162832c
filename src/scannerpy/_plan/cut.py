"""Planning a cut without re-encoding: which packets of a range of rows are copied, which frames are encoded.

Packets may be copied where nothing inside refers to what is left outside. That gives one block per range: it
begins at a packet that decoding can start from and after which no earlier frame is shown (a closed group of pictures),
and ends wherever all packets so far have shown exactly the frames so far. The frames before and after it are the edges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scannerpy._plan.decode import damaged_rows, row_of_packet
from scannerpy._words.video import START, VideoIndex


@dataclass(frozen=True, slots=True)
class Copy:
    """Packets [first, stop) as they are. They show rows [start, end), and only those."""

    first: int
    stop: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Encode:
    """Rows [start, end), to be encoded."""

    start: int
    end: int


Piece = Copy | Encode


class Cutter:
    """Cuts ranges out of one video; what all ranges need to know of it is computed once."""

    def __init__(self, index: VideoIndex, may_enter: Callable[[int], bool]) -> None:
        """`may_enter` says of a packet whether a decoder that has just shown other frames can go on with it.

        It is asked of the few packets that could begin a block, the first first.
        """
        rows = row_of_packet(index)
        self._may_enter = may_enter
        self._damaged = damaged_rows(index)
        self._shown = np.concatenate(([0], np.cumsum(rows >= 0)))  # by the packets before each place
        latest = np.concatenate(([-1], np.maximum.accumulate(rows)))
        self._closed = latest + 1 == self._shown  # those before the place show the first so many rows
        leads = self._closed[:-1] & (rows == self._shown[:-1]) & ((index.flags & START) != 0)
        self._entries = np.flatnonzero(leads)  # shown before all that follow them
        self._ends = np.flatnonzero(self._closed)

    def pieces(self, start: int, end: int) -> list[Piece]:
        """Return how rows [start, end) are put together, in order."""
        block = self._block(start, end)
        if block is None:
            return [Encode(start, end)]
        head = [Encode(start, block.start)] if block.start > start else []
        tail = [Encode(block.end, end)] if block.end < end else []
        return [*head, block, *tail]

    def _block(self, start: int, end: int) -> Copy | None:
        low, high = np.searchsorted(self._shown[self._entries], (start, end))
        first = next((place for place in self._entries[low:high].tolist() if self._may_enter(place)), None)
        if first is None:
            return None
        stop = int(self._ends[np.searchsorted(self._shown[self._ends], end, side="right") - 1])
        block = Copy(first, stop, int(self._shown[first]), int(self._shown[stop]))
        whole = stop - first == block.end - block.start  # every packet has a frame of its own
        return block if whole and stop > first and not self._damaged[block.start : block.end].any() else None
