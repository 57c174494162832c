"""Small graphs for tests: one call per node, with only what matters to the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scannerpy._graph.build import build
from scannerpy._graph.graph import Graph
from scannerpy._graph.node import (
    Node,
    OpNode,
    Output,
    Partition,
    PerGroup,
    SampleNode,
    SinkNode,
    SliceNode,
    SourceNode,
    UnsliceNode,
    Where,
)
from scannerpy._ops.signature import Column, KernelSpec, OpSignature
from scannerpy._plan.plan import demand, make_plan
from scannerpy._plan.steps import TaskDemand
from scannerpy._plan.task import JobPlan
from scannerpy.common import DeviceType


def out(node: Node, column: str = "column") -> Output:
    return Output(node=node, column=column, is_video=False)


def at(line: int) -> Where:
    return Where("program.py", line)


def source(jobs: int = 1, **kw: Any) -> SourceNode:
    return SourceNode(name="Column", column="column", is_video=False, per_job=({},) * jobs, **kw)


def sample(name: str, above: Node, *args: Any, **kw: Any) -> SampleNode:
    """`args`: one mapping or PerGroup per job."""
    return SampleNode(name=name, inputs=(out(above),), per_job=args, **kw)


def sliced(above: Node, *partitions: Partition, **kw: Any) -> SliceNode:
    return SliceNode(name="Slice", inputs=(out(above),), per_job=partitions, **kw)


def unsliced(above: Node, **kw: Any) -> UnsliceNode:
    return UnsliceNode(name="Unslice", inputs=(out(above),), **kw)


def signature(inputs: int = 1, *, variadic: bool = False, batch: int = 1_000_000, **kw: Any) -> OpSignature:
    columns = tuple(Column(f"in{i}", is_video=False) for i in range(inputs))
    kernels = {DeviceType.CPU: KernelSpec(factory=None, kind="class", batch=batch)}
    outputs = (Column("ret0", is_video=False),)
    given: dict[str, Any] = {"stencil": (0,), "kernels": kernels, "outputs": outputs, **kw}
    return OpSignature(name="Op", inputs=columns, variadic=variadic, **given)


def op(*above: Node, name: str = "Op", job_args: Sequence[Mapping[str, Any] | PerGroup] = (), **kw: Any) -> OpNode:
    return OpNode(
        name=name,
        inputs=tuple(out(node) for node in above),
        per_job=tuple(job_args),
        **{"signature": signature(len(above)), **kw},
    )


def sink(*above: Node, jobs: int = 1, **kw: Any) -> SinkNode:
    given = {"name": "Column", "per_job": ({},) * jobs, **kw}
    return SinkNode(inputs=tuple(out(node) for node in above), **given)


def planned(sinks: Sequence[SinkNode], rows: Sequence[int], io: int = 1000, work: int = 1000) -> tuple[Graph, JobPlan]:
    """Return the graph and the plan of its only job; ``rows`` are the lengths of the sources, in graph order."""
    graph, jobs = build(sinks)
    return graph, make_plan(graph, jobs, [rows], io, work).jobs[0]


def demands(sinks: Sequence[SinkNode], rows: Sequence[int], io: int = 1000, work: int = 1000) -> list[TaskDemand]:
    graph, job = planned(sinks, rows, io, work)
    return [demand(graph, job, task, work) for task in job.tasks]
