"""The demand of a task: which rows every vertex executes, and where each of its inputs comes from.

Comes in: a graph, one planned job, one task. Goes out: a `VertexDemand` per vertex. Rows are traced backwards, from
the sink rows of the task through samplers, slices, stencils and state to the source rows that must be read; nothing
that no sink needs is executed. In a sliced graph, numbers inside the slice are rows of the task's own group.

Surprising: an op that keeps state executes rows whose output is not used (its warm-up), and an op whose batch is
`WHOLE_STREAM_BATCH` executes its whole domain as soon as one of its rows is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scannerpy._graph.graph import Graph, Vertex
from scannerpy._plan.rows import (
    EMPTY,
    Flags,
    Rows,
    as_set,
    contiguous,
    members,
    positions,
    run_starts,
    span,
    stencil,
    union,
    with_warmup,
)
from scannerpy._plan.sampling import RowMap
from scannerpy._plan.task import JobPlan, Task


@dataclass(frozen=True, slots=True, eq=False)
class VertexDemand:
    """What one vertex does in one task. The arrays may be shared between vertices: read, never write.

    rows: the rows of its own domain it produces (global stored rows for a source), ascending and unique — for a
        sink, the task's [start, end).
    resets: for ops, True where `reset()` must come before that row: before the first, and after every gap (not within
        batches of an op that declares no state). A batch never crosses one.
    keep: for ops, False where a row is executed only to warm up state; its output is not used.
    takes: per input, an array (len(rows), window): positions in the producer's `rows`; −1 is null.
        The window is 1 wide but for stencils.
    """

    rows: Rows
    resets: Flags
    keep: Flags
    takes: tuple[Rows, ...]


def trace(graph: Graph, job: JobPlan, task: Task) -> tuple[VertexDemand, ...]:
    """Trace one task backwards from the sinks to the sources."""
    back = _Backward(job, task, len(graph.vertices))
    for vertex in reversed(graph.vertices):
        needs = back.visit(vertex)
        for edge in vertex.inputs:
            back.wanted[edge.vertex].append(needs)
    return tuple(back.demand(vertex) for vertex in graph.vertices)


class _CommonArrays:
    """The arrays that vertices of `size` rows have in common where nothing is unusual about them."""

    __slots__ = ("first", "no", "places", "yes")

    def __init__(self, size: int) -> None:
        self.no: Flags = np.zeros(size, np.bool_)
        self.yes: Flags = np.ones(size, np.bool_)
        self.first: Flags = np.zeros(size, np.bool_)
        self.first[:1] = True
        self.places: Rows = span(0, size)[:, None]  # what takes a producer's rows one by one
        for each in (self.no, self.yes, self.first, self.places):
            each.setflags(write=False)


_cached_arrays = lru_cache(maxsize=64)(_CommonArrays)
_MAX_CACHED = 4096
"""Sizes up to here are kept from task to task, as most tasks of a job are of one size: 64 of them take 3 MB at most."""


class _Backward:
    """One task on the way back: what is wanted of each vertex, then what it does and what it asks of its inputs.

    A vertex's window is an array of rows of its producers' domain (all its inputs share one domain).
    """

    def __init__(self, job: JobPlan, task: Task, vertices: int) -> None:
        self.job = job
        self.task = task
        self.stored = span(task.start, task.end)
        self.alike: dict[int, _CommonArrays] = {}
        self.wanted: list[list[Rows]] = [[] for _ in range(vertices)]
        self.rows: list[Rows] = [EMPTY] * vertices
        self.window: list[Rows] = [EMPTY] * vertices

    def visit(self, vertex: Vertex) -> Rows:
        """Find what `vertex` does; return the set of rows it needs of each of its inputs."""
        number = vertex.number
        if vertex.kind == "op":
            return self._op(vertex)
        rows = self.rows[number] = self.stored if vertex.kind == "sink" else union(self.wanted[number])
        if vertex.kind in {"sample", "slice"}:
            row_map = self._map(vertex)
            self.window[number] = row_map.source(rows)
            return self.window[number] if row_map.ascending else as_set(self.window[number])
        self.window[number] = rows - self.task.start if vertex.kind == "unslice" else rows
        return self.window[number]

    def _op(self, vertex: Vertex) -> Rows:
        number = vertex.number
        size = self.job.domains[number][self.task.group if vertex.level else 0]
        wanted = union(self.wanted[number])
        self.wanted[number] = [wanted]
        rows = self.rows[number] = executed(vertex, wanted, size)
        if vertex.stencil == (0,):
            self.window[number] = rows
            return rows
        around = stencil(vertex.stencil)
        self.window[number] = around.windows(rows, size)
        return around.seen(rows, self.window[number], size)

    def _map(self, vertex: Vertex) -> RowMap:
        inside = vertex.kind == "slice" or vertex.level
        return self.job.maps[vertex.number][self.task.group if inside else 0]

    def demand(self, vertex: Vertex) -> VertexDemand:
        """Join `vertex` to its producers, all of whose rows are known now."""
        rows = self.rows[vertex.number]
        alike = self._alike(len(rows))
        if vertex.kind != "op":
            return VertexDemand(rows, alike.no, alike.yes, self._takes(vertex))
        gaps_matter = vertex.stateful or vertex.batch == 1
        resets = run_starts(rows) if gaps_matter and not contiguous(rows) else alike.first
        wanted = self.wanted[vertex.number][0]
        keep = alike.yes if len(wanted) == len(rows) else members(rows, wanted)
        return VertexDemand(rows, resets, keep, self._takes(vertex))

    def _alike(self, size: int) -> _CommonArrays:
        known = self.alike.get(size)
        if known is None:
            known = self.alike[size] = _cached_arrays(size) if size <= _MAX_CACHED else _CommonArrays(size)
        return known

    def _takes(self, vertex: Vertex) -> tuple[Rows, ...]:
        window = self.window[vertex.number]
        nulls = vertex.kind == "sample" and self._map(vertex).nulls
        return tuple([self._take(self.rows[edge.vertex], window, nulls=nulls) for edge in vertex.inputs])

    def _take(self, produced: Rows, window: Rows, *, nulls: bool) -> Rows:
        if window is produced:
            return self._alike(len(produced)).places
        found = positions(produced, window, nulls=nulls)
        return found if found.ndim == 2 else found[:, None]


def executed(vertex: Vertex, wanted: Rows, size: int) -> Rows:
    """Return the set of rows an op runs so that the set `wanted` comes out right, in a domain of `size` rows."""
    if len(wanted) == 0:
        return wanted
    if vertex.whole:
        return wanted if len(wanted) == size else span(0, size)
    if vertex.unbounded:
        end = wanted.item(-1) + 1
        return wanted if len(wanted) == end else span(0, end)
    return with_warmup(wanted, vertex.warmup or 0)
