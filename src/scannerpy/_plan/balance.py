"""Balancing sampled rows over pipelines: sampled rows lie far apart, and decoding goes through what lies between.

A packet size chosen by the number of rows alone would leave such a job to one pipeline. Here it is chosen by what is
decoded: of a few sizes the one that finishes first, which weighs idle cores against GOPs that two tasks both decode.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from scannerpy._plan.demand import trace
from scannerpy._plan.plan import Plan
from scannerpy._plan.rows import Rows

TASKS_PER_PIPELINE = 4
"""Cuts of up to so many tasks per pipeline are looked at; a job that has more keeps all busy anyway."""
WORTH = 0.95
"""A finer cut is taken where it is done in less than this part of the time: every task costs something by itself."""


def balanced(plan_with: Callable[[int], Plan], io: int, keyframes: Sequence[Rows | None], pipelines: int) -> int:
    """Return the io packet size, `io` or smaller, whose tasks `pipelines` workers have decoded first.

    `plan_with(io)` is the plan cut that way; ``keyframes[j]`` are those of job j's first source, None where it is no
    video. Plans with tasks enough for all are left as they are.
    """
    plan = plan_with(io)
    longest = max((job.rows for job in plan.jobs), default=0)
    if pipelines < 2 or longest < 2 or plan.tasks >= TASKS_PER_PIPELINE * pipelines:
        return io
    best, soonest = io, done_after(decoded(plan, keyframes), pipelines)
    for parts in range(2, TASKS_PER_PIPELINE * pipelines + 1):
        size = -(-longest // parts)
        if size >= best:
            continue
        after = done_after(decoded(plan_with(size), keyframes), pipelines)
        if after < WORTH * soonest:
            best, soonest = size, after
    return best


def decoded(plan: Plan, keyframes: Sequence[Rows | None]) -> list[int]:
    """Return how many frames each task decodes; its rows count where nothing is known of keyframes."""
    source = plan.graph.sources[0].number
    costs = []
    for job, keys in zip(plan.jobs, keyframes, strict=True):
        for task in job.tasks:
            rows = trace(plan.graph, job, task)[source].rows
            costs.append(len(rows) if keys is None or len(keys) == 0 else frames_decoded(rows, keys))
    return costs


def frames_decoded(rows: Rows, keyframes: Rows) -> int:
    """Return how many frames lie between keyframes and the last wanted row behind each; `rows` ascend."""
    if len(rows) == 0:
        return 0
    group = np.maximum(np.searchsorted(keyframes, rows, side="right") - 1, 0)
    last = np.flatnonzero(np.append(np.diff(group) != 0, True))
    return int((rows[last] - keyframes[group[last]] + 1).sum())


def done_after(costs: Iterable[int], pipelines: int) -> int:
    """Return after how long all tasks are done, where each goes to the pipeline that is free first."""
    free = [0] * pipelines
    for cost in costs:
        heapq.heapreplace(free, free[0] + cost)
    return max(free)
