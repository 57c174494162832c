"""The plan of a run, as data.

`make_plan` knows only row counts; it checks every job and cuts it into tasks. `demand` then says, for one task, exactly
which rows every vertex executes and where each of its inputs comes from. Both are pure, so the whole meaning of
Scanner is tested without a video. A worker calls `demand` itself: only (job, task) numbers travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scannerpy._graph.graph import Graph, JobArgs
from scannerpy._plan.demand import trace
from scannerpy._plan.forward import plan_job
from scannerpy._plan.steps import TaskDemand, in_steps
from scannerpy._plan.task import JobPlan, Task
from scannerpy.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A graph and all its jobs."""

    graph: Graph
    jobs: tuple[JobPlan, ...]
    work_packet_size: int
    io_packet_size: int

    @property
    def tasks(self) -> int:
        """How many tasks all jobs have together."""
        return sum(len(job.tasks) for job in self.jobs)

    def __repr__(self) -> str:
        rows = sum(job.rows for job in self.jobs)
        return (
            f"Plan({len(self.graph.vertices)} vertices, {len(self.jobs)} jobs, {rows} rows in {self.tasks} tasks, "
            f"work_packet_size={self.work_packet_size}, io_packet_size={self.io_packet_size})"
        )


def make_plan(
    graph: Graph,
    jobs: Sequence[JobArgs],
    source_rows: Sequence[Sequence[int]],
    io_packet_size: int,
    work_packet_size: int,
) -> Plan:
    """Check each job against its row counts and cut it into tasks of `io_packet_size` sink rows (one per slice group
    where the graph is sliced; one per job where an op asks for all rows at once). An `io_packet_size` of −1 means
    the same as `work_packet_size`. ``source_rows[j][k]`` is the length of the k-th source in job j.

    Raises GraphError naming the op, its line and the stream, and ConfigError for impossible packet sizes.
    """
    io = packet_sizes(io_packet_size, work_packet_size)
    pairs = enumerate(zip(jobs, source_rows, strict=True))
    planned = tuple(plan_job(graph, args, rows, io, stream) for stream, (args, rows) in pairs)
    return Plan(graph, planned, work_packet_size, io)


def demand(graph: Graph, job: JobPlan, task: Task, work_packet_size: int) -> TaskDemand:
    """Trace one task backwards from the sinks to the sources, and cut it into steps.

    `work_packet_size` may be any positive number, also one smaller than the plan's (to hold fewer bytes at a time):
    what is computed, and in which batches, does not depend on it.
    """
    return in_steps(graph, trace(graph, job, task), work_packet_size)


def packet_sizes(io: int, work: int) -> int:
    """Check a pair of packet sizes; return the io packet size, with −1 resolved."""
    if work < 1:
        raise ConfigError(f"work_packet_size is {work}; it must be at least 1")
    if io == -1:
        return work
    if io < 1 or io % work:
        raise ConfigError(
            f"io_packet_size is {io} and work_packet_size is {work}; make the first a multiple of the second"
        )
    return io
