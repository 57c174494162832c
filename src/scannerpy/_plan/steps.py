"""In how many steps a task goes through the graph, and how long each element is needed.

A step moves up to `work` sink rows. What each vertex must have done by the end of a step follows backwards from the
sinks. An op with batch b advances in multiples of b executed rows (counted from the last reset where it keeps state,
else from the start of the task), so that its batches are the same whatever the step size; what it then runs ahead of
the sinks, its producers run ahead too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scannerpy._graph.graph import Graph, Vertex
from scannerpy._plan.demand import VertexDemand
from scannerpy._plan.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class TaskDemand:
    """What every vertex does in one task, and in how many steps.

    A step moves about `work_packet_size` sink rows through the whole graph. ``ends[s, v]`` is how many of vertex v's
    rows are done after step s. ``last_use[v][p]`` is the step after which element p of vertex v is never taken again
    (−1: never taken at all), so that the evaluator holds no element longer than it must.
    """

    vertices: tuple[VertexDemand, ...]
    ends: Rows
    last_use: tuple[Rows, ...]


def in_steps(graph: Graph, vertices: tuple[VertexDemand, ...], work: int) -> TaskDemand:
    """Cut a traced task into steps of `work` sink rows."""
    rows = max((len(vertices[sink.number].rows) for sink in graph.sinks), default=0)
    if rows <= work:
        return _in_one_step(graph, vertices)
    done = np.minimum(np.arange(work, rows + work, work, dtype=np.int64), rows)
    ends = _ends(graph, vertices, done)
    return TaskDemand(vertices, ends, _last_use(graph, vertices, ends))


def _in_one_step(graph: Graph, vertices: tuple[VertexDemand, ...]) -> TaskDemand:
    ends = np.array([[len(it.rows) for it in vertices]], np.int64)
    pairs = zip(graph.vertices, vertices, strict=True)
    return TaskDemand(vertices, ends, tuple(_taken_at_once(vertex, it) for vertex, it in pairs))


def _taken_at_once(vertex: Vertex, it: VertexDemand) -> Rows:
    """Element by element 0 or −1: in one step, all are taken but a sink's and those that only warmed up state."""
    if vertex.kind == "sink":
        return np.full(len(it.rows), -1, np.int64)
    return it.keep.astype(np.int64) - 1


def _ends(graph: Graph, vertices: tuple[VertexDemand, ...], done: Rows) -> Rows:
    ends = np.zeros((len(done), len(vertices)), np.int64)
    for vertex in reversed(graph.vertices):
        number, it = vertex.number, vertices[vertex.number]
        if vertex.kind == "sink":
            ends[:, number] = done
        elif vertex.batch > 1:
            ends[:, number] = _full_batches(vertex.batch, it, ends[:, number])
        for edge, take in zip(vertex.inputs, it.takes, strict=True):
            reach = _reach(vertex, take, ends[:, number])
            np.maximum(ends[:, edge.vertex], reach, out=ends[:, edge.vertex])
    return ends


def _full_batches(batch: int, it: VertexDemand, ends: Rows) -> Rows:
    """Round the first `ends` rows up to whole batches, which never cross a reset."""
    starts = np.flatnonzero(it.resets)
    if len(starts) == 0:
        return ends
    run = np.maximum(np.searchsorted(starts, ends - 1, side="right") - 1, 0)
    limits = np.append(starts[1:], len(it.rows))
    full = starts[run] - (starts[run] - ends) // batch * batch
    return np.where(ends == 0, 0, np.minimum(full, limits[run]))


def _reach(vertex: Vertex, take: Rows, done: Rows) -> Rows:
    """Return how many of a producer's rows the first `done` rows of a consumer take, for each step."""
    if len(take) == 0:
        return np.zeros_like(done)
    last = np.maximum(done - 1, 0)
    goes_back = vertex.kind in {"sample", "slice"}  # only these take rows out of order
    reach = np.maximum.accumulate(take[:, 0])[last] if goes_back else take[last].max(axis=1)
    return np.where(done == 0, 0, reach + 1)


def _last_use(graph: Graph, vertices: tuple[VertexDemand, ...], ends: Rows) -> tuple[Rows, ...]:
    last = [np.full(len(it.rows) + 1, -1, np.int64) for it in vertices]  # one more, for what nulls "take"
    for vertex in graph.vertices:
        if not vertex.inputs:
            continue
        steps = _step_of_row(ends[:, vertex.number])
        for edge, take in zip(vertex.inputs, vertices[vertex.number].takes, strict=True):
            _put_latest(last[edge.vertex], take, steps)
    return tuple(each[:-1] for each in last)


def _step_of_row(ends: Rows) -> Rows:
    return np.repeat(np.arange(len(ends), dtype=np.int64), np.diff(ends, prepend=0))


def _put_latest(last: Rows, take: Rows, steps: Rows) -> None:
    """Raise ``last[p]`` to the latest of `steps` whose row takes p. Steps ascend, so the last one written stays."""
    mine = np.full_like(last, -1)
    for column in take.T:
        latest = np.full_like(last, -1) if take.shape[1] > 1 else mine
        latest[column] = steps
        if latest is not mine:
            np.maximum(mine, latest, out=mine)
    np.maximum(last, mine, out=last)
