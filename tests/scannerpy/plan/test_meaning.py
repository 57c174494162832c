"""The plan of any graph, carried out with any packet sizes, computes what the graph means — and reads nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._graph.build import build
from scannerpy._plan.plan import demand, make_plan
from tests.scannerpy.plan.anything import Program, programs
from tests.scannerpy.plan.evaluator import Evaluator
from tests.scannerpy.plan.reference import Reference, Symbols


def check(program: Program, io: int, work: int, smaller: int) -> None:
    symbols = Symbols()
    reference = Reference(symbols, program.lengths)
    graph, jobs = build(program.sinks)
    nodes = nodes_of(program, graph)
    lengths = [program.lengths[nodes[v.number]] for v in graph.sources]
    job = make_plan(graph, jobs, [lengths], io, work).jobs[0]
    stored: dict[int, list[Any]] = {sink.number: [] for sink in graph.sinks}
    for task in job.tasks:
        reference.forget()
        it = demand(graph, job, task, work)
        run = Evaluator(symbols, graph, nodes, jobs[0], task)
        for number, values in run.run(it).items():
            stored[number] += values
            expected = [reference.value(nodes[number], 0, row) for row in range(task.start, task.end)]
            assert values == expected
        for vertex in graph.sources:
            assert it.vertices[vertex.number].rows.tolist() == sorted(reference.touched[nodes[vertex.number]])
        other = Evaluator(symbols, graph, nodes, jobs[0], task)
        assert other.run(demand(graph, job, task, smaller)) == run.stored
        assert other.batches == run.batches
    for number, values in stored.items():
        assert len(values) == job.rows == reference.size(nodes[number], 0)


def nodes_of(program: Program, graph: Any) -> list[Any]:
    """The node behind each vertex, found from the sinks up."""
    nodes: list[Any] = [None] * len(graph.vertices)

    def visit(number: int, node: Any) -> None:
        nodes[number] = node
        for edge, output in zip(graph.vertices[number].inputs, node.inputs, strict=True):
            visit(edge.vertex, output.node)

    for vertex, sink in zip(graph.sinks, dict.fromkeys(program.sinks), strict=True):
        visit(vertex.number, sink)
    return nodes


@settings(max_examples=300, deadline=None)
@given(programs(), st.integers(1, 12), st.integers(1, 6), st.integers(1, 6))
def test_any_program(program: Program, work: int, times: int, smaller: int) -> None:
    check(program, work * times, work, smaller)
