"""How many elements a task holds at once, and how small its steps must be so that they fit.

Comes in: a task's demand and the bytes of one element of each vertex, as far as they are known. The step size is the
only dial: it changes neither what is computed nor in which batches (`steps`), so obeying a budget is always safe.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scannerpy._graph.graph import Graph
from scannerpy._plan.demand import VertexDemand
from scannerpy._plan.rows import Rows
from scannerpy._plan.steps import TaskDemand, in_steps, made


def held(demand: TaskDemand) -> Rows:
    """Return ``[steps, vertices]``: how many elements of each vertex exist at some moment of each step.

    A sink's elements count in the step in which they are handed over. Warm-up rows count in theirs: they are dropped
    at once, but a kernel that runs in batches returns them together.
    """
    counts = np.zeros(demand.ends.shape, np.int64)
    for number, last in enumerate(demand.last_use):
        counts[:, number] = _held(demand.ends[:, number], last)
    return counts


def _held(ends: Rows, last: Rows) -> Rows:
    made_in = np.repeat(np.arange(len(ends)), made(ends))
    gone = np.bincount(np.maximum(last, made_in), minlength=len(ends))
    return ends - np.cumsum(gone) + gone


def peak_bytes(demand: TaskDemand, sizes: Sequence[int]) -> int:
    """Return the most bytes that exist in one step; ``sizes[v]`` is the size of an element of vertex v (0: unknown)."""
    if not len(demand.ends):
        return 0
    return int((held(demand) @ np.asarray(sizes, np.int64)).max())


def fit(
    graph: Graph, vertices: tuple[VertexDemand, ...], work: int, sizes: Sequence[int], budget: int | None
) -> TaskDemand:
    """Cut a traced task into the largest steps of at most `work` sink rows that hold no more than `budget` bytes.

    Halves the step until it fits. Where even single rows do not fit (a wide stencil, a batch, an op that asks for all
    rows), the smallest steps are what remains, and the budget is exceeded.
    """
    demand = in_steps(graph, vertices, work)
    while budget is not None and work > 1 and peak_bytes(demand, sizes) > budget:
        work = (min(work, len(vertices[graph.sinks[0].number].rows)) + 1) // 2
        demand = in_steps(graph, vertices, work)
    return demand
