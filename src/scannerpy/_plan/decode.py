"""Planning a decode: from rows to the packets that must be fed, where to start, where to stop, what to leave out.

Pure arithmetic on a `VideoIndex`. The decoder carries spans out, the planner prices them, and both use this file, so
that what `explain()` announces is what happens.

The two rules everything follows from:

* a row may be decoded from a START packet s when its own packet is not before s *and* it is not presented before the
  frame of s (pictures that are stored after s but shown before it may refer to the GOP before: an "open" GOP);
* a NONREF packet whose frame is not wanted is not fed to the decoder at all.

Surprising: a packet that yields no row and is not DISCARD belongs to the frame before it (the second field of an
interlaced picture, an empty packet of MPEG-4), so a frame is complete only when those have been fed too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from scannerpy._words.video import DAMAGED, DISCARD, NO_TIME, NONREF, START, VideoIndex

Ints = npt.NDArray[np.int64]

REMEMBERED = 16
"""Frames a decoder keeps of those it gave out: to go back no further costs nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One run of the decoder: open it at packet `first`, feed `packets`, expect `rows` to come out.

    `packets` are ascending, within [first, last]; `rows` are ascending and unique. Nothing after `last` is needed.
    """

    first: int
    last: int
    rows: Ints
    packets: Ints


@dataclass(frozen=True, slots=True)
class DecodeCost:
    """What a set of rows costs: frames decoded, packets and bytes read, and groups of pictures entered."""

    frames: int
    packets: int
    bytes: int
    gops: int


class Layout:
    """What spans need to know of an index, computed once (some milliseconds for a million frames)."""

    def __init__(self, index: VideoIndex) -> None:
        self.index = index
        self.row_of = row_of_packet(index)
        self.starts, self.start_rows = _starts(index, self.row_of)
        self.complete = _completing_packet(index, self.row_of)
        self.droppable = (index.flags & NONREF) != 0
        fed = ~self.droppable
        self._fed_before = _sums(fed)
        self._bytes_before = _sums(np.where(fed, index.size, 0))

    def affected_by(self, packets: Ints) -> npt.NDArray[np.bool_]:
        """Return, for every row, whether its frame may be wrong when those of `packets` are."""
        leaning = np.zeros(self.index.rows, bool)
        rows = self.row_of[packets[self.droppable[packets]]]
        leaning[rows[rows >= 0]] = True
        others = packets[~self.droppable[packets]]
        following = np.searchsorted(self.starts, others, side="right")
        own, row = self.index.frame_packet, np.arange(self.index.rows)
        for number in np.unique(following).tolist():
            broken = own >= others[following == number].min()
            if number < len(self.starts):
                broken &= (own < self.starts[number]) | (row < self.start_rows[number])
            leaning |= broken
        return leaning

    def spans(self, rows: Ints) -> Spans:
        """Return the spans that yield `rows` (ascending, unique, all within the video)."""
        return Spans(self, np.asarray(rows, dtype=np.int64))

    def must_feed(self, first: Ints | int, last: Ints | int) -> Ints:
        """How many packets of [first, last] have to be fed even if their frames are not wanted."""
        return self._fed_before[last + 1] - self._fed_before[first]

    def must_read(self, first: Ints | int, last: Ints | int) -> Ints:
        """The bytes of those packets."""
        return self._bytes_before[last + 1] - self._bytes_before[first]

    def start_of(self, rows: Ints) -> Ints:
        """Return, for ascending rows, the number of the start each is decoded from; never falling."""
        if not len(rows):
            return np.zeros(0, np.int64)
        by_packet = np.searchsorted(self.starts, self.index.frame_packet[rows], side="right") - 1
        by_row = np.searchsorted(self.start_rows, rows, side="right") - 1
        number = np.minimum(by_packet, by_row)
        # An earlier start serves a row just as well, so ties are broken towards one run for neighbouring rows.
        return np.minimum.accumulate(number[::-1])[::-1]


class Spans(Sequence[Span]):
    """The spans of a request, made one by one as they are asked for (a request may need hundreds of thousands)."""

    def __init__(self, layout: Layout, rows: Ints) -> None:
        self._layout = layout
        self._rows = rows
        self.first, self.last, self._begin = _cut(layout, rows)

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, n: int) -> Span: ...
    @overload
    def __getitem__(self, n: slice) -> list[Span]: ...
    def __getitem__(self, n: int | slice) -> Span | list[Span]:
        if isinstance(n, slice):
            return [self[k] for k in range(*n.indices(len(self)))]
        n = range(len(self))[n]
        rows = self._rows[self._begin[n] : self._begin[n + 1]]
        first, last = int(self.first[n]), int(self.last[n])
        return Span(first, last, rows, self._fed(first, last, rows))

    def __iter__(self) -> Iterator[Span]:
        return (self[n] for n in range(len(self)))

    def _fed(self, first: int, last: int, rows: Ints) -> Ints:
        layout = self._layout
        fed = ~layout.droppable[first : last + 1]
        fed[layout.index.frame_packet[rows] - first] = True
        return np.flatnonzero(fed).astype(np.int64) + first

    def cost(self) -> DecodeCost:
        """Add up what carrying out all spans costs."""
        layout, index = self._layout, self._layout.index
        wanted = index.frame_packet[self._rows]
        extra = wanted[layout.droppable[wanted]]
        packets = int(layout.must_feed(self.first, self.last).sum()) + len(extra)
        size = int(layout.must_read(self.first, self.last).sum() + index.size[extra].sum())
        entered = np.searchsorted(layout.starts, self.last, side="right") - np.searchsorted(layout.starts, self.first)
        # Where all is droppable (each packet stands alone) a GOP counts only if it is really decoded.
        return DecodeCost(packets, packets, size, min(int(entered.sum()), packets))


def spans(index: VideoIndex, rows: Ints) -> Spans:
    """Return the spans that yield `rows` (ascending, unique)."""
    return Layout(index).spans(rows)


def cost(index: VideoIndex, rows: Ints) -> DecodeCost:
    """Return what decoding `rows` (ascending, unique) costs."""
    return spans(index, rows).cost()


def damaged_rows(index: VideoIndex) -> npt.NDArray[np.bool_]:
    """Return, for every row, whether it is known to be damaged or to depend on what is."""
    damaged = np.flatnonzero(index.flags & DAMAGED)
    return Layout(index).affected_by(damaged) if len(damaged) else np.zeros(index.rows, bool)


def reorder_depth(index: VideoIndex) -> int:
    """How many frames a decoder must hold back so that frames leave it in presentation order: 0 without B-frames.

    The most there can be, where times do not tell the whole order.
    """
    packet = np.argsort(index.pts, kind="stable")
    shown = packet[(index.flags[packet] & DISCARD) == 0]
    told = (np.diff(index.pts[packet]) > 0).all() and (index.pts != NO_TIME).all()
    if not told or not np.array_equal(shown, index.frame_packet):
        return _MOST_REORDERED
    held = np.zeros(len(packet), np.int64)
    for ahead in range(1, min(_MOST_REORDERED * 2, len(packet))):
        earlier = packet[ahead:] < packet[:-ahead]
        if not earlier.any() and ahead > _MOST_REORDERED:
            break
        held[:-ahead] += earlier
    return min(int(held.max(initial=0)), _MOST_REORDERED)


_MOST_REORDERED = 16  # H.264 and HEVC hold at most 16 pictures


def _sums(values: npt.NDArray[Any]) -> Ints:
    """Return the sums of the first 0, 1, 2 … values."""
    return np.concatenate(([0], np.cumsum(values))).astype(np.int64)


def row_of_packet(index: VideoIndex) -> Ints:
    """Return the row each packet yields, −1 for none."""
    row_of = np.full(index.packets, -1, np.int64)
    row_of[index.frame_packet] = np.arange(index.rows)
    return row_of


def _starts(index: VideoIndex, row_of: Ints) -> tuple[Ints, Ints]:
    """Return the packets decoding may start from and, for each, the first row it is exact for; both ascending.

    Packet 0 is always one of them: decoding everything from the beginning is exact by definition.
    """
    packets = np.flatnonzero(index.flags & START).astype(np.int64)
    rows = row_of[packets]
    hidden = (rows < 0) & (index.pts[packets] != NO_TIME)
    rows[hidden] = np.searchsorted(index.frame_pts, index.pts[packets][hidden])
    usable = (rows >= 0) & (packets > 0)
    packets, rows = packets[usable], rows[usable]
    rising = rows == np.maximum.accumulate(rows)
    zero = np.zeros(1, np.int64)
    return np.concatenate((zero, packets[rising])), np.concatenate((zero, rows[rising]))


def _completing_packet(index: VideoIndex, row_of: Ints) -> Ints:
    """For each packet, the last one that adds to its frame: itself, or the rowless ones that follow it."""
    own = (row_of >= 0) | ((index.flags & DISCARD) != 0)
    following = np.where(own, np.arange(index.packets), index.packets)
    following = np.append(np.minimum.accumulate(following[::-1])[::-1][1:], index.packets)
    return (following - 1).astype(np.int64)


def _cut(layout: Layout, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Cut rows into runs: a new one begins where jumping to a later start saves decoding."""
    if not len(rows):
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(1, np.int64)
    start = layout.starts[layout.start_of(rows)]
    own = layout.index.frame_packet[rows]
    if layout.droppable.all():
        start = np.minimum(start, own)
    begin = np.concatenate(([0], np.flatnonzero(np.diff(start)) + 1))
    last = np.maximum.accumulate(np.maximum.reduceat(layout.complete[own], begin))
    gap_first, gap_last = last[:-1] + 1, start[begin[1:]] - 1
    gap = gap_last >= gap_first
    saved = np.where(gap, layout.must_feed(np.where(gap, gap_first, 0), np.where(gap, gap_last, 0)), 0)
    runs = np.concatenate(([0], np.flatnonzero(saved) + 1))
    ends = np.append(runs[1:], len(begin)) - 1
    return start[begin[runs]], last[ends], np.append(begin[runs], len(rows)).astype(np.int64)
