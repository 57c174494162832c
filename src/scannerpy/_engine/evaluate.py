"""The second stage of a pipeline: computes a task, step by step and vertex by vertex.

Comes in: a task's demand and, per step, the elements its sources yield. Goes out: per step, the elements each sink
stores. Elements are held in one list per column, at their positions in the vertex's rows, and dropped after the last
step that takes them. Every list ends with NULL, so that position −1 (a null) needs no special case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from scannerpy._engine.board import StatusBoard
from scannerpy._engine.memory import size_of_all
from scannerpy._engine.states import TaskId
from scannerpy._engine.trace import Recorder, clock
from scannerpy._graph.graph import Edge, Graph, Vertex
from scannerpy._graph.node import PerGroup
from scannerpy._plan.rows import Rows
from scannerpy._plan.steps import TaskDemand
from scannerpy._plan.task import JobPlan, Task
from scannerpy._words.elements import NULL, Element

EVALUATE = 1

Windows = list[list[list[Element]]]


class Host(Protocol):
    """What runs the kernel of one op: `_kernels.host.KernelHost`."""

    def begin_task(self, stream_args: Mapping[str, Any]) -> None:
        """Reset the kernel and give it the arguments of the stream."""

    def run(self, windows: Windows, resets: Sequence[bool], rows: Sequence[int]) -> list[list[Element]]:
        """Execute rows: ``windows[input][row]`` is a window of elements; returns ``[output column][row]``."""


class Evaluator:
    """Evaluates the tasks of one graph, one after the other, with one set of kernels."""

    def __init__(self, graph: Graph, hosts: Mapping[int, Host], board: StatusBoard, recorder: Recorder) -> None:
        self._vertices = graph.vertices
        self._hosts = hosts
        self._board = board
        self._recorder = recorder
        self._columns = [_columns_taken(graph, vertex) for vertex in graph.vertices]
        ops = [vertex.number for vertex in graph.vertices if vertex.kind == "op"]
        self._lanes = {number: f"Pipeline[0]:Ops[{k}]" for k, number in enumerate(ops)}
        self.at: tuple[Vertex, tuple[int, int]] | None = None
        self.held_bytes = 0
        self.peak = 0  # the most bytes the current task has held

    def begin(self, task_id: TaskId, job: JobPlan, task: Task, demand: TaskDemand) -> None:
        """Turn to a task: resets every kernel."""
        self._task = task_id
        self._demand = demand
        self._ends = [[0, *column] for column in demand.ends.T.tolist()]
        self._dead = [_dead_after(demand, vertex.number) for vertex in self._vertices]
        self._held = [self._empty(vertex, demand) for vertex in self._vertices]
        self._bytes = [0] * len(self._vertices)
        self.held_bytes = self.peak = 0
        for number, host in self._hosts.items():
            self.at = (self._vertices[number], (task.start, task.end - 1))
            host.begin_task(stream_args(job, number, task.group))
        self.at = None

    def step(self, step: int, loaded: Mapping[int, list[Element]]) -> list[list[list[Element]]]:
        """Run step number `step`; `loaded` holds each source's new elements. Returns ``[sink][input][row]``."""
        stored = []
        for vertex in self._vertices:
            start, end = self._ends[vertex.number][step : step + 2]
            if vertex.kind == "sink":
                stored.append([self._taken(vertex, i, start, end) for i in range(len(vertex.inputs))])
            elif start < end:
                self._put(vertex, start, end, self._produce(vertex, start, end, loaded))
        self.peak = max(self.peak, self.held_bytes)
        self._drop(step)
        return stored

    def end(self) -> None:
        """Drop the task's elements."""
        self._held = []
        self._dead = []
        self._board.leave(EVALUATE)

    def _produce(
        self, vertex: Vertex, start: int, end: int, loaded: Mapping[int, list[Element]]
    ) -> list[list[Element]]:
        """Rows [start, end) of a vertex: one list per column that is taken of it."""
        if vertex.kind == "source":
            return [loaded[vertex.number]] * len(self._columns[vertex.number])
        if vertex.kind == "op":
            return self._execute(vertex, start, end)
        return [self._taken(vertex, 0, start, end)] * len(self._columns[vertex.number])

    def _execute(self, vertex: Vertex, start: int, end: int) -> list[list[Element]]:
        it = self._demand.vertices[vertex.number]
        rows = it.rows[start:end].tolist()
        self.at = (vertex, (rows[0], rows[-1]))
        self._board.enter(EVALUATE, self._task, vertex.number, rows[0], rows[-1])
        began = clock()
        windows = [self._windows(vertex, i, start, end) for i in range(len(vertex.inputs))]
        outputs = self._hosts[vertex.number].run(windows, it.resets[start:end].tolist(), rows)
        self._recorder.add(self._lanes[vertex.number], vertex.name, "eval", began, len(rows), self._task)
        self.at = None
        return self._wanted(vertex, outputs)

    def _wanted(self, vertex: Vertex, outputs: list[list[Element]]) -> list[list[Element]]:
        """Of all outputs of an op, the columns that are used."""
        if vertex.signature is None:
            return outputs
        names = [column.name for column in vertex.signature.outputs]
        return [outputs[names.index(name)] for name in self._columns[vertex.number]]

    def _windows(self, vertex: Vertex, number: int, start: int, end: int) -> list[list[Element]]:
        take = self._demand.vertices[vertex.number].takes[number]
        if take.shape[1] == 1:
            return [[element] for element in self._taken(vertex, number, start, end)]
        held = self._column(vertex.inputs[number])
        return [[held[p] for p in window] for window in take[start:end].tolist()]

    def _taken(self, vertex: Vertex, number: int, start: int, end: int) -> list[Element]:
        """What input `number` of rows [start, end) takes, window by window one after the other."""
        held = self._column(vertex.inputs[number])
        take = self._demand.vertices[vertex.number].takes[number]
        return [held[p] for p in take[start:end].ravel().tolist()]

    def _column(self, edge: Edge) -> list[Any]:
        return self._held[edge.vertex][edge.column]

    def _empty(self, vertex: Vertex, demand: TaskDemand) -> dict[str, list[Any]]:
        rows = len(demand.vertices[vertex.number].rows)
        return {column: [*[None] * rows, NULL] for column in self._columns[vertex.number]}

    def _put(self, vertex: Vertex, start: int, end: int, columns: list[list[Element]]) -> None:
        number = vertex.number
        size = 0
        for held, elements in zip(self._held[number].values(), columns, strict=True):
            held[start:end] = elements
            size += size_of_all(elements)
        self._bytes[number] = size // (end - start)
        self.held_bytes += size

    def _drop(self, step: int) -> None:
        for number, (order, bounds) in enumerate(self._dead):
            first, last = bounds[step], bounds[step + 1]
            if first == last:
                continue
            for held in self._held[number].values():
                for p in order[first:last]:
                    held[p] = None
            self.held_bytes -= self._bytes[number] * (last - first)


def stream_args(job: JobPlan, vertex: int, group: int) -> Mapping[str, Any]:
    """What `new_stream` is given in a task of slice group `group`."""
    args = job.args.get(vertex, {})
    if isinstance(args, PerGroup):
        args = args[group]
    return args if isinstance(args, Mapping) else {}


def _columns_taken(graph: Graph, vertex: Vertex) -> list[str]:
    """The columns of a vertex that others take, each once."""
    edges = [edge for consumer in graph.vertices for edge in consumer.inputs if edge.vertex == vertex.number]
    return list(dict.fromkeys(edge.column for edge in edges))


def _dead_after(demand: TaskDemand, vertex: int) -> tuple[list[int], list[int]]:
    """The positions of a vertex in the order they can be dropped, and how many of them by the end of each step."""
    ends = demand.ends[:, vertex]
    made = np.searchsorted(ends, np.arange(len(demand.vertices[vertex].rows)), side="right")
    last: Rows = np.maximum(demand.last_use[vertex], made)  # never taken: dead as soon as it is made
    order = np.argsort(last, kind="stable")
    bounds = np.searchsorted(last[order], np.arange(len(ends) + 1))
    return order.tolist(), bounds.tolist()
