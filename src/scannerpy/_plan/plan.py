"""The plan of a run, as data.

`make_plan` knows only row counts; it checks every job and cuts it into tasks. `demand` then says, for one task, exactly
which rows every vertex executes and where each of its inputs comes from. Both are pure, so the whole meaning of
Scanner is tested without a video. A worker calls `demand` itself: only (job, task) numbers travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scannerpy._graph.build import Graph, JobArgs

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """Rows [start, end) of slice group `group` of a job. For an unsliced graph `group` is 0 and rows are sink rows;
    for a sliced one the task is the whole group and [start, end) are the sink rows it yields.
    """

    group: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class JobPlan:
    """One job: its arguments, the size of every vertex's domain, and its tasks.

    ``domains[v]`` holds the number of rows vertex v yields in each slice group (one entry where v is unsliced).
    """

    args: JobArgs
    source_rows: tuple[int, ...]  # in the order of graph.sources
    domains: tuple[tuple[int, ...], ...]
    rows: int  # rows each sink stores
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A graph and all its jobs."""

    graph: Graph
    jobs: tuple[JobPlan, ...]
    work_packet_size: int


@dataclass(frozen=True, slots=True, eq=False)
class VertexDemand:
    """What one vertex does in one task.

    rows: the rows of its own domain it produces (global stored rows for a source), ascending and unique — except for a
        sink, whose rows are the task's [start, end).
    resets: for ops, True where `reset()` must come before that row (the first, and after every gap).
    keep: for ops, False where a row is executed only to warm up state; nobody takes its output.
    takes: per input, an array (len(rows), window): positions in the producer's `rows`; −1 is null.
        The window is 1 wide but for stencils.
    """

    rows: Rows
    resets: npt.NDArray[np.bool_]
    keep: npt.NDArray[np.bool_]
    takes: tuple[npt.NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True, eq=False)
class TaskDemand:
    """What every vertex does in one task, and in how many steps.

    A step moves about `work_packet_size` sink rows through the whole graph. ``ends[s, v]`` is how many of vertex v's
    rows are done after step s. ``last_use[v][p]`` is the step after which element p of vertex v is never taken again
    (−1: never taken at all), so that the evaluator holds no element longer than it must.
    """

    vertices: tuple[VertexDemand, ...]
    ends: npt.NDArray[np.int64]
    last_use: tuple[npt.NDArray[np.int64], ...]


def make_plan(
    graph: Graph,
    jobs: Sequence[JobArgs],
    source_rows: Sequence[Sequence[int]],
    io_packet_size: int,
    work_packet_size: int,
) -> Plan:
    """Check each job against its row counts and cut it into tasks of `io_packet_size` sink rows (one per slice group
    where the graph is sliced). ``source_rows[j][k]`` is the length of the k-th source in job j.

    Raises GraphError naming the op, its line and the stream.
    """
    raise NotImplementedError


def demand(graph: Graph, job: JobPlan, task: Task, work_packet_size: int) -> TaskDemand:
    """Trace one task backwards from the sinks to the sources."""
    raise NotImplementedError
