"""Carries out a `TaskDemand` with symbols instead of elements, and is strict about it.

It computes step by step, drops each element after the step the plan names, fails on any element that is missing then,
and at the end nothing may be left. Kernels are honest: they depend on what they declare, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from scannerpy._graph.graph import Graph, JobArgs, Vertex
from scannerpy._graph.node import Node, PerGroup
from scannerpy._plan.demand import VertexDemand
from scannerpy._plan.steps import TaskDemand
from scannerpy._plan.task import Task
from tests.scannerpy.plan.reference import WHOLE, Symbols


class Evaluator:
    """Runs one task; `nodes` tells which node of the program each vertex is, so that symbols match the reference's."""

    def __init__(self, symbols: Symbols, graph: Graph, nodes: Sequence[Node], args: JobArgs, task: Task) -> None:
        self.symbols = symbols
        self.graph = graph
        self.nodes = nodes
        self.args = args
        self.task = task
        self.held: list[dict[int, Any]] = [{} for _ in graph.vertices]
        self.state: list[list[Any]] = [[] for _ in graph.vertices]
        self.batches: list[list[tuple[int, ...]]] = [[] for _ in graph.vertices]
        self.stored: dict[int, list[Any]] = {sink.number: [] for sink in graph.sinks}

    def run(self, demand: TaskDemand) -> Mapping[int, list[Any]]:
        """Return what each sink stores."""
        before = np.zeros(len(self.graph.vertices), np.int64)
        for step, after in enumerate(demand.ends):
            for vertex in self.graph.vertices:
                n = vertex.number
                self.advance(vertex, demand.vertices[n], int(before[n]), int(after[n]))
            self.drop(demand, step)
            before = after
        assert before.tolist() == [len(it.rows) for it in demand.vertices] or not len(demand.ends)
        assert not any(self.held), "elements are left after the last step"
        return self.stored

    def advance(self, vertex: Vertex, it: VertexDemand, start: int, end: int) -> None:
        assert start <= end
        if vertex.kind == "op":
            for first, last in pairwise(self.borders(vertex, it, start, end)):
                self.call(vertex, it, first, last)
            return
        for i in range(start, end):
            value = self.move(vertex, it, i)
            if vertex.kind == "sink":
                self.stored[vertex.number].append(value)
            else:
                self.held[vertex.number][i] = value

    def borders(self, vertex: Vertex, it: VertexDemand, start: int, end: int) -> list[int]:
        """Where batches of one step begin and end: at resets, and when they are full."""
        borders, size = [start], 0
        for i in range(start, end):
            if i > start and (it.resets[i] or size == vertex.batch):
                borders.append(i)
                size = 0
            size += 1
        return [*borders, end] if end > start else borders

    def move(self, vertex: Vertex, it: VertexDemand, i: int) -> Any:
        if vertex.kind == "source":
            return self.symbols("source", id(self.nodes[vertex.number]), int(it.rows[i]))
        taken = tuple(self.take(vertex, it, k, i)[0] for k in range(len(vertex.inputs)))
        return self.symbols("sink", taken) if vertex.kind == "sink" else taken[0]

    def take(self, vertex: Vertex, it: VertexDemand, k: int, i: int) -> tuple[Any, ...]:
        held = self.held[vertex.inputs[k].vertex]
        return tuple(None if p == -1 else held[int(p)] for p in it.takes[k][i])

    def call(self, vertex: Vertex, it: VertexDemand, start: int, end: int) -> None:
        n, state = vertex.number, self.state[vertex.number]
        assert not it.resets[start + 1 : end].any(), "a batch crosses a reset"
        self.batches[n].append(tuple(it.rows[start:end].tolist()))
        if it.resets[start]:
            state.clear()
        for i in range(start, end):
            seen = tuple(self.take(vertex, it, k, i) for k in range(len(vertex.inputs)))
            state.append(None if any(v is None for column in seen for v in column) else seen)
            if it.keep[i]:
                self.held[n][i] = self.honest(vertex, state)
        if vertex.batch >= WHOLE:
            assert (start, end) == (0, len(it.rows))
            self.held[n] = {i: self.whole(vertex, state, i) for i in range(end) if it.keep[i]}

    def honest(self, vertex: Vertex, state: list[Any]) -> int | None:
        history = tuple(state if vertex.unbounded else state[-1 - (vertex.warmup or 0) :])
        return None if state[-1] is None else self.symbol(vertex, len(history) - 1, history)

    def whole(self, vertex: Vertex, state: list[Any], i: int) -> int | None:
        return None if state[i] is None else self.symbol(vertex, i, tuple(state))

    def symbol(self, vertex: Vertex, row: int, history: tuple[Any, ...]) -> int:
        given = self.args.get(vertex.number, {})
        mine = given[self.task.group] if isinstance(given, PerGroup) else given
        return self.symbols(id(self.nodes[vertex.number]), repr(mine), row, history)

    def drop(self, demand: TaskDemand, step: int) -> None:
        for held, last in zip(self.held, demand.last_use, strict=True):
            for position in [p for p in held if last[p] <= step]:
                del held[position]
