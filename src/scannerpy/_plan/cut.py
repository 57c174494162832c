"""Cutting a video without encoding it: which packets of a stretch of rows are copied, which frames must be encoded.

Packets may be taken over where nothing inside leans on what is left outside. That gives one block per stretch: it
begins at a packet that decoding can start from and after which no earlier frame is shown (a closed group of pictures),
and ends wherever all packets so far have shown exactly the frames so far. The frames before and after it are the edges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scannerpy._plan.decode import Ints, damaged_rows, row_of_packet
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


def pieces(index: VideoIndex, start: int, end: int, may_enter: Callable[[int], bool]) -> list[Piece]:
    """Return how rows [start, end) are put together, in order.

    `may_enter` says of a packet whether a decoder that has just shown other frames can go on with it; it is asked of
    the few packets that could begin the block, the first first.
    """
    block = _block(index, start, end, may_enter)
    if block is None:
        return [Encode(start, end)]
    head = [Encode(start, block.start)] if block.start > start else []
    tail = [Encode(block.end, end)] if block.end < end else []
    return [*head, block, *tail]


def _block(index: VideoIndex, start: int, end: int, may_enter: Callable[[int], bool]) -> Copy | None:
    rows = row_of_packet(index)
    closed, shown = _closed(rows)
    leads = (rows == shown[:-1]) & closed[:-1] & ((index.flags & START) != 0)  # shown before all that follow it
    places = np.flatnonzero(leads & (rows >= start) & (rows < end)).tolist()
    first = next((place for place in places if may_enter(place)), None)
    if first is None:
        return None
    stop = int(np.flatnonzero(closed & (shown <= end))[-1])
    block = Copy(first, stop, int(shown[first]), int(shown[stop]))
    whole = stop - first == block.end - block.start  # every packet has a frame of its own
    return block if whole and stop > first and not damaged_rows(index)[block.start : block.end].any() else None


def _closed(rows: Ints) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Ints]:
    """For each place between packets: whether those before it show the first so many rows, and how many that is."""
    shown = np.concatenate(([0], np.cumsum(rows >= 0)))
    latest = np.concatenate(([-1], np.maximum.accumulate(rows))) if len(rows) else np.array([-1])
    return latest + 1 == shown, shown
