"""Where a run meets the groups of pictures of its videos: packet sizes that end with them, tasks that begin them, and
sampled rows shared out by what is decoded for them.

Only ever a matter of speed. Looked at for a few streams, since an estimate from those is as good as from all, and
since with many streams no two workers share one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from scannerpy._client.database import Database
from scannerpy._client.sources import Resolved
from scannerpy._client.stored import StoredColumn
from scannerpy._graph.graph import Graph
from scannerpy._plan.balance import shared_out
from scannerpy._plan.demand import trace
from scannerpy._plan.estimate import aligned
from scannerpy._plan.plan import JobPlan, Plan
from scannerpy._plan.rows import Rows
from scannerpy._words.sizing import machine_cpus
from scannerpy.common import PerfParams

LOOKED_AT = 8
"""Streams whose keyframes are read."""
TRACED = 64
"""Tasks of a job that are traced to their first frame where samplers stand between."""


def in_step(
    params: PerfParams,
    graph: Graph,
    sources: Sequence[Sequence[Resolved]],
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
        return _uncut(params, plan_with)
    keyframes = [_keyframes(database, job) for job in sources[:LOOKED_AT]]
    work, io = params.work_packet_size, params.io_packet_size
    if not _resampled(graph):
        work, io = aligned(work, io, [rows for rows in keyframes if rows is not None])
    elif len(sources) <= LOOKED_AT and not _sliced(graph) and any(rows is not None for rows in keyframes):
        pipelines = params.pipeline_instances_per_node or machine_cpus()
        io = shared_out(lambda size: plan_with(size, 1), io, keyframes, pipelines)
        work = min(work, io)
        io -= io % work
    params.work_packet_size, params.io_packet_size = work, io
    return params


def _uncut(params: PerfParams, plan_with: Callable[[int, int], Plan]) -> PerfParams:
    """Make each stream one task: with unbounded state every task begins at row 0, so the last does the work of all."""
    longest = max((job.rows for job in plan_with(1, 1).jobs), default=0)
    params.io_packet_size = max(1, -(-longest // params.work_packet_size)) * params.work_packet_size
    return params


def run_ups(plan: Plan, database: Database) -> Mapping[int, Sequence[float]]:
    """Return, per job and task, what a worker that begins with the task must decode before it, in the job's rows.

    Zero for a task that begins at a keyframe; jobs without keyframes (or too many to look at) are left out.
    """
    if len(plan.jobs) > LOOKED_AT:
        return {}
    return {number: ups for number, job in enumerate(plan.jobs) if (ups := _run_ups(plan.graph, job, database))}


def _run_ups(graph: Graph, job: JobPlan, database: Database) -> list[float]:
    sources = [Resolved(rows, job.args[v.number], None) for v, rows in zip(graph.sources, job.source_rows, strict=True)]  # type: ignore[arg-type]  # a source's argument is a mapping
    keyframes = _keyframes(database, sources)
    if keyframes is None or len(keyframes) == 0:
        return []
    first = _first_rows(graph, job)
    group = np.maximum(np.searchsorted(keyframes, first, side="right") - 1, 0)
    ups: list[float] = ((first - keyframes[group]) * (job.rows / max(1, job.source_rows[0]))).tolist()
    return [*ups, *[0.0] * (len(job.tasks) - len(ups))]


def _first_rows(graph: Graph, job: JobPlan) -> Rows:
    """Return the first source row of every task, of as many as is worth the time."""
    if not _resampled(graph):
        return job.tasks.starts()
    source = graph.sources[0].number
    traced = (trace(graph, job, job.tasks[t])[source].rows for t in range(min(TRACED, len(job.tasks))))
    return np.array([rows[0] if len(rows) else 0 for rows in traced], dtype=np.int64)


def _keyframes(database: Database, sources: Sequence[Resolved]) -> Rows | None:
    """Return the keyframe rows of a job's first source, if that is a stored video."""
    args = sources[0].args
    if not args.get("is_video"):
        return None
    column = StoredColumn.of_manifest(database, args["manifest"], args["column"], is_video=True)
    return np.array(column.keyframes(), dtype=np.int64)


def _sliced(graph: Graph) -> bool:
    return any(vertex.kind == "slice" for vertex in graph.vertices)


def _resampled(graph: Graph) -> bool:
    return any(vertex.kind in {"sample", "slice"} for vertex in graph.vertices)
