"""Which rows every vertex of a task executes, and where each of its inputs comes from.

Comes in: a graph, one planned job, one task. Goes out: a `VertexDemand` per vertex. Rows are traced backwards, from
the sink rows of the task through samplers, slices, stencils and state to the source rows that must be read; nothing
that no sink needs is executed. In a sliced graph, numbers inside the slice are rows of the task's own group.

Surprising: an op that keeps state executes rows nobody takes (its warm-up), and an op whose batch is
`WHOLE_STREAM_BATCH` executes its whole domain as soon as one of its rows is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scannerpy._graph.graph import Graph, Vertex
from scannerpy._plan.rows import NONE, Rows, as_set, fresh, positions, seen_through, span, union, warmed, windows
from scannerpy._plan.task import JobPlan, Task


@dataclass(frozen=True, slots=True, eq=False)
class VertexDemand:
    """What one vertex does in one task. The arrays may be shared between vertices: read, never write.

    rows: the rows of its own domain it produces (global stored rows for a source), ascending and unique — for a
        sink, the task's [start, end).
    resets: for ops, True where `reset()` must come before that row: before the first, and after every gap (not within
        batches of an op that declares no state). A batch never crosses one.
    keep: for ops, False where a row is executed only to warm up state; nobody takes its output.
    takes: per input, an array (len(rows), window): positions in the producer's `rows`; −1 is null.
        The window is 1 wide but for stencils.
    """

    rows: Rows
    resets: npt.NDArray[np.bool_]
    keep: npt.NDArray[np.bool_]
    takes: tuple[Rows, ...]


@dataclass(slots=True)
class _Asked:
    """A vertex on the way back: what its consumers want, then what it does, and what it asks of its inputs."""

    wanted: list[Rows]
    rows: Rows
    resets: npt.NDArray[np.bool_]
    keep: npt.NDArray[np.bool_]
    window: Rows  # rows of the producers' domain; the same for all inputs, which share one domain
    nulls: bool


def trace(graph: Graph, job: JobPlan, task: Task) -> tuple[VertexDemand, ...]:
    """Trace one task backwards from the sinks to the sources."""
    asked: list[_Asked] = [_Asked([], NONE, _FLAGS, _FLAGS, NONE, nulls=False) for _ in graph.vertices]
    for vertex in reversed(graph.vertices):
        needs = _look_back(vertex, asked[vertex.number], job, task)
        for edge in vertex.inputs:
            asked[edge.vertex].wanted.append(needs)
    return tuple(_joined(vertex, asked) for vertex in graph.vertices)


_FLAGS: npt.NDArray[np.bool_] = np.empty(0, np.bool_)


def _look_back(vertex: Vertex, it: _Asked, job: JobPlan, task: Task) -> Rows:
    """Fill in what `vertex` does; return the set of rows it needs of each of its inputs."""
    if vertex.kind == "op":
        return _op(vertex, it, _domain(vertex, job, task))
    it.rows = span(task.start, task.end) if vertex.kind == "sink" else union(it.wanted)
    it.resets, it.keep = np.zeros(len(it.rows), np.bool_), np.ones(len(it.rows), np.bool_)
    if vertex.kind in {"sample", "slice"}:
        return _mapped(vertex, it, job, task)
    it.window = it.rows - task.start if vertex.kind == "unslice" else it.rows
    return it.window


def _domain(vertex: Vertex, job: JobPlan, task: Task) -> int:
    return job.domains[vertex.number][task.group if vertex.level else 0]


def _op(vertex: Vertex, it: _Asked, size: int) -> Rows:
    wanted = union(it.wanted)
    it.rows = executed(vertex, wanted, size)
    it.keep = _kept(it.rows, wanted)
    it.resets = _resets(vertex, it.rows)
    if vertex.stencil == (0,):
        it.window = it.rows
        return it.rows
    it.window = windows(it.rows, vertex.stencil, size)
    return seen_through(it.rows, vertex.stencil, it.window, size)


def executed(vertex: Vertex, wanted: Rows, size: int) -> Rows:
    """Return the set of rows an op runs so that the set `wanted` comes out right, in a domain of `size` rows."""
    if len(wanted) == 0:
        return wanted
    if vertex.whole:
        return wanted if len(wanted) == size else span(0, size)
    if vertex.unbounded:
        end = int(wanted[-1]) + 1
        return wanted if len(wanted) == end else span(0, end)
    return warmed(wanted, vertex.warmup or 0)


def _kept(rows: Rows, wanted: Rows) -> npt.NDArray[np.bool_]:
    if len(rows) == len(wanted):
        return np.ones(len(rows), np.bool_)
    keep = np.zeros(len(rows), np.bool_)
    keep[positions(rows, wanted)] = True
    return keep


def _resets(vertex: Vertex, rows: Rows) -> npt.NDArray[np.bool_]:
    if vertex.stateful or vertex.batch == 1:
        return fresh(rows)
    marks = np.zeros(len(rows), np.bool_)
    marks[:1] = True
    return marks


def _mapped(vertex: Vertex, it: _Asked, job: JobPlan, task: Task) -> Rows:
    inside = vertex.kind == "slice" or vertex.level
    row_map = job.maps[vertex.number][task.group if inside else 0]
    it.window, it.nulls = row_map.source(it.rows), row_map.nulls
    return it.window if row_map.ascending else as_set(it.window)


def _joined(vertex: Vertex, asked: Sequence[_Asked]) -> VertexDemand:
    it = asked[vertex.number]
    takes = tuple(positions(asked[edge.vertex].rows, it.window, nulls=it.nulls) for edge in vertex.inputs)
    return VertexDemand(it.rows, it.resets, it.keep, tuple(t if t.ndim == 2 else t[:, None] for t in takes))
