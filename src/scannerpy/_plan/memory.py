"""How many elements, and bytes of them, a task holds at once. `explain` tells it; a worker measures (`_engine.memory`).

Comes in: a task's demand and the bytes of one element of each vertex, as far as they are known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scannerpy._plan.rows import Rows
from scannerpy._plan.steps import TaskDemand, made


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
