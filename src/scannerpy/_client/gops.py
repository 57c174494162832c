"""Packet sizes and prerolls that follow from the keyframes of a run's videos.

They affect speed only. Keyframes are read for a few streams: an estimate from those is as good as one from all, and
with many streams no two workers share one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scannerpy._client.database import Database
from scannerpy._client.sources import ResolvedSource
from scannerpy._client.stored import StoredColumn
from scannerpy._graph.graph import Graph
from scannerpy._plan.balance import balanced
from scannerpy._plan.demand import trace
from scannerpy._plan.estimate import aligned
from scannerpy._plan.plan import Plan
from scannerpy._plan.rows import Rows
from scannerpy._plan.task import JobPlan
from scannerpy._words.sizing import machine_cpus
from scannerpy.common import PerfParams

MAX_STREAMS = 8
"""Streams whose keyframes are read."""
MAX_TRACED = 64
"""Tasks of a job that are traced to their first frame where samplers stand between."""


def align_packets(
    params: PerfParams,
    graph: Graph,
    sources: Sequence[Sequence[ResolvedSource]],
    database: Database,
    plan_with: Callable[[int, int], Plan],
) -> PerfParams:
    """Return packet sizes that suit the videos, where the sizes are ours to choose.

    Where rows are frames, tasks begin at keyframes; where they are sampled, all pipelines get their share of what is
    to be decoded; where an op needs all rows before, a stream is one task. ``plan_with(io, work)`` is the plan for
    packet sizes.
    """
    if not params.estimated:
        return params
    if any(vertex.unbounded and not vertex.level for vertex in graph.vertices):
        return _one_task_per_stream(params, plan_with)
    keyframes = [_keyframes(database, job[0].args) for job in sources[:MAX_STREAMS]]
    work, io = params.work_packet_size, params.io_packet_size
    if not _resampled(graph):
        work, io = aligned(work, io, [rows for rows in keyframes if rows is not None])
    elif len(sources) <= MAX_STREAMS and not _sliced(graph) and any(rows is not None for rows in keyframes):
        pipelines = params.pipeline_instances_per_node or machine_cpus()
        io = balanced(lambda size: plan_with(size, 1), io, keyframes, pipelines)
        work = min(work, io)
        io -= io % work
    params.work_packet_size, params.io_packet_size = work, io
    return params


def _one_task_per_stream(params: PerfParams, plan_with: Callable[[int, int], Plan]) -> PerfParams:
    """With unbounded state every task begins at row 0, so the last one does the work of all: let it be the only one."""
    longest = max((job.rows for job in plan_with(1, 1).jobs), default=0)
    params.io_packet_size = max(1, -(-longest // params.work_packet_size)) * params.work_packet_size
    return params


def prerolls(plan: Plan, database: Database) -> Mapping[int, Sequence[float]]:
    """Return, per job and task, what a worker that begins with the task must decode before it, in the job's rows.

    Zero for a task that begins at a keyframe; jobs without keyframes (or too many to look at) are left out.
    """
    if len(plan.jobs) > MAX_STREAMS:
        return {}
    return {number: rows for number, job in enumerate(plan.jobs) if (rows := _prerolls(plan.graph, job, database))}


def _prerolls(graph: Graph, job: JobPlan, database: Database) -> list[float]:
    args = job.args[graph.sources[0].number]
    keyframes = _keyframes(database, args) if isinstance(args, Mapping) else None
    if keyframes is None or len(keyframes) == 0:
        return []
    first = _first_rows(graph, job)
    group = np.maximum(np.searchsorted(keyframes, first, side="right") - 1, 0)
    rows: list[float] = ((first - keyframes[group]) * (job.rows / max(1, job.source_rows[0]))).tolist()
    return [*rows, *[0.0] * (len(job.tasks) - len(rows))]


def _first_rows(graph: Graph, job: JobPlan) -> Rows:
    """Return the first source row of every task, of as many as is worth the time."""
    if not _resampled(graph):
        return job.tasks.starts()
    source = graph.sources[0].number
    traced = (trace(graph, job, job.tasks[t])[source].rows for t in range(min(MAX_TRACED, len(job.tasks))))
    return np.array([rows[0] if len(rows) else 0 for rows in traced], dtype=np.int64)


def _keyframes(database: Database, args: Mapping[str, Any]) -> Rows | None:
    """Return the keyframe rows of a source with these arguments, if that is a stored video."""
    if not args.get("is_video"):
        return None
    column = StoredColumn.of_manifest(database, args["manifest"], args["column"], is_video=True)
    return np.array(column.keyframes(), dtype=np.int64)


def _sliced(graph: Graph) -> bool:
    return any(vertex.kind == "slice" for vertex in graph.vertices)


def _resampled(graph: Graph) -> bool:
    return any(vertex.kind in {"sample", "slice"} for vertex in graph.vertices)
