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
    return TaskDemand(vertices, np.stack(ends, axis=1), _last_use(graph, vertices, ends))


def _in_one_step(graph: Graph, vertices: tuple[VertexDemand, ...]) -> TaskDemand:
    """In one step, all elements are taken but a sink's and those that only with_warmup up state."""
    ends = np.array([[len(it.rows) for it in vertices]], np.int64)
    known: dict[int, Rows] = {}
    last_use = []
    for vertex, it in zip(graph.vertices, vertices, strict=True):
        taken = vertex.kind != "sink"
        if taken and id(it.keep) not in known:
            known[id(it.keep)] = np.subtract(it.keep, 1, dtype=np.int64)
        last_use.append(known[id(it.keep)] if taken else np.full(len(it.rows), -1, np.int64))
    return TaskDemand(vertices, ends, tuple(last_use))


def _ends(graph: Graph, vertices: tuple[VertexDemand, ...], done: Rows) -> list[Rows]:
    """Return, per vertex, how many rows are done after each step; one array where vertices advance alike."""
    ends = [np.zeros_like(done)] * len(vertices)
    asked: list[list[Rows]] = [[] for _ in vertices]
    for vertex in reversed(graph.vertices):
        number, it = vertex.number, vertices[vertex.number]
        mine = done if vertex.kind == "sink" else _furthest(asked[number])
        if vertex.batch > 1:
            mine = _full_batches(vertex.batch, it, mine)
        ends[number] = mine
        for edge, take in zip(vertex.inputs, it.takes, strict=True):
            straight = _passes_on(vertex, take, vertices[edge.vertex])
            asked[edge.vertex].append(mine if straight else _reach(vertex, take, mine))
    return ends


def _furthest(asked: list[Rows]) -> Rows:
    first, *others = asked
    for other in others:
        if other is not first:
            first = np.maximum(first, other)
    return first


def _passes_on(vertex: Vertex, take: Rows, producer: VertexDemand) -> bool:
    """Whether row i takes element i: seen without looking, as such vertices take distinct elements in order."""
    in_order = vertex.kind not in {"sample", "slice"} and vertex.stencil == (0,)
    return in_order and len(take) == len(producer.rows)


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


def _last_use(graph: Graph, vertices: tuple[VertexDemand, ...], ends: list[Rows]) -> tuple[Rows, ...]:
    last: list[Rows | None] = [None] * len(vertices)
    steps: dict[int, Rows] = {}
    for vertex in graph.vertices:
        for edge, take in zip(vertex.inputs, vertices[vertex.number].takes, strict=True):
            mine = ends[vertex.number]
            if id(mine) not in steps:
                steps[id(mine)] = _step_of_row(mine)
            uses = _uses(vertex, take, steps[id(mine)], vertices[edge.vertex])
            before = last[edge.vertex]
            last[edge.vertex] = uses if before is None or before is uses else np.maximum(before, uses)
    pairs = zip(last, vertices, strict=True)
    return tuple(np.full(len(it.rows), -1, np.int64) if one is None else one for one, it in pairs)


def made(ends: Rows) -> Rows:
    """Return how many rows each step adds."""
    added = ends.copy()
    added[1:] -= ends[:-1]
    return added


def _step_of_row(ends: Rows) -> Rows:
    return np.repeat(np.arange(len(ends), dtype=np.int64), made(ends))


def _uses(vertex: Vertex, take: Rows, steps: Rows, producer: VertexDemand) -> Rows:
    """Return, per element of a producer, the last of `steps` (one per row of `vertex`, ascending) that takes it, or −1.

    An element that several rows take is written by each of them in turn, so the last one stays. Of a window's columns
    the one that looks back furthest is written last: no later row sees the element through another.
    """
    if _passes_on(vertex, take, producer):
        return steps
    last = np.full(len(producer.rows) + 1, -1, np.int64)  # one more, for what nulls "take"
    for column in sorted(range(take.shape[1]), key=vertex.stencil.__getitem__, reverse=True):
        last[take[:, column]] = steps
    return last[:-1]
