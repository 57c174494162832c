"""Row counts, forwards: how many rows every vertex of one job yields in every slice group, and where tasks begin.

Comes in: a graph, one job's arguments and the lengths of its sources. Goes out: a `JobPlan`, or a GraphError that names
the op, its line and the stream. Everything that depends on data but not on its content is checked here, before any
output is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scannerpy._graph.graph import Graph, JobArgs, Vertex
from scannerpy._graph.node import Partition, PerGroup
from scannerpy._plan.sampling import BadArgument, RowMap, row_map
from scannerpy._plan.slicing import groups
from scannerpy._plan.task import EvenCut, JobPlan, TaskCut, group_cut
from scannerpy.errors import GraphError


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
        maps: list[RowMap] = []
        try:
            for args, size in zip(each, sizes, strict=True):
                maps.append(row_map(vertex.name, args, size))
        except BadArgument as reason:
            where = f"in slice group {len(maps)}, " if vertex.level else ""
            raise self._error(vertex, f"{where}{reason}") from None
        self.maps[vertex.number] = tuple(maps)
        return tuple([one.length for one in maps])

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
