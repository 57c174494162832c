"""Tasks that need not run because their chunks exist.

Chunks are written once, under names made from the job's key, the sink and the task; so what is found under the key is
exactly what would be computed again. A task counts as done only when every sink has its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from scannerpy._plan.plan import Plan

Result = TypeVar("Result")


def finished(plan: Plan, found: Mapping[tuple[int, int, int], Result]) -> dict[int, dict[int, tuple[Result, ...]]]:
    """Return ``{job: {task: results}}`` for all tasks that are done, results in the order of ``graph.sinks``.

    ``found[job, sink, task]`` describes what one sink (by its place in ``graph.sinks``) stored of one task. What does
    not belong to the plan, as after a change of packet sizes, is passed over.
    """
    sinks = range(len(plan.graph.sinks))
    done: dict[int, dict[int, tuple[Result, ...]]] = {}
    for job, sink, task in found:
        if sink == 0 and _planned(plan, job, task) and all((job, s, task) in found for s in sinks):
            done.setdefault(job, {})[task] = tuple(found[job, s, task] for s in sinks)
    return {job: dict(sorted(tasks.items())) for job, tasks in sorted(done.items())}


def _planned(plan: Plan, job: int, task: int) -> bool:
    return 0 <= job < len(plan.jobs) and 0 <= task < len(plan.jobs[job].tasks)
