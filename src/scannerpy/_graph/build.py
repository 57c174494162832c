"""Builds a `Graph` from the nodes of a program: numbered in topological order, per-job arguments split off.

Comes in: the sinks given to `Client.run`. Goes out: a `Graph` (the same for every job, small, sent to each worker
once) and one `JobArgs` per stream (sent with the tasks of that job only). This keeps a run over 20,000 streams linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scannerpy._graph.check import check, check_jobs
from scannerpy._graph.graph import Edge, Graph, JobArgs, Vertex
from scannerpy._graph.node import Node, OpNode, Output, SampleNode, SinkNode, SliceNode, SourceNode, UnsliceNode
from scannerpy.errors import GraphError


def build(sinks: Sequence[SinkNode]) -> tuple[Graph, list[JobArgs]]:
    """Number the part of the graph that `sinks` need, split off per-job arguments, and check what needs no data.

    A node reached twice is one vertex, and so is a sink given twice. Vertices are numbered inputs first, in the order
    in which the sinks reach them, so equal programs give equal graphs. Raises GraphError naming the op and its line.
    """
    nodes = nodes_above(sinks)
    numbers = {node: number for number, node in enumerate(nodes)}
    graph = Graph(_vertices(nodes, numbers))
    check(graph)
    count = _job_count(nodes)
    split = [(numbers[node], per_job) for node in nodes if (per_job := _per_job(node))]
    jobs: list[JobArgs] = [{number: per_job[job] for number, per_job in split} for job in range(count)]
    check_jobs(graph, jobs)
    return graph, jobs


def nodes_above(sinks: Sequence[SinkNode]) -> list[Node]:
    """Return all nodes above and including `sinks`, inputs first; without recursion, as graphs may be deep."""
    order: dict[Node, None] = {}
    for sink in sinks:
        path: list[tuple[Node, Iterator[Output]]] = [(sink, iter(sink.inputs))]
        while path:
            node, inputs = path[-1]
            above = next((output.node for output in inputs if output.node not in order), None)
            if above is not None:
                path.append((above, iter(above.inputs)))
            else:
                order[node] = None
                path.pop()
    return list(order)


_KINDS: Mapping[type[Node], str] = {
    SourceNode: "source",
    SampleNode: "sample",
    SliceNode: "slice",
    UnsliceNode: "unslice",
    OpNode: "op",
    SinkNode: "sink",
}
_OP_FIELDS = ("signature", "stencil", "batch", "warmup", "unbounded", "device")


def _vertices(nodes: Sequence[Node], numbers: Mapping[Node, int]) -> tuple[Vertex, ...]:
    vertices: list[Vertex] = []
    for node in nodes:
        vertices.append(_vertex(node, numbers, vertices))
    return tuple(vertices)


def _vertex(node: Node, numbers: Mapping[Node, int], above: Sequence[Vertex]) -> Vertex:
    own = {name: getattr(node, name) for name in _OP_FIELDS} if isinstance(node, OpNode) else {}
    return Vertex(
        number=numbers[node],
        kind=_KINDS[type(node)],
        name=node.name,
        inputs=tuple(_edge(output, numbers) for output in node.inputs),
        level=_level(node, [above[numbers[output.node]].level for output in node.inputs]),
        where=node.where,
        args=getattr(node, "args", {}),
        has_job_args=bool(_per_job(node)),
        **own,
    )


def _edge(output: Output, numbers: Mapping[Node, int]) -> Edge:
    return Edge(numbers[output.node], output.column, output.is_video, output.type_name, output.compression)


def _level(node: Node, inputs: Sequence[int]) -> int:
    """Return the slice level of what `node` yields; `check` compares it with the levels of its inputs."""
    if isinstance(node, SliceNode):
        return 1
    if isinstance(node, UnsliceNode):
        return 0
    return max(inputs, default=0)


def _per_job(node: Node) -> tuple[Any, ...]:
    return getattr(node, "per_job", ())


def _job_count(nodes: Sequence[Node]) -> int:
    """Return how many jobs there are: the one length that all per-job tuples have."""
    first: Node | None = None
    for node in nodes:
        count = len(_per_job(node))
        if count == 0 and not _needs_job_args(node):
            continue
        if first is None and count:
            first = node
        if first is None or count != len(_per_job(first)):
            raise _wrong_count(node, first)
    if first is None:
        raise GraphError("nothing in the graph says how many streams there are: give the input a list of streams")
    return len(_per_job(first))


def _needs_job_args(node: Node) -> bool:
    """Whether a node must say something for every job (an `All`, say, or an op without stream arguments, need not)."""
    if isinstance(node, SampleNode):
        return node.name != "All" and not node.args
    return isinstance(node, SourceNode | SinkNode | SliceNode)


def _wrong_count(node: Node, first: Node | None) -> GraphError:
    called = f"{node.name} ({node.where})" if node.where else node.name
    if first is None:
        return GraphError(f"{called} has an empty list of streams; give at least one")
    like = f"{first.name} ({first.where})" if first.where else first.name
    return GraphError(
        f"{called} has arguments for {len(_per_job(node))} streams, but {len(_per_job(first))} are expected, "
        f"as {like} has; give every list one element per stream"
    )
