"""Where a run meets the groups of pictures of its videos: packet sizes that end with them, and tasks that begin them.

Only ever a matter of speed. Looked at for a few streams, since an estimate from those is as good as from all, and
since with many streams no two workers share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scannerpy._client.database import Database
from scannerpy._client.sources import Resolved
from scannerpy._client.stored import StoredColumn
from scannerpy._graph.graph import Graph
from scannerpy._plan.demand import trace
from scannerpy._plan.estimate import aligned
from scannerpy._plan.plan import JobPlan, Plan
from scannerpy._plan.rows import Rows
from scannerpy.common import PerfParams

LOOKED_AT = 8
"""Streams whose keyframes are read."""
TRACED = 64
"""Tasks of a job that are traced to their first frame where samplers stand between."""


def in_step(params: PerfParams, graph: Graph, sources: Sequence[Sequence[Resolved]], database: Database) -> PerfParams:
    """Return packet sizes whose tasks begin at keyframes, where the sizes are ours to choose and rows are frames."""
    if not params.estimated or _resampled(graph):
        return params
    keyframes = [rows for job in sources[:LOOKED_AT] if (rows := _keyframes(database, job)) is not None]
    work, io = aligned(params.work_packet_size, params.io_packet_size, keyframes)
    params.work_packet_size, params.io_packet_size = work, io
    return params


def best_cuts(plan: Plan, database: Database) -> Mapping[int, Sequence[int]]:
    """Return, per job, the tasks another worker can take over without decoding what the one before it decodes."""
    if len(plan.jobs) > LOOKED_AT:
        return {}
    return {number: cuts for number, job in enumerate(plan.jobs) if (cuts := _cuts(plan.graph, job, database))}


def _cuts(graph: Graph, job: JobPlan, database: Database) -> list[int]:
    sources = [Resolved(rows, job.args[v.number], None) for v, rows in zip(graph.sources, job.source_rows, strict=True)]  # type: ignore[arg-type]  # a source's argument is a mapping
    keyframes = _keyframes(database, sources)
    if keyframes is None or len(keyframes) < 2:
        return []
    group = np.searchsorted(keyframes, _first_rows(graph, job), side="right")
    cuts: list[int] = (np.flatnonzero(np.diff(group)) + 1).tolist()
    return cuts


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


def _resampled(graph: Graph) -> bool:
    return any(vertex.kind in {"sample", "slice"} for vertex in graph.vertices)
