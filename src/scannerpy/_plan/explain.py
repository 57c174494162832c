"""The cost of a run, computed from its plan: rows, decoding, memory.

Comes in: a plan, and optionally two things the plan cannot know: what it costs to read given rows of a source
(`_plan.decode.cost` for videos), and how large elements are. Goes out: a frozen `Explanation` whose ``str()`` is a
page for people. It is computed from the same `demand` that workers carry out, task by task, so it also counts what is
executed only to warm up state. Decoding is counted as one worker does it, going on from task to task where the next
one does not reach back (as it does for state); where several workers come to share one group of pictures, each of them
decodes its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scannerpy._graph.describe import describe
from scannerpy._graph.graph import Graph
from scannerpy._html.diagram import Box
from scannerpy._plan.decode import REMEMBERED, DecodeCost
from scannerpy._plan.memory import peak_bytes
from scannerpy._plan.plan import Plan, demand
from scannerpy._plan.render import as_html, as_text, boxes_of
from scannerpy._plan.rows import Rows
from scannerpy._plan.steps import TaskDemand
from scannerpy._plan.task import JobPlan

CostOf = Callable[[int, int, Rows], DecodeCost | None]
"""(job, place in ``graph.sources``, rows) → what reading those rows in one go costs; None where nothing is decoded."""


@dataclass(frozen=True, slots=True)
class ReadCost:
    """What one source reads in one job. `decode` is None where nothing is decoded or it is not known."""

    label: str
    stored: int  # rows the stream has
    rows: int  # rows read; one that two tasks read counts twice
    decode: DecodeCost | None


@dataclass(frozen=True, slots=True)
class OpCost:
    """What one op executes in one job."""

    label: str
    rows: int
    warmup: int  # of these, rows whose output is not used

    @property
    def kept(self) -> int:
        """Rows whose output is used."""
        return self.rows - self.warmup


@dataclass(frozen=True, slots=True)
class JobCost:
    """What one job costs."""

    stream: int
    rows: int  # rows each sink stores
    tasks: int
    reads: tuple[ReadCost, ...]
    ops: tuple[OpCost, ...]

    @property
    def decode(self) -> DecodeCost | None:
        """What its sources decode; None where nothing is decoded."""
        return _sum(read.decode for read in self.reads)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a run costs; ``print(explanation)`` shows it."""

    drawing: str
    work_packet_size: int
    io_packet_size: int
    jobs: tuple[JobCost, ...]
    peak_bytes: int | None  # elements held at once by one pipeline instance; None where no size is known
    boxes: tuple[Box, ...] = ()  # the graph with its rows, for a drawing

    @property
    def rows(self) -> int:
        """Rows each sink stores, over all jobs."""
        return sum(job.rows for job in self.jobs)

    @property
    def tasks(self) -> int:
        """Tasks of all jobs."""
        return sum(job.tasks for job in self.jobs)

    @property
    def decode(self) -> DecodeCost | None:
        """What all sources of all jobs decode; None where nothing is decoded."""
        return _sum(job.decode for job in self.jobs)

    @property
    def reads(self) -> tuple[ReadCost, ...]:
        """What each source reads, over all jobs."""
        return tuple(_read_sum(reads) for reads in zip(*(job.reads for job in self.jobs), strict=True))

    @property
    def ops(self) -> tuple[OpCost, ...]:
        """What each op executes, over all jobs."""
        return tuple(_op_sum(ops) for ops in zip(*(job.ops for job in self.jobs), strict=True))

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def explain(plan: Plan, cost: CostOf | None = None, sizes: Sequence[int] | None = None) -> Explanation:
    """Explain a plan. ``sizes[v]`` is the bytes of an element of vertex v, 0 where unknown; see `CostOf` for `cost`.

    Traces every task of every job, so it takes as long as planning them all: a third of a millisecond each.
    """
    jobs = []
    peak = 0
    made = [0] * len(plan.graph.vertices)
    for stream, job in enumerate(plan.jobs):
        explained = _Job(plan.graph, stream, job, cost)
        for task in job.tasks:
            needed = demand(plan.graph, job, task, plan.work_packet_size)
            explained.add(needed)
            made = [rows + len(each.rows) for rows, each in zip(made, needed.vertices, strict=True)]
            peak = max(peak, peak_bytes(needed, sizes)) if sizes is not None else 0
        jobs.append(explained.total())
    known = sizes is not None and any(sizes)
    return Explanation(
        describe(plan.graph),
        plan.work_packet_size,
        plan.io_packet_size,
        tuple(jobs),
        peak if known else None,
        boxes_of(plan.graph, made),
    )


class _Job:
    """Adds up the tasks of one job."""

    def __init__(self, graph: Graph, stream: int, job: JobPlan, cost: CostOf | None) -> None:
        self.stream = stream
        self.job = job
        self.cost = cost
        self.sources = graph.sources
        self.ops = tuple(vertex for vertex in graph.vertices if vertex.kind == "op")
        self.read = [0] * len(self.sources)
        self.passes: list[list[list[Rows]]] = [[] for _ in self.sources]
        self.run = [0] * len(self.ops)
        self.warmup = [0] * len(self.ops)

    def add(self, demand: TaskDemand) -> None:
        """Add one task."""
        for place, source in enumerate(self.sources):
            rows = demand.vertices[source.number].rows
            self.read[place] += len(rows)
            _next_task(self.passes[place], rows)
        for place, op in enumerate(self.ops):
            it = demand.vertices[op.number]
            self.run[place] += len(it.rows)
            self.warmup[place] += len(it.rows) - int(np.count_nonzero(it.keep))

    def total(self) -> JobCost:
        """Return the sum."""
        stored = self.job.source_rows
        decode = [self._decode(place) for place in range(len(self.sources))]
        reads = zip(self.sources, stored, self.read, decode, strict=True)
        ops = zip(self.ops, self.run, self.warmup, strict=True)
        return JobCost(
            self.stream,
            self.job.rows,
            len(self.job.tasks),
            tuple(ReadCost(source.short_label, total, rows, decode) for source, total, rows, decode in reads),
            tuple(OpCost(op.short_label, rows, warmup) for op, rows, warmup in ops),
        )

    def _decode(self, place: int) -> DecodeCost | None:
        """Price every pass by itself: within one, a worker goes on from task to task and decodes nothing twice."""
        if self.cost is None:
            return None
        passes = (np.unique(np.concatenate(rows)) for rows in self.passes[place])
        return _sum([self.cost(self.stream, place, rows) for rows in passes])


def _next_task(passes: list[list[Rows]], rows: Rows) -> None:
    """Add a task's rows to the last pass over a source, or begin another where they reach back too far."""
    if len(rows) == 0:
        return
    if passes and rows[0] > passes[-1][-1][-1] - REMEMBERED:
        passes[-1].append(rows)
    else:
        passes.append([rows])


def _sum(costs: Iterable[DecodeCost | None]) -> DecodeCost | None:
    known = [cost for cost in costs if cost is not None]
    if not known:
        return None
    return DecodeCost(
        sum(cost.frames for cost in known),
        sum(cost.packets for cost in known),
        sum(cost.bytes for cost in known),
        sum(cost.gops for cost in known),
    )


def _read_sum(reads: Sequence[ReadCost]) -> ReadCost:
    stored, rows = sum(read.stored for read in reads), sum(read.rows for read in reads)
    return ReadCost(reads[0].label, stored, rows, _sum(read.decode for read in reads))


def _op_sum(ops: Sequence[OpCost]) -> OpCost:
    return OpCost(ops[0].label, sum(op.rows for op in ops), sum(op.warmup for op in ops))
