"""One job, and how it is cut into tasks.

A task is the unit of scheduling, storage and retry. Without slices it is `io_packet_size` rows of the sinks; with
them it is one whole slice group. Where an op asks for all rows at once (`WHOLE_STREAM_BATCH`) and nothing is sliced,
the job is one task. A cut is a lazy sequence of a few numbers, so that 20,000 planned jobs stay small.
A task has at least one row: empty groups have no task, and a job of no rows has none at all (it is done at once).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from scannerpy._graph.graph import JobArgs, Vertex
from scannerpy._plan.rows import Rows
from scannerpy._plan.sampling import RowMap


@dataclass(frozen=True, slots=True)
class Task:
    """Rows [start, end) of slice group `group` of a job. For an unsliced graph `group` is 0 and rows are sink rows;
    for a sliced one the task is the whole group and [start, end) are the sink rows it yields.
    """

    group: int
    start: int
    end: int

    @property
    def rows(self) -> int:
        """How many rows each sink stores of it."""
        return self.end - self.start


class TaskCut(Sequence[Task]):
    """The tasks of a job, in order; together they are its sink rows."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Task, ...]: ...
    def __getitem__(self, index: int | slice) -> Task | tuple[Task, ...]:
        if isinstance(index, slice):
            return tuple(self.task(i) for i in range(*index.indices(len(self))))
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"there is no task {index}: the job has {len(self)}")
        return self.task(number)

    def task(self, number: int) -> Task:
        """Return task `number`, which is within bounds."""
        raise NotImplementedError

    def starts(self) -> Rows:
        """Return the first sink row of every task."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class EvenCut(TaskCut):
    """`rows` sink rows, `size` at a time; the last task may be shorter."""

    rows: int
    size: int

    def __len__(self) -> int:
        return (self.rows + self.size - 1) // self.size

    def task(self, number: int) -> Task:
        """See `TaskCut`."""
        start = number * self.size
        return Task(0, start, min(start + self.size, self.rows))

    def starts(self) -> Rows:
        """See `TaskCut`."""
        return np.arange(0, self.rows, self.size, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class GroupCut(TaskCut):
    """One task per slice group that has rows: `groups` are their numbers, ``ends`` where their sink rows end."""

    groups: Rows
    ends: Rows

    def __len__(self) -> int:
        return len(self.groups)

    def task(self, number: int) -> Task:
        """See `TaskCut`."""
        start = int(self.ends[number - 1]) if number else 0
        return Task(int(self.groups[number]), start, int(self.ends[number]))

    def starts(self) -> Rows:
        """See `TaskCut`."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]]) if len(self.ends) else self.ends


def group_cut(sizes: Sequence[int]) -> GroupCut:
    """Cut groups that yield `sizes` sink rows each."""
    rows = np.asarray(sizes, np.int64)
    some = np.flatnonzero(rows)
    return GroupCut(some, np.cumsum(rows[some]))


@dataclass(frozen=True, slots=True, eq=False)
class JobPlan:
    """One job: its arguments, the size of every vertex's domain, and its tasks.

    ``domains[v]`` holds the number of rows vertex v yields in each slice group (one entry where v is unsliced).
    ``maps[v]`` holds, for a sampler or slice, where its rows come from: one map per slice group (one where unsliced).
    """

    args: JobArgs
    source_rows: tuple[int, ...]  # in the order of graph.sources
    domains: tuple[tuple[int, ...], ...]
    rows: int  # rows each sink stores
    tasks: TaskCut
    maps: Mapping[int, Sequence[RowMap]]

    def arguments_of(self, vertex: Vertex) -> Mapping[str, Any]:
        """The arguments of a source or sink in this job: those common to all jobs, updated by its own."""
        own = self.args.get(vertex.number)
        return {**vertex.args, **(own if isinstance(own, Mapping) else {})}

    def __repr__(self) -> str:
        return f"JobPlan(source_rows={self.source_rows}, rows={self.rows}, tasks={len(self.tasks)})"
