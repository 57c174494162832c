"""The partitions of `cl.partitioner`: how a stream of n rows is cut into groups.

Unlike samplers, partitions promise their groups: an end or a row beyond the stream is an error, not clamped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from scannerpy._graph.node import Partition
from scannerpy._plan.rows import Rows
from scannerpy._plan.sampling import Affine, BadArgument, RowMap, interval_list, row_list, table, whole_number


@dataclass(frozen=True, slots=True, eq=False)
class Groups(Sequence[RowMap]):
    """One row map per group; regular ones are kept as two arrays and made on demand (there may be a million)."""

    starts: Rows
    sizes: Rows
    step: int
    lists: tuple[Rows, ...] = ()  # gather: the rows of each group; `starts` is then not used

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, index: int) -> RowMap: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RowMap, ...]: ...
    def __getitem__(self, index: int | slice) -> RowMap | tuple[RowMap, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if self.lists:
            return table(self.lists[index])
        return Affine(int(self.starts[index]), self.step, int(self.sizes[index]))


def groups(partition: Partition, size: int) -> Groups:
    """Return the groups that `partition` makes of `size` rows.

    Raises BadArgument for an unknown kind, a wrong argument, or rows beyond the stream.
    """
    try:
        cut = PARTITIONS[partition.kind]
    except KeyError:
        raise BadArgument(f"there is no partition {partition.kind!r}; there are {', '.join(PARTITIONS)}") from None
    return cut(partition.args, size)


def _chunks(args: Mapping[str, Any], size: int, stride: int) -> Groups:
    group = whole_number(args, "group_size", least=1)
    rows = -(-size // stride)
    firsts = np.arange(0, rows, group, dtype=np.int64)
    return Groups(firsts * stride, np.minimum(group, rows - firsts), stride)


def _intervals(args: Mapping[str, Any], size: int, stride: int) -> Groups:
    starts, ends = interval_list(args)
    beyond = np.flatnonzero(ends > size)
    if len(beyond):
        start, end = int(starts[beyond[0]]), int(ends[beyond[0]])
        raise BadArgument(f"the group [{start}, {end}) ends beyond the stream, which has {size} rows")
    return Groups(starts, -((starts - ends) // stride), stride)


def _one_interval(args: Mapping[str, Any], size: int, stride: int) -> Groups:
    start, end = whole_number(args, "start", least=0), whole_number(args, "end", least=0)
    return _intervals({"intervals": [(start, end)]}, size, stride)


def _gather(args: Mapping[str, Any], size: int) -> Groups:
    if "groups" not in args:
        raise BadArgument("the argument 'groups' is missing")
    lists = tuple(row_list(rows, f"the rows of group {number}") for number, rows in enumerate(args["groups"]))
    for number, rows in enumerate(lists):
        if len(rows) and int(rows.max()) >= size:
            raise BadArgument(f"group {number} holds row {int(rows.max())}, but the stream has only {size} rows")
    sizes = np.array([len(rows) for rows in lists], np.int64)
    return Groups(np.zeros_like(sizes), sizes, 1, lists)


def _stride_of(args: Mapping[str, Any]) -> int:
    return whole_number(args, "stride", least=1)


PARTITIONS: Mapping[str, Callable[[Mapping[str, Any], int], Groups]] = {
    "all": lambda args, size: _chunks(args, size, 1),
    "strided": lambda args, size: _chunks(args, size, _stride_of(args)),
    "range": lambda args, size: _one_interval(args, size, 1),
    "ranges": lambda args, size: _intervals(args, size, 1),
    "strided_range": lambda args, size: _one_interval(args, size, _stride_of(args)),
    "strided_ranges": lambda args, size: _intervals(args, size, _stride_of(args)),
    "gather": _gather,
}
"""What each partition's arguments mean, by the name it has in `cl.partitioner`."""
