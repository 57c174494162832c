"""Row numbers as numpy arrays: the few set operations the planner needs, quick where rows are consecutive.

Everywhere in `_plan` a *set* of rows is an int64 array, ascending and unique. Most are consecutive runs, which is seen
from the two ends alone (`contiguous`); then unions, positions and gaps cost no sorting. −1 is a null, never in a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EMPTY: Rows = np.empty(0, np.int64)
"""The empty set."""

_DENSE = 16
"""A bitmap beats sorting while the rows span no more than this many times their number."""


def span(start: int, end: int) -> Rows:
    """Return the rows [start, end)."""
    return np.arange(start, end, dtype=np.int64)


def contiguous(rows: Rows) -> bool:
    """Whether a set is one run without gaps (the empty set is)."""
    size = len(rows)
    return size == 0 or rows.item(-1) - rows.item(0) + 1 == size


def as_set(rows: Rows) -> Rows:
    """Return the distinct rows of any array, ascending; nulls are left out."""
    if len(rows) == 0:
        return EMPTY
    low, high = int(rows.min()), int(rows.max())
    if low < 0:
        return as_set(rows[rows >= 0])
    if high - low >= _DENSE * len(rows):
        ordered = np.sort(rows)
        return ordered[first_of_each(ordered)]
    present = np.zeros(high - low + 1, np.bool_)
    present[rows - low] = True
    return np.flatnonzero(present) + low


def first_of_each(ordered: Rows) -> Flags:
    """Mark the first of each run of equal values in a sorted array that is not empty."""
    marks = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=marks[1:])
    return marks


def union(sets: Sequence[Rows]) -> Rows:
    """Return the union of sets; the very same array where all are one array, so that later steps see it is."""
    if len(sets) == 1:
        return sets[0]
    distinct = list({id(each): each for each in sets if len(each)}.values())
    if len(distinct) < 2:
        return distinct[0] if distinct else EMPTY
    return _joined_runs(distinct) if all(map(contiguous, distinct)) else as_set(np.concatenate(distinct))


def _joined_runs(runs: list[Rows]) -> Rows:
    ends = sorted((run.item(0), run.item(-1) + 1) for run in runs)
    reach = ends[0][1]
    for (_, _), (start, end) in pairwise(ends):
        if start > reach:
            return as_set(np.concatenate(runs))
        reach = max(reach, end)
    return span(ends[0][0], reach)


def positions(among: Rows, wanted: Rows, *, nulls: bool = False) -> Rows:
    """Return the position of each of `wanted` (any shape, all of them present) in the set `among`; null stays −1.

    Pass ``nulls=True`` where `wanted` may hold nulls.
    """
    if len(among) == 0:
        return np.full(wanted.shape, -1, np.int64)
    if nulls:
        return np.where(wanted < 0, -1, positions(among, np.maximum(wanted, among[0])))  # a null may look anywhere
    return wanted - among[0] if contiguous(among) else _found(among, wanted)


def _found(among: Rows, wanted: Rows) -> Rows:
    low, extent = among.item(0), among.item(-1) - among.item(0) + 1
    if extent > _DENSE * len(among):
        return np.searchsorted(among, wanted)
    place = np.empty(extent, np.int64)  # uninitialized where it is never read
    place[among - low] = span(0, len(among))
    return place[wanted - low]


def members(rows: Rows, chosen: Rows) -> Flags:
    """Mark the rows of a set that are in `chosen`, a subset of it."""
    marks = np.zeros(len(rows), np.bool_)
    if len(chosen) and contiguous(rows) and contiguous(chosen):
        first = chosen.item(0) - rows.item(0)
        marks[first : first + len(chosen)] = True
    else:
        marks[positions(rows, chosen)] = True
    return marks


def run_starts(rows: Rows) -> Flags:
    """Mark the rows of a set that do not follow the row before them: the first one, and each after a gap."""
    marks = np.zeros(len(rows), np.bool_)
    if len(rows):
        marks[0] = True
        if not contiguous(rows):
            np.not_equal(rows[1:] - rows[:-1], 1, out=marks[1:])
    return marks


def with_warmup(rows: Rows, warmup: int) -> Rows:
    """Return a set joined with the `warmup` rows before each of its rows, as far as there are any."""
    if len(rows) == 0 or warmup == 0:
        return rows
    if contiguous(rows):
        return span(max(0, rows.item(0) - warmup), rows.item(-1) + 1)
    before = np.empty_like(rows)
    before[0] = -1
    before[1:] = rows[:-1]
    first = np.maximum(rows - warmup, before + 1)
    np.maximum(first, 0, out=first)
    return concatenated_runs(first, rows + 1)


def concatenated_runs(starts: Rows, ends: Rows) -> Rows:
    """Return the runs [start, end), one after the other, as one array."""
    sizes = ends - starts
    offsets = np.cumsum(sizes) - sizes
    return np.repeat(starts - offsets, sizes) + span(0, int(sizes.sum()))


class Stencil:
    """What the planner asks of a stencil, found once: its offsets as an array, the extremes, the widest hole."""

    __slots__ = ("high", "hole", "low", "offsets")

    def __init__(self, offsets: Sequence[int]) -> None:
        self.offsets: Rows = np.asarray(offsets, np.int64)
        self.low, self.high = min(offsets), max(offsets)
        self.hole = max((b - a for a, b in pairwise(sorted(offsets))), default=0)

    def windows(self, rows: Rows, size: int) -> Rows:
        """Return ``[len(rows), len(offsets)]``: each row's neighbours, clamped to the domain [0, size)."""
        seen = rows[:, None] + self.offsets
        if len(rows) and (rows.item(0) + self.low < 0 or rows.item(-1) + self.high >= size):
            np.minimum(seen, size - 1, out=seen)
            np.maximum(seen, 0, out=seen)
        return seen

    def seen(self, rows: Rows, window: Rows, size: int) -> Rows:
        """Return the set of rows that `window` (as `windows` makes it of the set `rows`) mentions."""
        if len(rows) == 0:
            return EMPTY
        if not contiguous(rows) or self.hole > len(rows):
            return as_set(window.ravel())
        start, end = rows.item(0) + self.low, rows.item(-1) + self.high
        return span(min(max(start, 0), size - 1), min(max(end, 0), size - 1) + 1)


@cache
def stencil(offsets: tuple[int, ...]) -> Stencil:
    """Return a stencil; the same one for the same offsets."""
    return Stencil(offsets)
