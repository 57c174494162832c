"""The plan of a run, as data.

`make_plan` knows only row counts; it checks every job and cuts it into tasks. `demand` then says, for one task, exactly
which rows every vertex executes and where each of its inputs comes from. Both are pure, so the whole meaning of
Scanner is tested without a video. A worker calls `demand` itself: only (job, task) numbers travel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scannerpy._graph.graph import Graph, JobArgs, Vertex
from scannerpy._graph.node import Partition, PerGroup
from scannerpy._plan.demand import VertexDemand, trace
from scannerpy._plan.rows import Rows
from scannerpy._plan.sampling import BadArgument, RowMap, row_map
from scannerpy._plan.slicing import groups
from scannerpy._plan.steps import TaskDemand, in_steps
from scannerpy._plan.task import EvenCut, GroupCut, JobPlan, Task, TaskCut, group_cut
from scannerpy.errors import ConfigError, GraphError

__all__ = [
    "EvenCut",
    "GroupCut",
    "JobPlan",
    "Plan",
    "Rows",
    "Task",
    "TaskCut",
    "TaskDemand",
    "VertexDemand",
    "demand",
    "make_plan",
    "plan_job",
]


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


def plan_job(graph: Graph, args: JobArgs, source_rows: Sequence[int], io_packet_size: int, stream: int = 0) -> JobPlan:
    """Plan a single job; `stream` is its number, for messages."""
    it = _Forward(args, stream, [int(rows) for rows in source_rows])
    for vertex in graph.vertices:
        it.visit(vertex)
    sinks = graph.sinks
    it.check_sinks(sinks)
    rows = it.domains[sinks[0].number][0]
    tasks = it.cut(graph, rows, io_packet_size)
    return JobPlan(args, tuple(it.source_rows), tuple(it.domains), rows, tasks, it.maps)


class _Forward:
    """Row counts of one job, found vertex by vertex from the sources down."""

    __slots__ = ("args", "domains", "maps", "next_source", "sliced", "source_rows", "stream")

    def __init__(self, args: JobArgs, stream: int, source_rows: list[int]) -> None:
        self.args = args
        self.stream = stream
        self.source_rows = source_rows
        self.next_source = 0
        self.domains: list[tuple[int, ...]] = []
        self.maps: dict[int, Sequence[RowMap]] = {}
        self.sliced: Vertex | None = None  # the first slice: all others must make as many groups

    def visit(self, vertex: Vertex) -> None:
        """Find the rows of `vertex`, whose inputs have been visited."""
        kind = vertex.kind
        if kind == "source":
            self.domains.append((self.source_rows[self.next_source],))
            self.next_source += 1
        elif kind == "sample":
            self.domains.append(self._sampled(vertex))
        elif kind == "slice":
            self.domains.append(self._sliced(vertex))
        elif kind == "unslice":
            self.domains.append((sum(self._input(vertex)),))
        else:
            self.domains.append(self._input(vertex))
            self._check_args_per_group(vertex)

    def _input(self, vertex: Vertex) -> tuple[int, ...]:
        """Return the one domain that all inputs of `vertex` share."""
        first, *others = vertex.inputs
        domain = self.domains[first.vertex]
        for edge in others:
            other = self.domains[edge.vertex]
            if other is not domain and other != domain:
                raise self._error(vertex, _disagreement(first.column, domain, edge.column, other))
        return domain

    def _sampled(self, vertex: Vertex) -> tuple[int, ...]:
        sizes = self._input(vertex)
        each = self._per_group(vertex, len(sizes))
        try:
            maps = tuple(row_map(vertex.name, args, size) for args, size in zip(each, sizes, strict=True))
        except BadArgument as reason:
            raise self._error(vertex, str(reason)) from None
        self.maps[vertex.number] = maps
        return tuple(one.length for one in maps)

    def _per_group(self, vertex: Vertex, count: int) -> Sequence[Mapping[str, Any]]:
        """Return a sampler's arguments for each of `count` groups (for its one domain, outside of slices)."""
        given = self.args.get(vertex.number)
        if given is None:
            return (vertex.args,) * count
        if isinstance(given, PerGroup):
            self._check_args_per_group(vertex)
            return [{**vertex.args, **one} for one in given] if count else ()
        assert not isinstance(given, Partition)  # noqa: S101 — only slices have those
        if count > 1:
            raise self._error(
                vertex, f"it is inside a slice of {count} groups and needs a SliceList with {count} arguments, one each"
            )
        return ({**vertex.args, **given},) * count

    def _check_args_per_group(self, vertex: Vertex) -> None:
        given = self.args.get(vertex.number)
        if not isinstance(given, PerGroup):
            return
        count = len(self.domains[vertex.inputs[0].vertex])
        if count and len(given) != count:
            where = f"a slice of {count} groups" if vertex.level else "no slice"
            raise self._error(vertex, f"it has a SliceList of {len(given)} arguments, but is inside {where}")

    def _sliced(self, vertex: Vertex) -> tuple[int, ...]:
        partition = self.args.get(vertex.number)
        if not isinstance(partition, Partition):
            raise self._error(vertex, f"it needs a partition made by cl.partitioner, not {partition!r}")
        try:
            made = groups(partition, self._input(vertex)[0])
        except BadArgument as reason:
            raise self._error(vertex, str(reason)) from None
        self.maps[vertex.number] = made
        self._check_group_count(vertex, len(made))
        return tuple(made.sizes.tolist())

    def _check_group_count(self, vertex: Vertex, count: int) -> None:
        if self.sliced is None:
            self.sliced = vertex
            return
        expected = len(self.maps[self.sliced.number])
        if count != expected:
            raise self._error(
                vertex,
                f"it makes {count} groups, but {self.sliced.label} makes {expected}; "
                "all slices of a stream must make the same number of groups",
            )

    def check_sinks(self, sinks: Sequence[Vertex]) -> None:
        """All sinks of a job must get the same number of rows."""
        if len({self.domains[sink.number] for sink in sinks}) > 1:
            counts = ", ".join(f"{sink.label} gets {self.domains[sink.number][0]}" for sink in sinks)
            raise GraphError(
                f"stream {self.stream}: all sinks must get the same number of rows, but {counts}; sample them alike"
            )

    def cut(self, graph: Graph, rows: int, io_packet_size: int) -> TaskCut:
        """Cut the sink rows into tasks."""
        if self.sliced is not None:
            return self._cut_by_groups(graph)
        whole = any(vertex.whole for vertex in graph.vertices)
        return EvenCut(rows, max(1, rows) if whole else io_packet_size)

    def _cut_by_groups(self, graph: Graph) -> TaskCut:
        unslices = [vertex for vertex in graph.vertices if vertex.kind == "unslice"]
        first = self.domains[unslices[0].inputs[0].vertex]
        for other in unslices[1:]:
            sizes = self.domains[other.inputs[0].vertex]
            if sizes != first:
                raise self._error(
                    other,
                    f"its groups have other sizes than those of {unslices[0].label}: {_sizes(sizes)}, {_sizes(first)}",
                )
        return group_cut(first)

    def _error(self, vertex: Vertex, reason: str) -> GraphError:
        return GraphError(f"{vertex.label}, stream {self.stream}: {reason}")


def _disagreement(name: str, one: tuple[int, ...], other_name: str, other: tuple[int, ...]) -> str:
    if len(one) != len(other):
        return f"its inputs have different numbers of slice groups: {name} {len(one)}, {other_name} {len(other)}"
    counts = f"{name} {_sizes(one)}, {other_name} {_sizes(other)}"
    return f"its inputs have different numbers of rows: {counts}; sample them alike"


def _sizes(domain: tuple[int, ...]) -> str:
    shown = " + ".join(map(str, domain[:6]))
    return shown + " + …" if len(domain) > 6 else shown or "0"
