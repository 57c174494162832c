"""The samplers of `cl.streams`: how many rows come out of n, and which row each of them is.

`row_map` turns a sampler's name and arguments, for an input of n rows, into a `RowMap`: a small value that knows its
`length` and, for any of its own rows, the input rows they are (`source`, −1 for null). All samplers are one of five
such maps, and so is every group of a slice (`slicing`). Out come only checked maps: whatever is wrong with the
arguments raises `BadArgument`, which `make_plan` turns into a GraphError with the op's line and the stream's number.

An end beyond the input is no error here: each range is clamped by itself, and `Gather` drops what lies beyond.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scannerpy._plan.rows import Rows, contiguous


class BadArgument(ValueError):
    """A sampler's or partition's argument is wrong; the text is the half sentence that says how."""


class RowMap(Protocol):
    """Where the rows of a sampled stream come from."""

    @property
    def length(self) -> int:
        """How many rows come out."""

    @property
    def ascending(self) -> bool:
        """Whether sources strictly ascend (so they are a set as they stand) and none is null."""

    @property
    def nulls(self) -> bool:
        """Whether some rows are null."""

    def source(self, rows: Rows) -> Rows:
        """Return the input row of each of `rows`, which lie in [0, length); −1 for null."""


@dataclass(frozen=True, slots=True)
class Affine:
    """Row j is input row ``start + j·step``."""

    start: int
    step: int
    length: int

    @property
    def ascending(self) -> bool:
        """Always: steps are positive."""
        return True

    @property
    def nulls(self) -> bool:
        """Never."""
        return False

    def source(self, rows: Rows) -> Rows:
        """See `RowMap`."""
        scaled = rows if self.step == 1 else rows * self.step
        return scaled + self.start if self.start else scaled


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Several affine runs, one after the other: piece k starts with row ``firsts[k]``, input row ``starts[k]``."""

    starts: Rows
    firsts: Rows
    step: int
    length: int
    ascending: bool

    @property
    def nulls(self) -> bool:
        """Never."""
        return False

    def source(self, rows: Rows) -> Rows:
        """See `RowMap`."""
        piece = np.searchsorted(self.firsts, rows, side="right") - 1
        return self.starts[piece] + (rows - self.firsts[piece]) * self.step


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Row j is input row ``rows[j]``: any order, with duplicates."""

    rows: Rows
    ascending: bool

    @property
    def length(self) -> int:
        """As many as are listed."""
        return len(self.rows)

    @property
    def nulls(self) -> bool:
        """Never."""
        return False

    def source(self, rows: Rows) -> Rows:
        """See `RowMap`."""
        if len(rows) and contiguous(rows):
            return self.rows[int(rows[0]) : int(rows[-1]) + 1]
        return self.rows[rows]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Row j is input row ``j // spacing``."""

    spacing: int
    length: int

    @property
    def ascending(self) -> bool:
        """Only where nothing is repeated."""
        return self.spacing == 1

    @property
    def nulls(self) -> bool:
        """Never."""
        return False

    def source(self, rows: Rows) -> Rows:
        """See `RowMap`."""
        return rows // self.spacing


@dataclass(frozen=True, slots=True)
class Spaced:
    """Row j is input row ``j / spacing`` where that is whole, and null elsewhere."""

    spacing: int
    length: int

    @property
    def ascending(self) -> bool:
        """Only where nothing is inserted."""
        return self.spacing == 1

    @property
    def nulls(self) -> bool:
        """Where anything is inserted."""
        return self.spacing > 1

    def source(self, rows: Rows) -> Rows:
        """See `RowMap`."""
        whole, rest = np.divmod(rows, self.spacing)
        return np.where(rest == 0, whole, -1)


def row_map(name: str, args: Mapping[str, Any], size: int) -> RowMap:
    """Return where the rows of sampler `name` come from, for an input of `size` rows.

    Raises BadArgument for an unknown sampler, a missing or wrong argument, and negative or reversed ranges.
    """
    try:
        sampler = SAMPLERS[name]
    except KeyError:
        raise BadArgument(f"there is no such sampler; there are {', '.join(SAMPLERS)}") from None
    return sampler(args, size)


def table(rows: Rows) -> Table:
    """Return the map to the rows listed."""
    return Table(rows, ascending=bool((rows[1:] > rows[:-1]).all()))


def pieces(starts: Rows, ends: Rows, step: int) -> RowMap:
    """Return the map to every `step`-th row of each [start, end), one interval after the other."""
    sizes = -((starts - ends) // step)
    starts, sizes = starts[sizes > 0], sizes[sizes > 0]
    if len(starts) == 1:
        return Affine(int(starts[0]), step, int(sizes[0]))
    lasts = starts + (sizes - 1) * step
    firsts = np.cumsum(sizes) - sizes
    return Pieces(starts, firsts, step, int(sizes.sum()), ascending=bool((starts[1:] > lasts[:-1]).all()))


def whole_number(args: Mapping[str, Any], key: str, *, least: int) -> int:
    """Return argument `key` as an int, at least `least`."""
    if key not in args:
        raise BadArgument(f"the argument {key!r} is missing")
    try:
        value = operator.index(args[key])
    except TypeError:
        raise BadArgument(f"{key} must be a whole number, not {args[key]!r}") from None
    if value < least:
        raise BadArgument(f"{key} is {value}; it must be at least {least}")
    return value


def row_list(values: Any, what: str) -> Rows:
    """Return a list of row numbers as an array; none may be negative."""
    try:
        given = np.asarray(values)
    except ValueError:  # ragged
        given = np.empty((0, 0), object)
    if given.size == 0 and given.ndim == 1:
        return np.empty(0, np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise BadArgument(f"{what} must be a list of whole numbers, not {_shown(values)}")
    rows = given.astype(np.int64)
    if (rows < 0).any():
        raise BadArgument(f"{what} hold the negative row {int(rows.min())}; rows count from 0")
    return rows


def interval_list(args: Mapping[str, Any]) -> tuple[Rows, Rows]:
    """Return the starts and ends of argument ``intervals``; none may be negative or reversed."""
    if "intervals" not in args:
        raise BadArgument("the argument 'intervals' is missing")
    try:
        given = np.asarray(list(args["intervals"]))
    except (TypeError, ValueError):
        given = np.empty(0, object)
    if given.size == 0 and given.ndim <= 2 and given.dtype.kind != "O":
        given = np.empty((0, 2), np.int64)
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu":
        raise BadArgument(f"intervals must be a list of (start, end) rows, not {_shown(args['intervals'])}")
    starts, ends = given.astype(np.int64).T
    _check_intervals(starts, ends)
    return starts, ends


def _check_intervals(starts: Rows, ends: Rows) -> None:
    wrong = np.flatnonzero((starts < 0) | (starts > ends))
    if not len(wrong):
        return
    start, end = int(starts[wrong[0]]), int(ends[wrong[0]])
    if start < 0:
        raise BadArgument(f"the range [{start}, {end}) starts before row 0")
    raise BadArgument(f"the range [{start}, {end}) ends before it starts")


def _range(args: Mapping[str, Any], size: int) -> RowMap:
    return _affine(args, size, 1)


def _affine(args: Mapping[str, Any], size: int, stride: int) -> RowMap:
    start = whole_number(args, "start", least=0)
    end = whole_number(args, "end", least=0)
    if start > end:
        raise BadArgument(f"the range [{start}, {end}) ends before it starts")
    return Affine(start, stride, -((start - max(start, min(end, size))) // stride))


def _ranges(args: Mapping[str, Any], size: int, stride: int = 1) -> RowMap:
    starts, ends = interval_list(args)
    return pieces(starts, np.maximum(starts, np.minimum(ends, size)), stride)


def _stride(args: Mapping[str, Any], size: int) -> RowMap:
    stride = whole_number(args, "stride", least=1)
    return Affine(0, stride, -(-size // stride))


def _gather(args: Mapping[str, Any], size: int) -> RowMap:
    if "rows" not in args:
        raise BadArgument("the argument 'rows' is missing")
    rows = row_list(args["rows"], "the rows")
    inside = rows < size
    return table(rows if inside.all() else rows[inside])


def _spacing(args: Mapping[str, Any]) -> int:
    return whole_number(args, "spacing", least=1)


def _stride_of(args: Mapping[str, Any]) -> int:
    return whole_number(args, "stride", least=1)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


SAMPLERS: Mapping[str, Callable[[Mapping[str, Any], int], RowMap]] = {
    "All": lambda _args, size: Affine(0, 1, size),
    "Stride": _stride,
    "Range": _range,
    "Ranges": _ranges,
    "StridedRange": lambda args, size: _affine(args, size, _stride_of(args)),
    "StridedRanges": lambda args, size: _ranges(args, size, _stride_of(args)),
    "Gather": _gather,
    "Repeat": lambda args, size: Repeated(_spacing(args), size * _spacing(args)),
    "RepeatNull": lambda args, size: Spaced(_spacing(args), size * _spacing(args)),
}
"""What each sampler's arguments mean, by the name it has in `cl.streams`."""
